"""What a worker says instead of pressing: 接单, 到了, 修好了, 不归我管. In private, in reply to the card or of what is in hand; which of several is
meant is asked. In a group, in reply to what was posted of the case, and what is to be answered is said in private."""

import re
from collections.abc import Sequence

from core.messages import AttachmentKind, Decision, Kind, Urgency
from core.texts import say
from domain import access, chats, dialogues, inbox, people
from domain.cases import listing, opening, words
from domain.cases.life import WITH_WORKER, State, Step, may, take_step
from domain.chats import ChatPurpose
from domain.inbox import Outcome
from handlers import tasks
from handlers.by_number import NUMBER, numbered
from handlers.context import Context, Press, Rows

LONGEST, MOST_OFFERED = 30, 4
_BEFORE = r"(?:你好|您好|收到|好的?|嗯|哦|那|我们?|人|已经?|都|刚刚?|现在|马上|这就|一会儿?|等下|待会儿?|这[个件]|那[个件]|[ ，,。！!~])*+"
_AFTER = r"(?:一下|一趟|看看|了|啦|啊|呀|吧|哦|哈|的|谢谢|[ ，,。！!~…])*+"
_WORK = "处理|解决|修复|清理|更换|疏通|维修|整改|清运|劝离"
# What has not been done, will be, or is asked: 还没修好, 明天才能修好, 修好了吗.
_NOT_DONE = "没不未能会要等待明再难如果？?吗"
_STEPS: tuple[tuple[Step, re.Pattern[str]], ...] = tuple(
    (step, re.compile(said))
    for step, said in (
        (
            Step.RETURN,
            r"[^？?]{0,12}(?:退单|退回|不(?:归|属于?|是|在)(?:我|咱|俺|本)们?(?:这边|这里)?(?:管|的?网格|的?片区|的?范围|的?辖区|负责|的事|的活)"
            r"|(?:转|移交|交)给[^，。？?]{1,10}|(?:去|处理|办|干|解决|修)不了|没空|忙不过来|请假|休假|出差)[^？?]{0,16}",
        ),
        (
            Step.FINISH,
            rf"[^{_NOT_DONE}]{{0,14}}(?:办结|结单|结案|完工|完成|搞定|已经?(?:{_WORK})|(?:{_WORK})(?=完|好|掉|了)"
            rf"|[修弄换装清搞做补接盖扫劝拖挪移拆铺擦刷](?:好|完|走|掉|开)|^好(?=了)|恢复(?:正常)?)(?:完毕|完成|好|完|掉|过)?{_AFTER}",
        ),
        (
            Step.ARRIVE,
            rf"{_BEFORE}(?:到(?:达?现场|达|场|地方|位|楼下|门口)|到(?=[了啦])|在现场){_AFTER}(?:(?<=[，, ])[^？?]{{2,16}})?",
        ),
        (
            Step.ACCEPT,
            rf"{_BEFORE}(?:接(?:单|下|了)|(?:过去|去|来)(?:现场|处理|瞧瞧|看|办|修)?|在路上|出发|安排){_AFTER}"
            r"|(?:收到|好的?|我们?|[ ，,])*+(?:马上|这就|很快|一会儿?|\d{1,2}分钟后?)就?到[了啊哈 。！!]*",
        ),
    )
)
_AND_MORE = re.compile(r"[，, ][^，, ]{2,}$")  # 到现场了，人没事
_ONLY_RETURN = re.compile(rf"{_BEFORE}(?:退单|退回){_AFTER}")
_HEARD = re.compile(r"(?:收到|好的?|好嘞|知道了?|明白了?|了解了?|ok|嗯+|行|可以|1|[ ，,。！!~])++", re.IGNORECASE)


def step_said(text: str) -> Step | None:
    """The step that a line names, if it says nothing else."""
    if len(text) > LONGEST:
        return None
    return next((step for step, said in _STEPS if said.fullmatch(text)), None)


def told(ctx: Context) -> bool:
    """Words of a worker about a task. False: it is something else, or the speaker has none."""
    replies = bool(ctx.incoming.reply_to)
    if not ctx.is_private or ctx.understanding.urgency == Urgency.EMERGENCY or _is_news(ctx):
        return False
    text = NUMBER.sub("", ctx.incoming.text).strip(" ，,：:")
    step, is_heard = step_said(text), _HEARD.fullmatch(text) is not None
    if step is None and any(one.kind == AttachmentKind.PHOTO for one in ctx.incoming.attachments):
        return _shows(ctx)
    if not (step or is_heard or (replies and text)):
        return False
    held = _held(ctx)
    if not held:
        return False
    if step is not None:
        _take(ctx, step, held)
        return True
    if not is_heard:
        _note(ctx, held[0])
        return True
    waiting = [case for case in held if case.state == State.ASSIGNED]
    if waiting:
        # 收到 may be meant for the task, and takes nothing on by itself.
        ctx.reply("cases.not_accepted_yet", number=waiting[0].number, buttons=words.card_buttons(waiting[0]))
    elif replies:
        ctx.reply("cases.worker_heard", number=held[0].number)
    return bool(waiting) or replies


def _shows(ctx: Context) -> bool:
    """A picture is perhaps the proof of a task: one press finishes with it, see tasks.start_finish. Asked once for several."""
    held = [case for case in _held(ctx) if case.kind != Kind.QUESTION and may(case, Step.FINISH)]
    if held and not inbox.loose_photos(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now):
        ctx.reply("cases.photo_of_work", buttons=_choices(Step.FINISH, held))
    return bool(held)


def _is_news(ctx: Context) -> bool:
    """8号楼电梯坏了，我修不了: a matter of its own, unless it is said of a task by its number or its card."""
    is_pointed = ctx.incoming.reply_to or NUMBER.search(ctx.incoming.text)
    return ctx.understanding.decision == Decision.ACT and not is_pointed


def told_in_group(ctx: Context, case: listing.Case) -> bool:
    """A worker's words in reply to the case. False: somebody else's, or talk with the resident."""
    if (
        ctx.is_private
        or not ctx.incoming.text
        or ctx.understanding.urgency == Urgency.EMERGENCY
        or not _works_on(ctx, case)
    ):
        return False
    step, is_heard = step_said(ctx.incoming.text.strip()), _HEARD.fullmatch(ctx.incoming.text) is not None
    if step is None and not ctx.incoming.reply_to_bot:
        return False
    number = case.number
    if step is None and not is_heard:
        _keep(ctx, case)
    elif step in _SILENT:
        if may(case, step):
            _go_on(ctx, step, case)
            _in_private(ctx, _DONE[step], number=number)
    elif step is not None:
        label = _button(step, case)
        buttons = [[Press(label, _action(step, case), case.id)]]
        _in_private(ctx, "cases.step_in_private", number=number, step=label, buttons=buttons)
    elif case.state == State.ASSIGNED:
        _in_private(ctx, "cases.not_accepted_yet", number=number, buttons=words.card_buttons(case))
    ctx.received.case_id, ctx.received.outcome = case.id, Outcome.JOINED
    return True


def _works_on(ctx: Context, case: listing.Case) -> bool:
    """Whoever has it; among the staff, anybody who may take it. Who told of it speaks as a resident."""
    if case.state not in WITH_WORKER:
        return False
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None or account.person_id == case.reporter_id:
        return False
    if account.person_id == case.assignee_id:
        return True
    return ctx.chat.purpose == ChatPurpose.STAFF and access.may_work(ctx.session, ctx.person, case, ctx.today)


def _in_private(ctx: Context, key: str, *, buttons: Rows = (), **blanks: object) -> None:
    """Where the bot may not write to the worker, colleagues may read it, and residents need not."""
    chat = chats.private_chat_of(ctx.session, ctx.person.id, prefer=ctx.chat.channel)
    if chat is None and ctx.chat.purpose == ChatPurpose.STAFF:
        chat = ctx.chat
    if chat is not None:
        ctx.post_to(chat, say(key, **blanks), buttons=buttons)


def remind(ctx: Context) -> bool:
    """Staff who were not understood are told how to go on: with the work in hand, or at the desk. False: a resident."""
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None or ctx.incoming.reply_to or not (ctx.is_private and ctx.incoming.text):
        return False
    if held := listing.tasks_of(ctx.session, account.person_id):
        ctx.reply("cases.worker_not_understood", count=len(held))
    elif access.duties(ctx.session, account.person_id, ctx.today):
        ctx.reply("cases.staff_not_understood")
    else:
        return False
    return True


def _in_hand(ctx: Context) -> Sequence[listing.Case]:
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    return listing.tasks_of(ctx.session, account.person_id) if account is not None else ()


def _held(ctx: Context) -> Sequence[listing.Case]:
    """The one that is replied to or numbered, or all in hand. What the speaker told of stays theirs: they speak as a resident then."""
    if ctx.incoming.reply_to:
        case = opening.case_of_message(ctx.session, ctx.chat.id, ctx.incoming.reply_to)
        if case is None or case.reporter_id == ctx.person.id or case.state not in WITH_WORKER:
            return ()
        return [case] if access.may_work(ctx.session, ctx.person, case, ctx.today) else ()
    held = _in_hand(ctx)
    if number := numbered(ctx.incoming.text):
        return [case for case in held if case.number == number]
    return held


def _take(ctx: Context, step: Step, held: Sequence[listing.Case]) -> None:
    ready = [case for case in held if may(case, step)]
    if len(ready) > 1:
        named = [case for case in ready if case.topic and words.what_of(case.kind, case.topic, "") in ctx.incoming.text]
        ready = named if len(named) == 1 else ready
    if not ready:
        ctx.reply("cases.step_not_now", number=held[0].number)
    elif len(ready) > 1:
        _ask_which(ctx, step, ready)
    else:
        _do(ctx, step, ready[0])
        ctx.received.case_id, ctx.received.outcome = ready[0].id, Outcome.JOINED


def _ask_which(ctx: Context, step: Step, ready: Sequence[listing.Case]) -> None:
    ctx.reply("cases.which_task", count=len(ready), buttons=_choices(step, ready))


def _choices(step: Step, ready: Sequence[listing.Case]) -> Rows:
    return [
        [Press(say("cases.button_step", step=_button(step, case), number=case.number), _action(step, case), case.id)]
        for case in ready[:MOST_OFFERED]
    ]


def _action(step: Step, case: listing.Case) -> str:
    name = "answer" if step == Step.FINISH and case.kind == Kind.QUESTION else step.value
    return f"cases.{name}"


def _button(step: Step, case: listing.Case) -> str:
    return say(_action(step, case).replace("cases.", "cases.button_"))


# What needs no answer of the worker's, and what is said of it.
_SILENT = {Step.ACCEPT: tasks.accept, Step.ARRIVE: tasks.arrive}
_DONE = {Step.ACCEPT: "cases.accepted_said", Step.ARRIVE: "cases.arrived_said"}


def _go_on(ctx: Context, step: Step, case: listing.Case) -> None:
    _SILENT[step](ctx, case.id)
    if step == Step.ARRIVE and _AND_MORE.search(NUMBER.sub("", ctx.incoming.text).strip()):
        _keep(ctx, case)


def _do(ctx: Context, step: Step, case: listing.Case) -> None:
    if step in _SILENT:
        _go_on(ctx, step, case)
        ctx.reply(_DONE[step], number=case.number)
    elif step == Step.FINISH:
        _finish(ctx, case)
    else:
        _return(ctx, case)


def _finish(ctx: Context, case: listing.Case) -> None:
    """A picture beside the words is the proof; without one it is asked for."""
    if case.kind == Kind.QUESTION:
        tasks.start_answer(ctx, case.id)
        return
    if not ctx.incoming.attachments:
        tasks.start_finish(ctx, case.id)
        return
    ctx.ask(tasks.PROOF_STEP, {"case": str(case.id)})
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    assert question is not None
    tasks.proof_told(ctx, question)


def _return(ctx: Context, case: listing.Case) -> None:
    """不归我管，是物业的 is the reason as well: one press, and it goes back with these words."""
    said = NUMBER.sub("", ctx.incoming.text).strip(" ，,。！!")
    if _ONLY_RETURN.fullmatch(said):
        tasks.start_return(ctx, case.id)
        return
    buttons = [[Press(said, "cases.return_because", case.id)]]
    ctx.reply("cases.return_so", number=case.number, buttons=buttons)


def _note(ctx: Context, case: listing.Case) -> None:
    _keep(ctx, case)
    ctx.reply("cases.noted_beside" if case.kind == Kind.QUESTION else "cases.noted", number=case.number)


def _keep(ctx: Context, case: listing.Case) -> None:
    """Any other words in reply to the card: for the history, and for whoever takes the case on."""
    text, cause = ctx.incoming.text, ctx.received.id
    take_step(ctx.session, case, Step.ADD, now=ctx.now, actor_id=ctx.person.id, note=text, cause_id=cause)
    ctx.received.case_id, ctx.received.outcome = case.id, Outcome.JOINED

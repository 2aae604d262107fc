"""THE TABLE: which command, button, open question or intent leads to which function, who may, and its line of help.

`handle` reads as the path of one message: something happened to the chat, a button, an edit, a command, an answer to an open
question, something about an open case, a new matter, or chatter, which gets silence.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from core.errors import Refused
from core.messages import Decision, IncomingKind, Kind, MenuItem, Signal, Urgency
from core.texts import say
from domain import areas, chats, dialogues, inbox, outbox, people
from domain.cases import opening, words
from domain.cases.life import ACTIVE, State
from domain.cases.listing import Case
from domain.inbox import Session
from handlers import (
    afterwards,
    answers,
    cases,
    choosing_community,
    colleagues,
    customer_groups,
    follow_ups,
    homes,
    meanings,
    neighbours,
    private_matters,
    ratings,
    serving,
    several,
    start,
    still_wrong,
    taking_back,
    tasks,
)
from handlers.context import Context


@dataclass(frozen=True, slots=True)
class Command:
    """A Latin command for the platform's menu and the Chinese words that do the same as plain text, the last of them its title there."""

    name: str
    words: tuple[str, ...]
    help: str
    run: Callable[[Context], None]
    is_in_menu: bool = True
    is_first: bool = False


COMMANDS = (
    Command("help", ("怎么用", "帮助"), "看我能做什么", start.help_text, is_first=True),
    Command("mine", ("我的登记", "我的"), "查看我登记的事", cases.mine, is_first=True),
    Command("wishes", ("心愿", "心愿墙"), "查看待实现的心愿", cases.wishes),
    Command("tasks", ("任务", "待办", "我的任务"), "网格员：我手上的待办", tasks.tasks, is_first=True),
    Command("login", ("登陆", "登录"), "工作人员：取得工作台链接", start.sign_in),
    Command("link", ("我的另一个账号", "绑定另一个账号"), "绑定我的另一个账号", start.own_account, is_in_menu=False),
    Command("cancel", ("放弃", "取消"), "放弃正在回答的问题", start.cancel),
    Command("start", (), "开始", start.start, is_in_menu=False),
)
# A command with something behind it.
BIND_WORDS = ("/bind", "绑定")

ACTIONS: dict[str, Callable[[Context, int], None]] = {
    "cases.undo": cases.undo,
    "cases.take_back": taking_back.pressed,
    "cases.in_community": choosing_community.chosen,
    "cases.not_meant": meanings.not_meant,
    "cases.meant_report": meanings.meant_report,
    "cases.meant_wish": meanings.meant_wish,
    "cases.meant_complaint": meanings.meant_complaint,
    "cases.meant_question": meanings.meant_question,
    "cases.meant_chatter": meanings.meant_chatter,
    "cases.confirm": neighbours.confirm,
    "cases.decline": cases.decline,
    "cases.satisfied": cases.satisfied,
    "cases.dissatisfied": cases.dissatisfied,
    "cases.same_matter": private_matters.same,
    "cases.other_matter": private_matters.other,
    "cases.part": neighbours.part,
    "cases.not_done": neighbours.not_done,
    "cases.accept": tasks.accept,
    "cases.return": tasks.start_return,
    "cases.return_because": tasks.return_because,
    "cases.arrive": tasks.arrive,
    "cases.finish": tasks.start_finish,
    "cases.answer": tasks.start_answer,
    "cases.answer_again": tasks.start_answer_again,
    "answers.ask_staff": answers.ask_staff,
}

# An open question → who takes the answer; False means it was something else after all.
STEPS: dict[str, Callable[[Context, dialogues.Conversation], bool]] = {
    cases.ASK_PLACE_STEP: follow_ups.place_told,
    cases.DETAILS_STEP: follow_ups.details_told,
    private_matters.STEP: follow_ups.same_told,
    homes.STEP: choosing_community.told,
    meanings.STEP: meanings.answered,
    cases.STILL_WRONG_STEP: still_wrong.told,
    tasks.PROOF_STEP: tasks.proof_told,
    tasks.PROOF_AGAIN_STEP: tasks.proof_told_again,
    tasks.RETURN_STEP: tasks.reason_told,
    tasks.ANSWER_STEP: tasks.answer_told,
    tasks.ANSWER_AGAIN_STEP: tasks.answer_told_again,
}

CHAT_EVENTS = frozenset(
    {
        IncomingKind.CHAT_RENAMED,
        IncomingKind.CHAT_MIGRATED,
        IncomingKind.BOT_REMOVED,
        IncomingKind.BOT_BLOCKED,
    }
)
COLLEAGUE_EVENTS = frozenset(
    {IncomingKind.COLLEAGUE_JOINED, IncomingKind.COLLEAGUE_CHANGED, IncomingKind.COLLEAGUE_LEFT}
)
SERVING_EVENTS = frozenset({IncomingKind.TAKEN_OVER, IncomingKind.HANDED_BACK})
SIGNALS_OF_A_CASE = frozenset({Signal.STILL_BROKEN, Signal.RESOLVED, Signal.WITHDRAWN, Signal.CORRECTION})
# Two texts this alike, by the same person within minutes, are one matter said twice.
SAME_WORDS = 80
# One or two messages look up what they need themselves; from here on it is asked for together.
FEWEST_TO_LOOK_AHEAD = 3

BY_TEXT: dict[str, Command] = {text: command for command in COMMANDS for text in (f"/{command.name}", *command.words)}


def menu() -> tuple[MenuItem, ...]:
    """The commands for a platform's menu."""
    return tuple(
        MenuItem(command.name, command.words[-1], command.help, is_first=command.is_first)
        for command in COMMANDS
        if command.is_in_menu
    )


def needs_look_up(ctx: Context) -> bool:
    """False for chatter: nothing in the message can concern a case, so nothing has to be looked up for it."""
    incoming, understood = ctx.incoming, ctx.understanding
    return bool(
        incoming.kind != IncomingKind.MESSAGE
        or ctx.is_private
        or incoming.is_addressed
        or understood.decision != Decision.SILENT
        or understood.signal != Signal.NONE
        or understood.places
        or incoming.reply_to
        or incoming.attachments
        or incoming.text in BY_TEXT
        or incoming.text in meanings.KIND_OF
        or incoming.text.startswith(BIND_WORDS)
        or neighbours.may_agree(ctx)
        or words.is_urging(incoming.text)
        or words.is_half(incoming.text)
        or still_wrong.may_tell(ctx)
    )


def look_ahead(session: Session, contexts: Sequence[Context]) -> None:
    """Looks up, in one statement each, what a batch of messages will ask for: accounts, places, open questions, photos."""
    speaking = [ctx for ctx in contexts if ctx.incoming.sender is not None and ctx.incoming.sender.is_person]
    if len(speaking) < FEWEST_TO_LOOK_AHEAD:
        return
    people.note_accounts(session, {(ctx.incoming.channel, ctx.sender) for ctx in speaking})
    mentions = [place.area_id for ctx in speaking for place in ctx.understanding.places]
    places = {area_id for area_id in (*mentions, *(ctx.chat.area_id for ctx in speaking)) if area_id is not None}
    areas.note_areas(session, places)
    speakers = {(ctx.chat.id, ctx.sender) for ctx in speaking}
    in_private = {(ctx.chat.id, ctx.sender) for ctx in speaking if ctx.is_private}
    if in_private:
        dialogues.note_open(session, in_private)
    inbox.note_loose_photos(session, speakers, now=contexts[0].now)
    accounts = [people.account_of(session, ctx.incoming.channel, ctx.sender) for ctx in speaking]
    opening.note_recent(session, {account.person_id for account in accounts if account}, now=contexts[0].now)
    neighbours.look_ahead(session, speaking)


def depends_on_earlier(ctx: Context, touched: Set[object]) -> bool:
    """Whether a message can be about what an earlier one of the same batch has left: by the same person here, or by reply,
    album, edit or button."""
    incoming = ctx.incoming
    is_plain = incoming.kind == IncomingKind.MESSAGE and not (incoming.reply_to or incoming.album_id)
    return (ctx.chat.id, ctx.sender) in touched or (bool(touched) and not is_plain)


def handle(ctx: Context) -> None:
    """Works one message. A refusal becomes the sentence that the person gets."""
    try:
        _handle(ctx)
    except Refused as refusal:
        if ctx.incoming.kind == IncomingKind.PRESS:
            ctx.answer_press(refusal.key, **refusal.blanks)
        else:
            ctx.reply_text(say(refusal.key, **refusal.blanks))


def _handle(ctx: Context) -> None:
    kind = ctx.incoming.kind
    if ctx.incoming.group is not None:
        customer_groups.told(ctx, ctx.incoming.group)
    elif kind in CHAT_EVENTS:
        start.chat_changed(ctx)
    elif kind == IncomingKind.BOT_ADDED:
        start.bot_added(ctx)
    elif kind in COLLEAGUE_EVENTS:
        colleagues.changed(ctx)
    elif ctx.incoming.sender is None or not ctx.incoming.sender.is_person:
        return
    elif kind in SERVING_EVENTS:
        serving.changed(ctx)
    elif serving.note_word(ctx):
        return  # a person of staff speaks with them
    elif ctx.is_private and kind in (IncomingKind.MESSAGE, IncomingKind.BOT_STARTED):
        _in_private(ctx)
    elif ctx.chat.state == chats.ChatState.BOUND:
        _in_bound_chat(ctx)
    elif kind == IncomingKind.MESSAGE:
        _bind(ctx)  # an unbound group: nothing but its code is listened to


def _in_private(ctx: Context) -> None:
    """In private the bot may write back from now on, and never ignores anybody."""
    person = ctx.person
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is not None and (ctx.chat.person_id != person.id or account.private_chat != "open"):
        chats.note_private(ctx.chat, account)
        ctx.session.flush()
    if ctx.incoming.kind == IncomingKind.BOT_STARTED:
        start.start(ctx)
        return
    _in_bound_chat(ctx)


def _in_bound_chat(ctx: Context) -> None:
    match ctx.incoming.kind:
        case IncomingKind.PRESS:
            _press(ctx)
        case IncomingKind.EDIT:
            _edit(ctx)
        case IncomingKind.WITHDRAWAL:
            _withdrawal(ctx)
        case IncomingKind.MESSAGE:
            _message(ctx)


def _press(ctx: Context) -> None:
    found = outbox.find_press(ctx.session, ctx.incoming.button or "", ctx.chat.id)
    if found is None:
        raise Refused("cases.press_unknown")
    row, action, subject = found
    ctx.pressed = outbox.pressed_words(row, ctx.incoming.button or "")
    ACTIONS[action](ctx, subject or 0)


def _edit(ctx: Context) -> None:
    """Each matter of the message follows its own words; what the edit made a matter, or a danger, of is one of its own."""
    together = opening.cases_of_message(ctx.session, ctx.chat.id, ctx.incoming.message_id or "")
    if len(together) > 1 or (together and ctx.parts):
        several.edited(ctx, together)
        return
    is_new = ctx.understanding.decision == Decision.ACT
    if together:
        follow_ups.edited(ctx, together[0])
        is_new = ctx.understanding.urgency == Urgency.EMERGENCY and together[0].urgency != Urgency.EMERGENCY
    if is_new:
        _new_matter(ctx)


def _withdrawal(ctx: Context) -> None:
    for case in opening.cases_of_message(ctx.session, ctx.chat.id, ctx.incoming.message_id or ""):
        follow_ups.withdrawn(ctx, case)


def _message(ctx: Context) -> None:
    if not needs_look_up(ctx):
        return
    text = ctx.incoming.text.strip()
    if text in BY_TEXT:
        BY_TEXT[text].run(ctx)
        return
    if serving.asks_for_somebody(ctx):
        serving.ask(ctx)
        return
    if (
        _bind(ctx)
        or ratings.told(ctx)
        or meanings.told(ctx)
        or _answers_question(ctx)
        or neighbours.agree(ctx)
        or _concerns_case(ctx)
        or follow_ups.invited(ctx)
    ):
        return
    if not answers.from_kept(ctx):
        _new_matter(ctx)


def _bind(ctx: Context) -> bool:
    text = ctx.incoming.text.strip()
    word = next((word for word in BIND_WORDS if text == word or text.startswith(word + " ")), None)
    if word is None:
        return False
    start.bind(ctx, text.removeprefix(word))
    return True


def _answers_question(ctx: Context) -> bool:
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    return question is not None and STEPS[question.step](ctx, question)


def _concerns_case(ctx: Context) -> bool:
    """A reply to a case's message, the next picture of its album, a late photo, or a word like 还没修 by its reporter."""
    incoming, understood = ctx.incoming, ctx.understanding
    case = None
    if incoming.reply_to:
        case = opening.case_of_message(ctx.session, ctx.chat.id, incoming.reply_to)
        if case is not None and afterwards.told(ctx, case):
            return True
        about_it = incoming.reply_to_bot or understood.signal != Signal.NONE or incoming.attachments
        if case is not None and not about_it:
            case = None
    if case is None and incoming.album_id:
        case = opening.case_of_album(ctx.session, ctx.chat.id, incoming.album_id)
    if case is None and _may_follow(ctx):
        states = frozenset(State) if understood.signal in SIGNALS_OF_A_CASE else ACTIVE
        case = opening.latest_case_of(
            ctx.session,
            ctx.person.id,
            ctx.chat.id,
            now=ctx.now,
            states=states,
            fits=lambda own: follow_ups.may_be_about(ctx, own),
        )
        if follow_ups.takes_back(ctx):
            case = neighbours.joined_since(ctx, case) or case
            if case is not None and taking_back.asks_which(ctx, case):
                return True
    if case is None or (understood.decision == Decision.ACT and _is_other_matter(ctx, case)):
        return False
    follow_ups.follow_up(ctx, case)
    return True


def _may_follow(ctx: Context) -> bool:
    """Whether what was said can concern the speaker's own case of a moment ago."""
    incoming, understood = ctx.incoming, ctx.understanding
    return bool(
        understood.signal in SIGNALS_OF_A_CASE
        or (incoming.attachments and understood.decision == Decision.SILENT and not incoming.reply_to)
        or understood.decision == Decision.ACT
        or words.is_urging(incoming.text)
        or follow_ups.takes_back(ctx)
        or follow_ups.goes_on(ctx)
    )


def _is_other_matter(ctx: Context, case: Case) -> bool:
    if words.CRISIS in {case.topic, ctx.understanding.topic}:
        return ctx.understanding.topic != case.topic
    is_about_it = ctx.understanding.signal in SIGNALS_OF_A_CASE or words.is_urging(ctx.incoming.text)
    if is_about_it and not _names_another_place(ctx, case):
        return False
    # Said under our receipt and naming no place of its own: more about this one, whatever else it sounds like.
    is_danger = ctx.understanding.urgency == Urgency.EMERGENCY and case.urgency != Urgency.EMERGENCY
    if ctx.incoming.reply_to_bot and case.state in ACTIVE and not ctx.understanding.places and not is_danger:
        return False
    return ratio(ctx.incoming.text, case.text) < SAME_WORDS


def _names_another_place(ctx: Context, case: Case) -> bool:
    """Whether the words ask after something elsewhere: 8号楼怎么没人管, after a report about 3号楼."""
    if ctx.understanding.signal in SIGNALS_OF_A_CASE:
        return False
    return bool(ctx.understanding.places) and opening.place_words(ctx.understanding.places) not in case.place


def _new_matter(ctx: Context) -> None:
    understood = ctx.understanding
    if understood.decision == Decision.ACT and understood.kind != Kind.CHATTER:
        if ctx.parts:
            several.report(ctx)
        elif not neighbours.reported_already(ctx):
            cases.report(ctx)
    elif understood.decision == Decision.ASK and understood.kind != Kind.CHATTER:
        cases.doubt(ctx)
    elif ctx.is_private or ctx.incoming.is_addressed:
        _addressed(ctx)


def _addressed(ctx: Context) -> None:
    """Spoken to, and nothing was understood: never ignored."""
    if ctx.is_courtesy:
        start.courtesy(ctx)
    else:
        start.not_understood(ctx)

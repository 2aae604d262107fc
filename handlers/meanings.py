"""Not what was meant: whoever reported says so, by a button or in words, tells what it is instead, and the bot learns from it."""

import re
from dataclasses import replace

from core.errors import Refused
from core.messages import Decision, IncomingKind, Kind, Understanding, Urgency
from core.texts import say
from domain import corrections, dialogues, inbox, outbox
from domain.cases import listing, opening, parting, receipts, words
from domain.cases.life import State
from domain.cases.listing import Case
from domain.inbox import Outcome
from handlers import cases
from handlers.context import Context, Press

STEP = "cases.meant"
# What it may be instead, in the order of the buttons, with the words that name it.
CHOICES = {
    Kind.REPORT: ("报修", "报事"),
    Kind.WISH: ("心愿", "微心愿", "许愿"),
    Kind.COMPLAINT: ("投诉",),
    Kind.QUESTION: ("咨询", "问问", "提问"),
    Kind.CHATTER: ("随便聊聊", "闲聊", "聊天", "聊聊"),
}
KIND_OF = {word: kind for kind, words in CHOICES.items() for word in words}
_NAMES = "|".join(sorted(KIND_OF, key=len, reverse=True))
_WRONG = re.compile(
    rf"(?:不是|没有?)(?:这个?|那个?)意思|(?:理解|听|登记|识别|归类|分类|判断|会)错(?:意思?)?了?|误解(?:我)?了?|不是(?:要)?(?:{_NAMES}|求助|建议)"
)
_INSTEAD = re.compile(rf"(?:而是|应该是|我是|是|只是)?(?:想|要|来)?(?P<kind>{_NAMES})")
_AROUND = re.compile(r"[\W_]|你|您|我|机器人|五微|都|又|的|了|啊|呀|吧|哦|呢|完全|好像")
LONGEST = 24
MOST_AROUND = 1
UNTAKEN = frozenset({State.OPEN, State.ASSIGNED})


def told(ctx: Context) -> bool:
    """不是这个意思, 理解错了, 不是报修，是咨询: said to us of one's own case that nobody has taken on. False: it is something else."""
    said = ctx.incoming.text
    is_to_us = ctx.is_private or ctx.incoming.is_addressed or ctx.incoming.reply_to_bot
    if not is_to_us or len(said) > LONGEST or _WRONG.search(said) is None:
        return False
    instead = _INSTEAD.search(_WRONG.sub("", said))
    if len(_AROUND.sub("", _INSTEAD.sub("", _WRONG.sub("", said)))) > MOST_AROUND:
        return False
    case = _own_case(ctx)
    earlier = _opened_by(ctx, case) if case is not None else None
    if case is None or earlier is None or case.topic == words.CRISIS or case.siblings or case.state not in UNTAKEN:
        return False
    ctx.received.outcome, ctx.received.case_id = Outcome.JOINED, case.id
    _take_back(ctx, case, earlier)
    if instead is not None:
        _work_as(ctx, earlier, KIND_OF[instead["kind"]])
    else:
        ctx.reply("cases.meant_ask", number=case.number, buttons=_buttons(earlier))
        ctx.ask(STEP, {"message": str(earlier.id)})
    return True


def not_meant(ctx: Context, subject: int) -> None:
    """The button beside undo: the receipt becomes the question what it is."""
    case = listing.reported_by(ctx.session, ctx.person.id, subject)
    receipts.check_undo(case, now=ctx.now)
    earlier = _opened_by(ctx, case)
    if earlier is None:
        raise Refused("cases.ask_old")
    passed_on = _take_back(ctx, case, earlier)
    ctx.answer_press()
    asked, buttons = say("cases.meant_ask", number=case.number), _buttons(earlier)
    receipt = ctx.session.get(outbox.Outbox, case.receipt_id) if case.receipt_id else None
    if receipt is None or passed_on:
        ctx.reply_text(asked, buttons=buttons)
    else:
        ctx.session.flush()
        outbox.edit(ctx.session, receipt, asked, now=ctx.now, buttons=buttons)
    ctx.ask(STEP, {"message": str(earlier.id)})


def _own_case(ctx: Context) -> Case | None:
    if ctx.incoming.reply_to:
        case = opening.case_of_message(ctx.session, ctx.chat.id, ctx.incoming.reply_to)
    else:
        case = opening.latest_case_of(ctx.session, ctx.person.id, ctx.chat.id, now=ctx.now)
    return case if case is not None and case.reporter_id == ctx.person.id else None


def _opened_by(ctx: Context, case: Case) -> inbox.Received | None:
    """The message that opened the case, if it is still kept."""
    ctx.session.flush()
    cause_id = listing.cause_of(ctx.session, case)
    earlier = ctx.session.get(inbox.Received, cause_id) if cause_id else None
    return earlier if earlier is not None and earlier.text and earlier.sender == ctx.sender else None


def _take_back(ctx: Context, case: Case, earlier: inbox.Received) -> bool:
    """It is withdrawn, and its photos wait for what it becomes; or it passes to neighbours (True), with all that belongs to it."""
    passed_on = parting.take_back(ctx.session, case, actor_id=ctx.person.id, now=ctx.now)
    if not passed_on:
        inbox.let_loose(ctx.session, case.id, ctx.chat.id, ctx.sender)
    earlier.outcome = Outcome.ASKED
    return passed_on


def _buttons(earlier: inbox.Received) -> list[list[Press]]:
    return [
        [Press(CHOICES[kind][0], f"cases.meant_{kind}", earlier.id) for kind in row]
        for row in ((Kind.REPORT, Kind.WISH, Kind.COMPLAINT), (Kind.QUESTION, Kind.CHATTER))
    ]


def answered(ctx: Context, question: dialogues.Conversation) -> bool:
    """What it is, in a word. False: something else was said, perhaps the same in better words."""
    kind = KIND_OF.get(ctx.incoming.text.strip(" ，。！!.,是"))
    earlier = ctx.session.get(inbox.Received, int(question.data["message"]))
    if kind is None or earlier is None or earlier.outcome != Outcome.ASKED:
        return False
    dialogues.close(ctx.session, question)
    _work_as(ctx, earlier, kind)
    return True


def meant_report(ctx: Context, subject: int) -> None:
    _meant(ctx, subject, Kind.REPORT)


def meant_wish(ctx: Context, subject: int) -> None:
    _meant(ctx, subject, Kind.WISH)


def meant_complaint(ctx: Context, subject: int) -> None:
    _meant(ctx, subject, Kind.COMPLAINT)


def meant_question(ctx: Context, subject: int) -> None:
    _meant(ctx, subject, Kind.QUESTION)


def meant_chatter(ctx: Context, subject: int) -> None:
    _meant(ctx, subject, Kind.CHATTER)


def _meant(ctx: Context, subject: int, kind: Kind) -> None:
    """One of the buttons under the question."""
    earlier = cases.asked_message(ctx, subject)
    ctx.answer_press()
    text = say("cases.ask_declined") if kind == Kind.CHATTER else say("cases.meant_told", kind=CHOICES[kind][0])
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, text, now=ctx.now)
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is not None and question.step == STEP:
        dialogues.close(ctx.session, question)
    _work_as(ctx, earlier, kind)


def _work_as(ctx: Context, earlier: inbox.Received, kind: Kind) -> None:
    """The earlier message once more, as what it is. Where only the topic can have been wrong, staff find it."""
    understood = inbox.understanding_of(earlier) or ctx.understanding
    earlier.outcome = Outcome.ANSWERED
    topics = understood.topics if kind != understood.kind else ()
    meant = replace(understood, kind=kind, decision=Decision.ACT, urgency=Urgency.NORMAL, topics=topics)
    _learn(ctx, earlier, understood, meant)
    if kind == Kind.CHATTER:
        if ctx.incoming.kind == IncomingKind.MESSAGE:
            ctx.reply("cases.ask_declined")
        return
    cases.take_up(ctx, earlier, meant)
    cases.report(ctx)


def _learn(ctx: Context, earlier: inbox.Received, understood: Understanding, meant: Understanding) -> None:
    if ctx.chat.community_id is not None:
        corrections.meant(
            ctx.session,
            ctx.chat.community_id,
            earlier.text,
            (understood, meant),
            case_id=earlier.case_id,
            by_id=ctx.person.id,
            now=ctx.now,
        )

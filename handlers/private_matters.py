"""What is said in private while a complaint or a dispute is open there: more of it, or another matter, about which its reporter is asked."""

from core.messages import Urgency
from core.texts import say
from domain import dialogues, inbox
from domain.cases import listing, opening, words
from domain.inbox import Outcome
from handlers import cases, neighbours
from handlers.context import Context, Press
from handlers.other_matters import is_outside, sure_topic

STEP = "cases.same"
SAME = frozenset({"是", "是的", "对", "对的", "嗯", "同一件", "同一件事", "是同一件", "是同一件事"})
OTHER = frozenset(
    {"不是", "不是的", "另一件", "另一件事", "是另一件事", "另外一件事", "不是同一件", "不是同一件事", "另外登记"}
)


def is_danger(ctx: Context) -> bool:
    """An emergency waits for no question, and a life for no rule."""
    said = (ctx.understanding, *(part.understanding for part in ctx.parts))
    return any(each.urgency == Urgency.EMERGENCY or each.topic == words.CRISIS for each in said)


def may_be_another(ctx: Context, case: listing.Case) -> bool:
    """Whether it is a complaint or a dispute by itself that need not be this one. To ask does no harm, however sure it is."""
    if ctx.understanding.kind not in words.PRIVATE_KINDS:
        return False
    return is_outside(ctx, case) or sure_topic(ctx.understanding) not in (None, case.topic)


def ask(ctx: Context, case: listing.Case) -> None:
    """Whether it is the same matter; until there is an answer it belongs to none."""
    buttons = [
        [
            Press(say("cases.same_yes"), "cases.same_matter", ctx.received.id),
            Press(say("cases.same_no"), "cases.other_matter", ctx.received.id),
        ]
    ]
    ctx.reply("cases.ask_same", number=case.number, buttons=buttons)
    ctx.received.outcome, ctx.received.case_id = Outcome.ASKED, case.id
    ctx.ask(STEP, {"case": str(case.id), "message": str(ctx.received.id)})


def told(ctx: Context, question: dialogues.Conversation) -> bool:
    """是, or 不是, in words. False: more was said, of which the question tells nothing."""
    said = ctx.incoming.text.strip(" ，。！!.,")
    earlier = ctx.session.get(inbox.Received, int(question.data["message"]))
    if earlier is None or earlier.outcome != Outcome.ASKED or said not in SAME | OTHER:
        return False
    ctx.received.outcome = Outcome.JOINED
    if said in SAME:
        listing.settle_asked(ctx.session, earlier.id, _joined(ctx, earlier), now=ctx.now)
    else:
        listing.settle_asked(ctx.session, earlier.id, say("cases.ask_confirmed"), now=ctx.now)
        _opened(ctx, earlier)
    return True


def same(ctx: Context, subject: int) -> None:
    """The button "是同一件事"."""
    earlier = cases.asked_message(ctx, subject)
    ctx.answer_press()
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, _joined(ctx, earlier), now=ctx.now)


def other(ctx: Context, subject: int) -> None:
    """The button "不是，另外登记"."""
    earlier = cases.asked_message(ctx, subject)
    ctx.answer_press()
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, say("cases.ask_confirmed"), now=ctx.now)
    _opened(ctx, earlier)


def _joined(ctx: Context, earlier: inbox.Received) -> str:
    """The earlier words become more of the case. What is said of that."""
    case = ctx.session.get_one(listing.Case, earlier.case_id)
    cases.join_message(ctx, case, earlier)
    opening.add_note(ctx.session, case, earlier.text, actor_id=ctx.person.id, now=ctx.now, cause_id=earlier.id)
    ctx.ask(cases.DETAILS_STEP, {"case": str(case.id)})
    return say("cases.added", number=case.number)


def _opened(ctx: Context, earlier: inbox.Received) -> None:
    """The earlier words become a matter of their own."""
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is not None and question.step == STEP:
        dialogues.close(ctx.session, question)
    earlier.case_id = None
    cases.take_up(ctx, earlier, inbox.understanding_of(earlier) or ctx.understanding)
    if not neighbours.reported_already(ctx):
        cases.report(ctx)

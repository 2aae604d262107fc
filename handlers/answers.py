"""A question that staff have answered before is answered at once; whoever meant something else still gets the staff."""

from core.clock import in_china
from core.errors import Refused
from core.messages import Decision, Kind, Urgency
from core.texts import say
from domain import inbox
from domain.cases import answers, listing
from domain.inbox import Outcome
from handlers import cases, homes
from handlers.context import Context, Press


def from_kept(ctx: Context) -> bool:
    """Answers from what is kept. False: it is no plain question, or nothing like it has been answered here."""
    understood = ctx.understanding
    is_asked = understood.decision == Decision.ACT or ctx.is_private or ctx.incoming.is_addressed
    is_plain = (
        understood.kind == Kind.QUESTION and understood.urgency == Urgency.NORMAL and not ctx.incoming.attachments
    )
    if not (is_asked and is_plain) or len(homes.may_be_of(ctx)) != 1:
        return False
    assert ctx.chat.community_id is not None
    kept = answers.kept_like(ctx.session, ctx.chat.community_id, ctx.incoming.text, understood.topic)
    if kept is None:
        return False
    on = in_china(kept.at)
    buttons = [[Press(say("answers.button_ask_staff"), "answers.ask_staff", ctx.received.id)]]
    ctx.reply("answers.kept", day=f"{on.year}年{on.month}月{on.day}日", answer=kept.answer, buttons=buttons)
    return True


def ask_staff(ctx: Context, subject: int) -> None:
    """The button under a kept answer: the question becomes a case after all."""
    earlier = ctx.session.get(inbox.Received, subject)
    if earlier is None or not earlier.text:
        raise Refused("cases.ask_old")
    if earlier.sender != ctx.sender:
        raise Refused("cases.not_yours")
    if earlier.outcome != Outcome.ANSWERED:
        raise Refused("cases.press_unknown")
    ctx.answer_press()
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, say("answers.passed_on"), now=ctx.now)
    cases.take_up(ctx, earlier, inbox.understanding_of(earlier) or ctx.understanding)
    cases.report(ctx)

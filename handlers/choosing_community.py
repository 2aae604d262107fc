"""The answer to "which community is it about": the earlier message is worked as if it had been known."""

from core.errors import Refused
from core.messages import Decision, Kind
from core.texts import say
from domain import areas, dialogues, homes, inbox
from domain.cases import listing
from handlers import cases, neighbours, several
from handlers.context import Context
from handlers.homes import STEP

SHORTEST_NAME = 2


def chosen(ctx: Context, subject: int) -> None:
    """A button with a community's name."""
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is None or question.step != STEP:
        raise Refused("cases.ask_old")
    ctx.answer_press()
    name = next((each.name for each in areas.communities(ctx.session) if each.id == subject), "")
    text = say("cases.community_chosen", community=name)
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, text, now=ctx.now)
    _work_there(ctx, question, subject)


def told(ctx: Context, question: dialogues.Conversation) -> bool:
    """The community's name in words. False: something else was said."""
    mine = homes.communities_of(ctx.session, ctx.incoming.channel, ctx.sender, now=ctx.now)
    said = ctx.incoming.text.strip(" ，。！!.,")
    named = [each.id for each in areas.communities(ctx.session) if each.id in mine and said in each.name]
    if len(said) < SHORTEST_NAME or len(named) != 1:
        return False
    _work_there(ctx, question, named[0])
    return True


def _work_there(ctx: Context, question: dialogues.Conversation, community_id: int) -> None:
    earlier = cases.asked_message(ctx, int(question.data["message"]))
    mine = homes.communities_of(ctx.session, ctx.incoming.channel, ctx.sender, now=ctx.now)
    if community_id not in mine:
        raise Refused("cases.ask_old")
    dialogues.close(ctx.session, question)
    ctx.chat.community_id = community_id
    understood, parts = homes.read_there(ctx.session, earlier.text, community_id)
    before = inbox.understanding_of(earlier)
    is_matter = understood.decision == Decision.ACT and understood.kind != Kind.CHATTER
    cases.take_up(ctx, earlier, understood if is_matter or before is None else before)
    if is_matter and parts:
        ctx.parts = parts
        several.report(ctx)
    elif not neighbours.reported_already(ctx):
        cases.report(ctx)

"""Who says that they want to report, complain, propose or wish, and not yet what: they are asked to go on, and their next words are taken so."""

from dataclasses import replace
from datetime import timedelta

from core.messages import Decision, Kind, Urgency
from core.texts import say
from domain import chats, dialogues, inbox
from domain.cases import remarks, words
from handlers import cases, meanings, neighbours, several, taking_back
from handlers.context import Context, Press

STEP = "cases.announced"
# In a group people soon speak of something else.
LIFE_IN_GROUP = timedelta(minutes=10)


def told(ctx: Context) -> bool:
    """我要投诉: how to go on, said once. False: it is something else."""
    if ctx.understanding.decision != Decision.ASK or ctx.is_to_neighbour:
        return False
    kind = remarks.announced(ctx.incoming.text)
    if kind is None:
        return False
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is not None and question.step == meanings.STEP:
        return False  # the answer to what it is: 投诉
    is_invited = not ctx.is_private and question is not None and question.step == STEP
    life = dialogues.LIFE if ctx.is_private else LIFE_IN_GROUP
    data = {"kind": kind.value, "message": str(ctx.received.id)}
    dialogues.ask(ctx.session, ctx.chat.id, ctx.sender, STEP, data=data, now=ctx.now, life=life)
    if not is_invited:
        _invite(ctx, kind)
    return True


def _invite(ctx: Context, kind: Kind) -> None:
    """A complaint goes on where nobody listens."""
    if kind != Kind.COMPLAINT or ctx.is_private:
        ctx.reply(f"cases.announced_{kind.value}")
        return
    chat = chats.private_chat_of(ctx.session, ctx.person.id, prefer=ctx.incoming.channel)
    if chat is not None and chat.channel == ctx.incoming.channel:
        dialogues.ask(ctx.session, chat.id, ctx.sender, STEP, data={"kind": kind.value}, now=ctx.now)
    link = ctx.site.start_link(ctx.chat, f"area_{ctx.chat.area_id or ctx.chat.community_id}")
    buttons = [[Press(say("cases.button_private_tell"), url=link)]] if link else []
    ctx.reply("cases.announced_complaint_in_group", buttons=buttons)


def answered(ctx: Context, question: dialogues.Conversation) -> bool:
    """What it is. False: something else, or no words yet; a photo or a place alone waits for them."""
    if taking_back.sounds_so(ctx):
        dialogues.close(ctx.session, question)
        if ctx.is_private:
            ctx.reply("cases.announced_dropped")
        return ctx.is_private
    understood = ctx.understanding
    says_more = understood.kind != Kind.CHATTER or (ctx.is_private and not remarks.is_spot(ctx.incoming.text))
    if ctx.is_courtesy or ctx.is_to_neighbour or not ctx.incoming.text or not says_more:
        return False
    dialogues.close(ctx.session, question)
    if understood.kind == Kind.QUESTION:
        return False
    announced = Kind(question.data["kind"])
    is_complaint = announced == Kind.COMPLAINT and understood.urgency != Urgency.EMERGENCY
    if understood.kind == Kind.CHATTER or (is_complaint and understood.kind not in words.PRIVATE_KINDS):
        understood = replace(understood, kind=announced)
    ctx.understanding = replace(understood, decision=Decision.ACT)
    if ctx.before is None and "message" in question.data:
        ctx.before = ctx.session.get(inbox.Received, int(question.data["message"]))
    if ctx.parts and not is_complaint:
        several.report(ctx)
    elif not neighbours.reported_already(ctx):
        cases.report(ctx)
    return True

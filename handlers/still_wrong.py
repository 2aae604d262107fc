"""What is still wrong, said after "not satisfied": the next words need no reply mark, in private or, for ten minutes, in the group."""

import re
from collections.abc import Sequence

from core.messages import IncomingKind, Signal
from domain import dialogues
from domain.cases import listing, words
from domain.cases.life import ACTIVE
from domain.inbox import Session
from handlers import follow_ups
from handlers.cases import STILL_WRONG_STEP
from handlers.context import Context
from handlers.other_matters import Near, is_other

# So many characters say something; fewer only sigh, unless they name what is wrong.
SHORTEST = 5
_SIGHS = re.compile(r"[\W_]|[唉哎啊呀吧嘛呢哦哈嗯哼]")


def look_ahead(session: Session, contexts: Sequence[Context]) -> None:
    """Looks up, in one statement, what those who speak in groups were asked there: it tells whether talk can be an answer."""
    speakers = {(ctx.chat.id, ctx.sender) for ctx in contexts if ctx.sender and not ctx.is_private}
    if speakers:
        dialogues.note_open(session, speakers)


def may_tell(ctx: Context) -> bool:
    """Whether a line of a group can be what is still wrong, so that it must be looked up whether somebody waits for it."""
    return (
        ctx.incoming.kind == IncomingKind.MESSAGE
        and not ctx.is_to_neighbour
        and _says_something(ctx)
        and _is_waited_for(ctx)
    )


def _is_waited_for(ctx: Context) -> bool:
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    return question is not None and question.step == STILL_WRONG_STEP


def told(ctx: Context, question: dialogues.Conversation) -> bool:
    """The first words join and are acknowledged; later ones join where they say by themselves that it is wrong. False: something else."""
    case = ctx.session.get(listing.Case, int(question.data["case"]))
    if ctx.is_courtesy or ctx.incoming.reply_to or ctx.is_to_neighbour:
        return False
    if case is None or case.state not in ACTIVE or is_other(ctx, case, Near.WHAT_IS_WRONG):
        dialogues.close(ctx.session, question)
        return False
    is_said_to_us = ctx.is_private or ctx.incoming.is_addressed
    is_first = "heard" not in question.data
    if not (_says_wrong(ctx) or (is_first and (is_said_to_us or _says_something(ctx)))):
        return False
    question.data = {**question.data, "heard": "1"}
    follow_ups.follow_up(ctx, case)
    is_answered = ctx.understanding.signal != Signal.NONE or words.is_urging(ctx.incoming.text)
    if not is_answered and (is_first or is_said_to_us):
        ctx.reply("cases.added", number=case.number)
    return True


def _says_wrong(ctx: Context) -> bool:
    said = ctx.incoming.text
    return ctx.understanding.signal == Signal.STILL_BROKEN or words.is_back(said) or words.is_half(said)


def _says_something(ctx: Context) -> bool:
    return _says_wrong(ctx) or len(_SIGHS.sub("", ctx.incoming.text)) >= SHORTEST

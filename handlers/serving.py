"""By turns with people of staff: somebody asks for one, one has come, one has gone; meanwhile the bot only listens."""

import re

from core.messages import IncomingKind
from domain import people, serving, windows
from domain.cases import listing
from domain.cases.life import ACTIVE
from domain.inbox import Outcome
from handlers import cases
from handlers.context import Context

# 转人工, 我要找人工客服, 能不能转个真人 and the like, and nothing else beside.
ASKING = re.compile(r"(?:转|找|要|换|接)(?:一?[下个])?(?:到)?(?:人工|真人)|^人工(?:客服|服务|坐席)?$")
LONGEST_ASKING = 15
WORDS_OF_THEIRS = frozenset({IncomingKind.MESSAGE, IncomingKind.PRESS})
MOST_LOOKED_AT = 20


def note_word(ctx: Context) -> bool:
    """Where the platform counts what is sent after somebody's word, all of it is free again. True where a person of staff speaks
    with them now: then a message is kept, with their open case if they have one, and nothing is said to it."""
    allowance = ctx.site.allowances.get((ctx.chat.channel, ctx.chat.account))
    if allowance is None or not ctx.is_private or ctx.incoming.kind not in WORDS_OF_THEIRS:
        return False
    window = windows.note_heard(ctx.session, ctx.chat.id, allowance, at=ctx.incoming.sent_at, now=ctx.now)
    # A press answers something of the bot's own; it is no part of their talk.
    if window.served_at is None or ctx.incoming.kind == IncomingKind.PRESS:
        return False
    rows = listing.of_reporter(ctx.session, ctx.person.id, limit=MOST_LOOKED_AT)
    case = next((case for case in rows if case.chat_id == ctx.chat.id and case.state in ACTIVE), None)
    if case is not None:
        cases.join_message(ctx, case, ctx.received)
    return True


def asks_for_somebody(ctx: Context) -> bool:
    text = ctx.incoming.text.strip().rstrip("。！!?？吧")
    return ctx.is_private and len(text) <= LONGEST_ASKING and ASKING.search(text) is not None


def ask(ctx: Context) -> None:
    """A person of staff is fetched, where the platform has any."""
    if (ctx.chat.channel, ctx.chat.account) not in ctx.site.with_servicers:
        ctx.reply("serving.not_here")
        return
    serving.begin(ctx.session, ctx.chat, now=ctx.now)
    ctx.received.outcome = Outcome.ANSWERED


def changed(ctx: Context) -> None:
    """The platform tells that somebody has come, or has gone; in the second case there may be one word to say at once."""
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if ctx.chat.person_id is None and account is not None:
        ctx.chat.person_id = account.person_id
    if ctx.incoming.kind == IncomingKind.TAKEN_OVER:
        windows.hand_over(ctx.session, ctx.chat.id, by=ctx.incoming.payload or "", now=ctx.now)
    elif windows.hand_back(ctx.session, ctx.chat.id, now=ctx.now) == 0 and ctx.incoming.message_id is not None:
        ctx.reply("serving.ended")  # where something was held, that is the one word

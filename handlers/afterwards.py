"""What is said in reply to a case that is over: it is wrong again, something more is asked, or it is too late for this case."""

import re

from core.messages import Decision, Kind, Signal, Urgency
from domain.cases import further, joined, listing, opening, ratings, words, work
from domain.cases.life import ACTIVE, State, Step, may
from handlers import cases
from handlers.context import Context
from handlers.other_matters import TROUBLES, Near, is_other

SHORTEST = 3
LEFT_ALONE = frozenset({Signal.RESOLVED, Signal.THANKS, Signal.WITHDRAWN, Signal.ME_TOO})
_ASKING = re.compile(
    r"[?？]|[吗么呢]\W*$|怎么|怎样|如何|多少|多久|几[点时号天]|什么|哪[里儿个天些]|为啥|啥时|(?P<verb>.)不(?P=verb)|有没有|能不能|可不可以|是不是"
)
_SAYING = re.compile(r"[\u4e00-\u9fffA-Za-z]")


def told(ctx: Context, case: listing.Case) -> bool:
    """Words in reply to a case that is over, by whoever it concerns. False: a matter of its own, a courtesy, or nothing to answer."""
    understood, said = ctx.understanding, ctx.incoming.text
    if case.state in ACTIVE or understood.urgency == Urgency.EMERGENCY or understood.signal in LEFT_ALONE:
        return False
    if (
        understood.topic == words.CRISIS
        or ctx.is_courtesy
        or len(_SAYING.findall(said)) < SHORTEST
        or is_other(ctx, case, Near.WHEN_OVER)
    ):
        return False
    is_back = _is_back(ctx)
    if not (ctx.incoming.reply_to_bot or is_back) or not _is_theirs(ctx, case):
        return False
    is_asked = not is_back and _asks(ctx)
    if case.state == State.WITHDRAWN and understood.decision == Decision.ACT:
        return False
    cases.join_message(ctx, case, ctx.received)
    if case.state == State.WITHDRAWN:
        ctx.reply("cases.over_withdrawn", number=case.number)
    elif is_back and may(case, Step.REOPEN):
        _reopen(ctx, case)
    elif is_asked:
        further.ask(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
        ctx.reply("cases.asked_again", number=case.number)
    else:
        opening.add_note(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
        ctx.reply("cases.over", number=case.number)
    return True


def _reopen(ctx: Context, case: listing.Case) -> None:
    """The same case with its place and, the first time, its worker; what was asked about the work is asked no more."""
    work.press_on(ctx.session, case, ctx.incoming.text, actor_id=ctx.person.id, now=ctx.now)
    ratings.settle(ctx.session, case, now=ctx.now)
    cases.ask_what_is_wrong(ctx, case)
    ctx.reply("cases.reopened_noted", number=case.number)


def _is_back(ctx: Context) -> bool:
    """Whether the words say that something is wrong: again, still, or simply so."""
    understood, said = ctx.understanding, ctx.incoming.text
    if understood.signal == Signal.STILL_BROKEN or words.is_back(said) or words.is_half(said) or words.is_urging(said):
        return True
    return understood.decision == Decision.ACT and understood.kind in TROUBLES


def _asks(ctx: Context) -> bool:
    is_question = ctx.understanding.decision == Decision.ACT and ctx.understanding.kind == Kind.QUESTION
    return is_question or _ASKING.search(ctx.incoming.text) is not None


def _is_theirs(ctx: Context, case: listing.Case) -> bool:
    if case.reporter_id == ctx.person.id:
        return True
    return bool(case.joined) and joined.of_person(ctx.session, case, ctx.person.id) is not None

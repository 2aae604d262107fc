"""The answer to "请问您满意吗？" in words instead of by a button: 满意, 可以了, 不满意."""

from domain.cases import listing, ratings, work
from domain.cases.ratings import RATEABLE
from handlers.cases import ask_what_is_wrong, join_message
from handlers.context import Context


def told(ctx: Context) -> bool:
    """The resident who was asked answers: in reply to the question, or said to us after it. False: it is something else."""
    if not ratings.may_answer(ctx.incoming.text):
        return False
    case = _asked_in_reply(ctx) if ctx.incoming.reply_to else _asked_lately(ctx)
    if case is None or case.state not in RATEABLE or case.reporter_id != ctx.person.id:
        return False
    join_message(ctx, case, ctx.received)
    if ratings.is_dissatisfied(ctx.incoming.text):
        work.rate(ctx.session, case, ctx.person.id, satisfied=False, now=ctx.now)
        ask_what_is_wrong(ctx, case)
        ctx.reply("cases.rated_dissatisfied", number=case.number)
        ratings.settle(ctx.session, case, now=ctx.now)
    else:
        satisfied(ctx, case)
    return True


def satisfied(ctx: Context, case: listing.Case) -> None:
    """Rated and thanked; who is satisfied once more is thanked once more."""
    if not ratings.is_rated(case):
        work.rate(ctx.session, case, ctx.person.id, satisfied=True, now=ctx.now)
    ctx.reply("cases.rated_satisfied", number=case.number)
    ratings.settle(ctx.session, case, now=ctx.now)


def _asked_in_reply(ctx: Context) -> listing.Case | None:
    """The case of the message replied to. 好的 answers only the question itself."""
    if not ctx.incoming.reply_to_bot or ctx.incoming.reply_to is None:
        return None
    row = ratings.message(ctx.session, ctx.chat.id, ctx.incoming.reply_to)
    if row is None or row.case_id is None or not (ratings.asks(row) or _is_plain(ctx)):
        return None
    return ctx.session.get(listing.Case, row.case_id)


def _asked_lately(ctx: Context) -> listing.Case | None:
    """The case of the last question here. 好的 answers only what was asked just now, and in private."""
    if not (ctx.is_private or (ctx.incoming.is_addressed and _is_plain(ctx))):
        return None
    rows = ratings.last_said(ctx.session, ctx.chat.id)
    for row in rows if _is_plain(ctx) else rows[:1]:
        case = ctx.session.get(listing.Case, row.case_id) if row.case_id and ratings.asks(row) else None
        if case is not None and case.reporter_id == ctx.person.id:
            return case
    return None


def _is_plain(ctx: Context) -> bool:
    """Whether the words say by themselves what they are about."""
    return not ratings.is_yes(ctx.incoming.text)

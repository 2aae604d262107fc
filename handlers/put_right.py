"""What a report's next lines put right or complete, without a reply mark: 不是滑梯，是跷跷板; 哎不对，8号楼; 是二单元的."""

from core.messages import Decision, IncomingKind, Signal, Urgency
from domain import people
from domain.cases import opening, remarks, words
from domain.cases.listing import Case
from handlers import cases, follow_ups
from handlers.context import Context


def may_tell(ctx: Context) -> bool:
    """Whether a line can say where something is, or put right what was said, so that it must be looked up of what."""
    said = ctx.incoming.text
    return ctx.incoming.kind == IncomingKind.MESSAGE and (remarks.is_spot(said) or remarks.puts_right(said))


def told(ctx: Context) -> bool:
    """More exactly where, or how it really is: of what its speaker has reported here a moment ago. False: of nothing of theirs."""
    said, understood = ctx.incoming.text, ctx.understanding
    if ctx.incoming.kind != IncomingKind.MESSAGE or ctx.incoming.reply_to or ctx.is_to_neighbour:
        return False
    if understood.decision == Decision.ACT or understood.urgency == Urgency.EMERGENCY:
        return False
    is_right = remarks.puts_right(said)
    if not (is_right or remarks.is_spot(said)) or understood.signal == Signal.WITHDRAWN:
        return False
    case = _own_case(ctx)
    if case is None:
        return False
    if is_right:
        return _put_right(ctx, case)
    return _said_where(ctx, case)


def _own_case(ctx: Context) -> Case | None:
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None:
        return None
    case = opening.latest_case_of(ctx.session, account.person_id, ctx.chat.id, now=ctx.now)
    return case if case is not None and case.kind in opening.KINDS_WITH_PLACE and case.topic != words.CRISIS else None


def _put_right(ctx: Context, case: Case) -> bool:
    if ctx.understanding.places:
        cases.join_message(ctx, case, ctx.received)
        follow_ups.add_place(ctx, case)
        return True
    if not remarks.names_something(ctx.incoming.text) and ctx.understanding.signal != Signal.CORRECTION:
        return False
    cases.join_message(ctx, case, ctx.received)
    said = ctx.incoming.text
    opening.add_note(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    ctx.reply("cases.added", number=case.number)
    return True


def _said_where(ctx: Context, case: Case) -> bool:
    """Behind a place that is known, only what lies in it: 二单元, after 3号楼. Another building is of another matter."""
    said = remarks.spot_said(ctx.incoming.text)
    names_building = any(place.building or place.landmark for place in ctx.understanding.places)
    if said in case.place or (names_building and opening.site_in(case)):
        return False
    known = [each for each in case.place.split() if each not in said]
    cases.join_message(ctx, case, ctx.received)
    follow_ups.add_place(ctx, case, said=" ".join([*known, said])[: opening.LONGEST_PLACE])
    return True

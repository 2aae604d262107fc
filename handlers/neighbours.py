"""Neighbours with the same trouble: "me too", a report of what is reported already, and the way apart again."""

from collections.abc import Sequence
from dataclasses import replace

from core.errors import Refused
from core.messages import Decision, IncomingKind, Kind, Urgency
from core.texts import say
from domain import outbox
from domain.cases import joined, joining, opening, parting, telling, work
from domain.cases.life import State
from domain.cases.listing import Case
from domain.inbox import Session
from handlers import said_again
from handlers.cases import join_first_half, join_message, matter_of, report, take_loose_photos, take_up_asked
from handlers.context import Context


def may_agree(ctx: Context) -> bool:
    """Whether a line of a group says "me too" or speaks for something, so that it must be looked up with what."""
    said = ctx.incoming.text
    if ctx.incoming.kind != IncomingKind.MESSAGE or ctx.is_private:
        return False
    return joining.agrees(said) or joining.backs(said)


def look_ahead(session: Session, contexts: Sequence[Context]) -> None:
    """Looks up, in a statement each, the open cases that the reports of a batch may be the same as or agree with."""
    reports = [
        ctx for ctx in contexts if ctx.understanding.decision == Decision.ACT and ctx.understanding.kind == Kind.REPORT
    ]
    keys = {joining.key_of(session, matter_of(ctx), ctx.chat.community_id) for ctx in reports}
    joining.note_open(session, [key for key in keys if key], now=contexts[0].now)
    joining.note_near(session, [ctx.chat for ctx in contexts if may_agree(ctx)])


def agree(ctx: Context) -> bool:
    """A neighbour's "我家也是", "+1", "我们这栋也停水了", as a reply or right after. False: it is about something else."""
    if not may_agree(ctx):
        return False
    if ctx.incoming.reply_to:
        case = opening.case_of_message(ctx.session, ctx.chat.id, ctx.incoming.reply_to)
        is_ours = case is not None and case.community_id == ctx.chat.community_id  # the group may have moved since
        case = case if case is not None and is_ours and joining.may_agree(case, ctx.understanding) else None
    else:
        case = joining.agreed_with(ctx.session, ctx.chat, ctx.received, ctx.understanding, now=ctx.now)
    if case is None or case.reporter_id == ctx.person.id:
        return False
    if _is_elsewhere(ctx, case):
        _as_their_own(ctx, case)
        return False
    if not joining.is_for(case, ctx.incoming.text):
        return False
    understood = ctx.understanding
    has_own_words = understood.decision == Decision.ACT and understood.kind != Kind.CHATTER
    return _join(ctx, case, has_own_words=has_own_words)


def _as_their_own(ctx: Context, case: Case) -> None:
    """我们29号楼也停了, under a lift of 25号楼: the same trouble, in another building."""
    if case.kind == Kind.REPORT and case.urgency != Urgency.EMERGENCY and ctx.understanding.kind == Kind.CHATTER:
        topics = ((case.topic, 1.0),) if case.topic else ()
        ctx.understanding = replace(ctx.understanding, kind=Kind.REPORT, decision=Decision.ACT, topics=topics)


def confirm(ctx: Context, subject: int) -> None:
    """The button "登记" under the question whether it is a matter: it becomes a case, or joins the one that there is."""
    take_up_asked(ctx, subject)
    if not reported_already(ctx):
        report(ctx)


def _is_elsewhere(ctx: Context, case: Case) -> bool:
    """Whether a building is named that is not the case's."""
    matter = matter_of(ctx)
    site = opening.site_named(ctx.session, matter) if ctx.understanding.places else ""
    return bool(site) and site != opening.site_in(case)


def reported_already(ctx: Context) -> bool:
    """The same thing in other words: it joins what is open. False: it is something new."""
    matter = matter_of(ctx)
    key = joining.key_of(ctx.session, matter, ctx.chat.community_id)
    case = joining.same_thing(ctx.session, matter, key, now=ctx.now) if key else _failing_all_over(ctx, matter)
    return case is not None and _join(ctx, case, has_own_words=True)


def _failing_all_over(ctx: Context, matter: opening.Matter) -> Case | None:
    """Without a place, what takes whole buildings is what was reported here just now."""
    is_pointed_at = matter.topic is not None and joining.points(matter.text)
    if (
        not (matter.topic in joining.WIDE or is_pointed_at)
        or matter.place
        or ctx.is_private
        or matter.urgency == Urgency.EMERGENCY
    ):
        return None
    case = joining.agreed_with(ctx.session, ctx.chat, ctx.received, ctx.understanding, now=ctx.now)
    return case if case is not None and case.topic == matter.topic and case.kind == Kind.REPORT else None


def _join(ctx: Context, case: Case, *, has_own_words: bool) -> bool:
    """Puts the speaker beside the reporter. Whoever agrees right under the receipt sees it there; else a short line says so."""
    join_message(ctx, case, ctx.received)
    join_first_half(ctx, case)
    take_loose_photos(ctx, case)
    row = joining.join(
        ctx.session,
        case,
        ctx.person,
        ctx.received,
        said=ctx.incoming.text,
        place=opening.place_words(ctx.understanding.places),
        has_own_words=has_own_words,
        now=ctx.now,
    )
    if said_again.became_emergency(ctx, case):
        return True
    if row is None:
        said_again.noted(ctx, case)
        return True
    if case.urgency == Urgency.EMERGENCY:
        told = say("cases.card_added", number=case.number, note=ctx.incoming.text)
        telling.to_worker(ctx.session, case, told, now=ctx.now)
    is_under_receipt = case.chat_id == ctx.chat.id and ctx.now - case.opened_at < joined.FRESH and case.receipt_id
    if not row.has_own_words and is_under_receipt:
        return True
    row.told_id = joined.fresh_line(ctx.session, case, ctx.chat, now=ctx.now) or outbox.post(
        ctx.session,
        ctx.chat,
        joined.line(case),
        now=ctx.now,
        buttons=joined.part_buttons(case),
        reply_to=None if ctx.is_private else ctx.incoming.message_id,
        thread=ctx.incoming.chat.thread,
        case_id=case.id,
        cause_id=ctx.received.id,
    )
    return True


def joined_since(ctx: Context, own: Case | None) -> Case | None:
    """What the speaker joined here a moment ago, after they reported `own`."""
    since = max(own.opened_at, ctx.now - opening.FOLLOW_UP) if own is not None else ctx.now - opening.FOLLOW_UP
    row = joined.latest_of(ctx.session, ctx.person.id, ctx.chat.id, since=since)
    return ctx.session.get(Case, row.case_id) if row else None


def part(ctx: Context, subject: int) -> None:
    """The button "不是同一件事"."""
    case = _case(ctx, subject)
    made = parting.part_by_button(ctx.session, case, ctx.person.id, now=ctx.now)
    ctx.answer_press("cases.parted" if made else "cases.parted_only", number=case.number)


def not_done(ctx: Context, subject: int) -> None:
    """The button "还没好", for those who joined and were told that it is done."""
    case = _case(ctx, subject)
    if joined.of_person(ctx.session, case, ctx.person.id) is None:
        raise Refused("cases.not_yours")
    if case.state not in (State.FINISHED, State.CLOSED):
        raise Refused("cases.press_unknown")
    work.press_on(ctx.session, case, say("cases.button_not_done"), actor_id=ctx.person.id, now=ctx.now)
    ctx.answer_press("cases.still_broken_noted", number=case.number)


def _case(ctx: Context, subject: int) -> Case:
    case = ctx.session.get(Case, subject)
    if case is None:
        raise Refused("cases.press_unknown")
    return case

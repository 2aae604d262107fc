"""Several matters in one message: each becomes a case or joins one, one answer names them all, and an edit reaches each."""

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz.fuzz import ratio

from core.messages import Decision, Kind, Urgency
from domain.cases import calls, opening
from domain.cases.life import ACTIVE
from domain.cases.listing import Case
from handlers import cases, follow_ups, neighbours
from handlers.context import Context

# From so alike on, edited words of no or another topic are still about the same matter.
SAME_WORDS = 60


def report(ctx: Context) -> None:
    """What is reported already joins that; the rest is opened. The photos of the message belong to each."""
    if ctx.chat.community_id is None:
        cases.report(ctx)  # where nobody knows yet whose community it is, one thing at a time
        return
    _answer(ctx, [case for case in map(_work, _parts(ctx)) if case])


def edited(ctx: Context, together: Sequence[Case]) -> None:
    """What the message says now goes to the case that it is about, or opens one; whose matter is gone is told so, and stays."""
    parts = _parts(ctx) or [ctx]
    found = _matched(together, parts)
    for case in together:
        if case.id in found:
            follow_ups.edited(parts[found[case.id]], case)
        else:
            _left_out(ctx, case)
    new = [part for number, part in enumerate(parts) if number not in found.values() and _is_matter(part)]
    if ctx.parts:
        _answer(ctx, [case for case in map(_work, new) if case])
    elif new and not neighbours.reported_already(ctx):
        cases.report(ctx)


def _matched(together: Sequence[Case], parts: Sequence[Context]) -> dict[int, int]:
    """The case's key → the number of the part that is about it, by topic before words. A danger is no more of what was none."""
    pairs = sorted(
        (
            part.understanding.topic != case.topic,
            case.state not in ACTIVE,
            -ratio(part.incoming.text, case.text),
            case.id,
            number,
        )
        for number, part in enumerate(parts)
        for case in together
        if part.understanding.urgency != Urgency.EMERGENCY or case.urgency == Urgency.EMERGENCY
    )
    found: dict[int, int] = {}
    for is_other_topic, _, unlike, key, number in pairs:
        is_about_it = not is_other_topic or -unlike >= SAME_WORDS
        if is_about_it and key not in found and number not in found.values():
            found[key] = number
    return found


def _is_matter(part: Context) -> bool:
    return part.understanding.decision == Decision.ACT and part.understanding.kind != Kind.CHATTER


def _left_out(ctx: Context, case: Case) -> None:
    """Said once: the message is kept without words from then on."""
    kept = opening.kept_message(ctx.session, case, ctx.chat.id, ctx.incoming.message_id or "")
    if kept is not None and kept.text:
        kept.text = ""
        opening.leave_out(ctx.session, case, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)


def _answer(ctx: Context, opened: Sequence[Case]) -> None:
    """One receipt for all that was opened."""
    if not opened:
        return
    placed = [case for case in opened if case.kind in opening.KINDS_WITH_PLACE and not case.is_private]
    without_place = sorted(
        (case for case in placed if not case.place), key=lambda case: case.urgency != Urgency.EMERGENCY
    )
    reply_to = None if ctx.is_private else ctx.incoming.message_id
    thread, asks_place = ctx.incoming.chat.thread, bool(without_place)
    if len(opened) == 1:
        opening.post_receipt(
            ctx.session,
            opened[0],
            ctx.chat,
            now=ctx.now,
            reply_to=reply_to,
            thread=thread,
            asks_place=asks_place and opened[0].urgency != Urgency.EMERGENCY,
            start_link=ctx.site.start_link(ctx.chat, f"case_{opened[0].id}") if opened[0].is_private else None,
        )
    else:
        opening.post_receipt_of_several(
            ctx.session, opened, ctx.chat, now=ctx.now, reply_to=reply_to, thread=thread, asks_place=asks_place
        )
    for case in opened:
        calls.push(ctx.session, case, now=ctx.now)
    private = next((case for case in opened if case.is_private), None)
    if without_place:
        ctx.ask(cases.ASK_PLACE_STEP, {"case": str(without_place[0].id)})
    elif private is not None:
        cases.go_on_in_private(ctx, private)


def _parts(ctx: Context) -> list[Context]:
    return [_alone(ctx, number) for number in range(len(ctx.parts))]


def _alone(ctx: Context, number: int) -> Context:
    """The message as if nothing but this matter had been said."""
    part = ctx.parts[number]
    alone = Context(
        session=ctx.session,
        incoming=replace(ctx.incoming, text=part.text),
        chat=ctx.chat,
        now=ctx.now,
        understanding=part.understanding,
        site=ctx.site,
    )
    alone.received = ctx.received
    return alone


def _work(alone: Context) -> Case | None:
    return None if neighbours.reported_already(alone) else cases.open_case(alone)

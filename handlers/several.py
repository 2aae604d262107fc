"""Several matters in one message: each becomes a case or joins one, and one answer names them all."""

from dataclasses import replace

from domain.cases import opening
from domain.cases.listing import Case
from handlers import cases, neighbours
from handlers.context import Context


def report(ctx: Context) -> None:
    """What is reported already joins that; the rest is opened. The photos of the message belong to each."""
    if ctx.chat.community_id is None:
        cases.report(ctx)  # where nobody knows yet whose community it is, one thing at a time
        return
    opened = [case for case in map(_work, (_alone(ctx, number) for number in range(len(ctx.parts)))) if case]
    if not opened:
        return
    without_place = [case for case in opened if case.kind in opening.KINDS_WITH_PLACE and not case.place]
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
            asks_place=asks_place,
            start_link=None,
        )
    else:
        opening.post_receipt_of_several(
            ctx.session, opened, ctx.chat, now=ctx.now, reply_to=reply_to, thread=thread, asks_place=asks_place
        )
    if without_place:
        ctx.ask(cases.ASK_PLACE_STEP, {"case": str(without_place[0].id)})


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

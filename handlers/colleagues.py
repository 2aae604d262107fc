"""Somebody came into the organisation's address book, changed or left: nobody has said anything, and nobody is answered."""

from domain.colleagues import changes
from handlers.context import Context


def changed(ctx: Context) -> None:
    incoming = ctx.incoming
    if incoming.colleague is not None:
        changes.note_change(ctx.session, incoming.channel, incoming.kind, incoming.colleague, now=ctx.now)

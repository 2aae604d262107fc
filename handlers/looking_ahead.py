"""What must be looked up for a message, and for a batch of them together: most lines of a group concern nothing of ours."""

from collections.abc import Sequence, Set

from core.messages import Decision, IncomingKind, Signal
from domain import areas, dialogues, inbox, people
from domain.cases import listing, opening, words
from domain.inbox import Session
from handlers import asked_on, emergencies, meanings, neighbours, put_right, said_again, still_wrong, wishes
from handlers.commands import BIND_WORDS, BY_TEXT
from handlers.context import Context

# One or two messages look up what they need themselves; from here on it is asked for together.
FEWEST_TO_LOOK_AHEAD = 3


def needs_look_up(ctx: Context) -> bool:
    """False for chatter: nothing in the message can concern a case, so nothing has to be looked up for it."""
    incoming, understood = ctx.incoming, ctx.understanding
    return bool(
        incoming.kind != IncomingKind.MESSAGE
        or ctx.is_private
        or incoming.is_addressed
        or understood.decision != Decision.SILENT
        or understood.signal != Signal.NONE
        or understood.places
        or incoming.reply_to
        or incoming.attachments
        or incoming.text in BY_TEXT
        or incoming.text in meanings.KIND_OF
        or incoming.text.startswith(BIND_WORDS)
        or neighbours.may_agree(ctx)
        or words.is_urging(incoming.text)
        or words.is_half(incoming.text)
        or wishes.may_tell(ctx)
        or emergencies.may_tell(ctx)
        or asked_on.may_ask_on(ctx)
        or put_right.may_tell(ctx)
        or said_again.may_point_back(ctx)
        or still_wrong.may_tell(ctx)
    )


def look_ahead(session: Session, contexts: Sequence[Context]) -> None:
    """Looks up, in one statement each, what a batch of messages will ask for: accounts, places, open questions, photos."""
    speaking = [ctx for ctx in contexts if ctx.incoming.sender is not None and ctx.incoming.sender.is_person]
    if len(speaking) < FEWEST_TO_LOOK_AHEAD:
        return
    people.note_accounts(session, {(ctx.incoming.channel, ctx.sender) for ctx in speaking})
    mentions = [place.area_id for ctx in speaking for place in ctx.understanding.places]
    places = {area_id for area_id in (*mentions, *(ctx.chat.area_id for ctx in speaking)) if area_id is not None}
    areas.note_areas(session, places)
    speakers = {(ctx.chat.id, ctx.sender) for ctx in speaking}
    in_private = {(ctx.chat.id, ctx.sender) for ctx in speaking if ctx.is_private}
    if in_private:
        dialogues.note_open(session, in_private)
    inbox.note_loose_photos(session, speakers, now=contexts[0].now)
    accounts = [(ctx, people.account_of(session, ctx.incoming.channel, ctx.sender)) for ctx in speaking]
    opening.note_recent(session, {account.person_id for _, account in accounts if account}, now=contexts[0].now)
    pointing = {account.person_id for ctx, account in accounts if account and said_again.may_be_told(ctx)}
    if pointing:
        listing.note_of_reporters(session, pointing, limit=said_again.MOST_LOOKED_AT)
    neighbours.look_ahead(session, speaking)


def depends_on_earlier(ctx: Context, touched: Set[object]) -> bool:
    """Whether a message can be about what an earlier one of the same batch has left: by the same person here, or by reply,
    album, edit or button."""
    incoming = ctx.incoming
    is_plain = incoming.kind == IncomingKind.MESSAGE and not (incoming.reply_to or incoming.album_id)
    return (ctx.chat.id, ctx.sender) in touched or (bool(touched) and not is_plain)

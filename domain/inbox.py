"""What came in: each message once, with what became of it, and the photos that were sent just before the words."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from sqlalchemy import bindparam, or_, select, update

from core.errors import Refused
from core.ids import BLOCK_STRIDE, new_id
from core.messages import Attachment, AttachmentKind, Bookmark, Incoming, IncomingKind, Understanding
from storage.base import Session
from storage.cases import Case
from storage.messages import ChannelBookmark, Outcome, Received

__all__ = ["Outcome", "Received", "Session"]

# A photo sent this long before the words belongs to them.
PHOTO_BEFORE = timedelta(minutes=3)
LOOSE_PHOTOS = "loose photos"
# The look-ups of every batch, put together once: that costs more than running them.
KNOWN = select(Received.external_id).where(
    Received.channel == bindparam("channel"),
    Received.account == bindparam("account"),
    Received.external_id.in_(bindparam("ids", expanding=True)),
)
LOOSE = (
    select(Received)
    .where(
        # Two lists, not pairs: SQLite has no index for pairs. More than was asked for may come back.
        Received.chat_id.in_(bindparam("chats", expanding=True)),
        Received.sender.in_(bindparam("senders", expanding=True)),
        Received.attachments.is_not(None),
        or_(Received.case_id.is_(None), Received.outcome == Outcome.SUPPOSED),
        Received.sent_at >= bindparam("since", type_=Received.sent_at.type),
    )
    .order_by(Received.id)
)


def unseen(session: Session, incomings: Sequence[Incoming]) -> list[Incoming]:
    """Those that have not been recorded before, each once, in the order given. One statement for each account."""
    by_account: dict[tuple[str, str], set[str]] = defaultdict(set)
    for incoming in incomings:
        by_account[incoming.channel, incoming.account].add(incoming.external_id)
    known: set[tuple[str, str, str]] = set()
    for (channel, account), ids in by_account.items():
        found = session.scalars(KNOWN, {"channel": channel, "account": account, "ids": list(ids)})
        known.update((channel, account, external_id) for external_id in found)
    fresh = []
    for incoming in incomings:
        key = (incoming.channel, incoming.account, incoming.external_id)
        if key not in known:
            known.add(key)
            fresh.append(incoming)
    return fresh


@dataclass(slots=True)
class Arrival:
    """A message that is being worked: what will stand in the inbox, written when it is known what became of it."""

    id: int
    channel: str
    account: str
    external_id: str
    kind: IncomingKind
    chat_id: int | None
    sender: str | None
    message_id: str | None
    album_id: str | None
    text: str
    sent_at: datetime
    received_at: datetime
    attachments: list[dict[str, Any]] | None
    outcome: Outcome = Outcome.SILENT
    case_id: int | None = None
    understanding: dict[str, Any] | None = None


# A message in hand, or one that was written down before.
Noted = Arrival | Received


def arrive(incoming: Incoming, understanding: Understanding | None, *, chat_id: int | None, now: datetime) -> Arrival:
    """A message about to be worked, with why the bot will do what it does."""
    return Arrival(
        id=new_id(),
        channel=incoming.channel,
        account=incoming.account,
        external_id=incoming.external_id,
        kind=incoming.kind,
        chat_id=chat_id,
        sender=incoming.sender.external_id if incoming.sender else None,
        message_id=incoming.message_id,
        album_id=incoming.album_id,
        text=incoming.text,
        sent_at=incoming.sent_at,
        received_at=now,
        attachments=[_file_as_json(item) for item in incoming.attachments] or None,
        understanding=msgspec.to_builtins(understanding) if understanding else None,
    )


def write_down(session: Session, arrival: Arrival) -> None:
    """The message, with what became of it, as a row; it goes out with those of its batch at the next flush."""
    session.leave(Received, **_columns(arrival))


def _columns(arrival: Arrival) -> dict[str, Any]:
    return {name: getattr(arrival, name) for name in Arrival.__slots__}


def understanding_of(row: Received) -> Understanding | None:
    """What was understood of a recorded message."""
    return msgspec.convert(row.understanding, Understanding, strict=False) if row.understanding else None


def _file_as_json(item: Attachment) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "external_id": item.external_id,
        "size": item.size,
        "media_type": item.media_type,
        "name": item.name,
        "fetch_before": item.fetch_before.isoformat() if item.fetch_before else None,
    }


def files_of(row: Noted) -> list[Attachment]:
    """The attachments of a recorded message."""
    return [
        Attachment(
            kind=AttachmentKind(item["kind"]),
            external_id=item["external_id"],
            size=item["size"],
            media_type=item["media_type"],
            name=item["name"],
            fetch_before=datetime.fromisoformat(item["fetch_before"]) if item["fetch_before"] else None,
        )
        for item in row.attachments or []
    ]


def loose_photos(session: Session, chat_id: int, sender: str, *, now: datetime) -> list[Received]:
    """Messages with files that this person sent here just before and that belong to no case yet, or are only supposed to."""
    known = (LOOSE_PHOTOS, chat_id, sender)
    if known not in session.memo:
        note_loose_photos(session, [(chat_id, sender)], now=now)
    rows = cast(list[Received], session.memo[known])
    return [row for row in rows if row.case_id is None or row.outcome == Outcome.SUPPOSED]


def note_loose_photos(session: Session, speakers: Collection[tuple[int, str]], *, now: datetime) -> None:
    """Looks up the loose photos of these (chat, sender) in one statement, for the `loose_photos` that follow."""
    chat_ids, senders = {chat_id for chat_id, _ in speakers}, {sender for _, sender in speakers}
    asked = {"chats": list(chat_ids), "senders": list(senders), "since": now - PHOTO_BEFORE}
    found: dict[tuple[int | None, str | None], list[Received]] = defaultdict(list)
    for row in session.scalars(LOOSE, asked):
        found[row.chat_id, row.sender].append(row)
    for speaker in speakers:
        session.memo[LOOSE_PHOTOS, *speaker] = found.get(speaker, [])


def let_loose(session: Session, case_id: int, chat_id: int, sender: str) -> None:
    """The photos that this person sent about a case that is none wait again for the matter they belong to."""
    theirs = (Received.case_id == case_id, Received.chat_id == chat_id, Received.sender == sender)
    session.flush()
    for row in session.scalars(select(Received).where(*theirs, Received.attachments.is_not(None), Received.text == "")):
        row.case_id = None
    look_again(session, chat_id, sender)


def look_again(session: Session, chat_id: int, sender: str) -> None:
    """This person's loose photos are asked for anew: one may have come since."""
    session.memo.pop((LOOSE_PHOTOS, chat_id, sender), None)


def loose_place(session: Session, said: Noted, chat_id: int, sender: str, *, now: datetime) -> Received | None:
    """The line of this person just before that named a place and nothing else: 3号楼. It belongs to no case yet."""
    since = said.id - int(PHOTO_BEFORE.total_seconds()) * 1000 * BLOCK_STRIDE  # keys grow with the time of arrival
    query = (
        select(Received)
        .where(
            Received.id.between(since, said.id - 1),
            Received.chat_id == chat_id,
            Received.sender == sender,
            Received.outcome == Outcome.SILENT,
            Received.case_id.is_(None),
            Received.understanding.is_not(None),
            Received.sent_at >= now - PHOTO_BEFORE,
        )
        .order_by(Received.id.desc())
        .limit(3)
    )
    found = ((row, understanding_of(row)) for row in session.scalars(query))
    return next((row for row, understood in found if understood and _is_place_alone(row.text, understood)), None)


def _is_place_alone(text: str, understood: Understanding) -> bool:
    named = sum(place.end - place.start for place in understood.places)
    return bool(understood.places) and len(text) <= named + 6


def lines_before(
    session: Session, speakers: Collection[tuple[int, str]], *, now: datetime
) -> dict[tuple[int, str], Received]:
    """What each (chat, sender) said last, if it was just before and nothing has come of it but a question: in one statement for all of them."""
    since = new_id() - int(PHOTO_BEFORE.total_seconds()) * 1000 * BLOCK_STRIDE  # keys grow with the time of arrival
    query = select(Received).where(
        Received.id >= since,
        Received.chat_id.in_({chat_id for chat_id, _ in speakers}),
        Received.sender.in_({sender for _, sender in speakers}),
        Received.kind == IncomingKind.MESSAGE,
    )
    last: dict[tuple[int, str], Received] = {}
    for row in session.scalars(query.order_by(Received.id)):
        last[row.chat_id or 0, row.sender or ""] = row
    return {
        speaker: row
        for speaker, row in last.items()
        if row.outcome in (Outcome.SILENT, Outcome.ASKED)
        and row.case_id is None
        and row.text
        and row.sent_at >= now - PHOTO_BEFORE
    }


def save_bookmark(session: Session, channel: str, account: str, bookmark: Bookmark) -> None:
    """Where the channel goes on reading, in the transaction of what was read."""
    session.merge(ChannelBookmark(channel=channel, account=account, name=bookmark.name, value=bookmark.value))


def bookmarks(session: Session, channel: str) -> dict[str, str]:
    """What a channel has stored. Its account is known only once it has started, and a process has one account a channel."""
    query = select(ChannelBookmark).where(ChannelBookmark.channel == channel)
    return {row.name: row.value for row in session.scalars(query)}


def mark_failed(session: Session, incoming: Incoming, *, error: str, raw: str, now: datetime) -> Received:
    """A message we could not work: its body is kept so that `wuwei replay` can try again."""
    row = Received(**_columns(arrive(incoming, None, chat_id=None, now=now)))
    row.outcome, row.error, row.raw = Outcome.FAILED, error[:500], raw
    session.add(row)
    return row


def forget_failed(session: Session, row_id: int) -> None:
    """Makes room for a message that is worked again; refused when it did not fail, or was worked meanwhile."""
    row = session.get(Received, row_id, with_for_update=True)
    if row is None or row.outcome != Outcome.FAILED:
        raise Refused("messages.not_failed")
    session.delete(row)
    session.flush()


def failed(session: Session) -> Sequence[Received]:
    return session.scalars(select(Received).where(Received.outcome == Outcome.FAILED).order_by(Received.id)).all()


def forget_texts(session: Session, *, before: datetime) -> int:
    """Blanks the texts of messages that became nothing; their keys stay until `forget_keys`. Returns how many."""
    result = session.execute(
        update(Received)
        .where(Received.received_at < before, Received.case_id.is_(None), Received.outcome != Outcome.FAILED)
        .where(
            (Received.text != "")
            | Received.understanding.is_not(None)
            | Received.attachments.is_not(None)
            | Received.sender.is_not(None)
        )
        .values(text="", understanding=None, attachments=None, sender=None)
    )
    return int(getattr(result, "rowcount", 0))


def recorded(session: Session, incoming: Incoming) -> Received | None:
    """The row of a message, if it was recorded."""
    query = select(Received).where(
        Received.channel == incoming.channel,
        Received.account == incoming.account,
        Received.external_id == incoming.external_id,
    )
    return session.scalars(query).one_or_none()


def of_message(session: Session, chat_id: int, message_id: str) -> Received | None:
    """What is recorded of a message: its first version."""
    query = select(Received).where(Received.chat_id == chat_id, Received.message_id == message_id).order_by(Received.id)
    return session.scalars(query.limit(1)).one_or_none()


def case_number(session: Session, row: Received) -> str | None:
    """The number of the case that a message became or joined."""
    return session.scalar(select(Case.number).where(Case.id == row.case_id)) if row.case_id else None

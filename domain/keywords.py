"""Words that staff add to what the bot knows: proposed, tried on what was said lately, taken up, taken back. They count everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.errors import Refused
from core.ids import new_id
from core.messages import ChatKind, Decision, IncomingKind, Kind, Understanding, Urgency, Utterance
from core.privacy import mask_for_group
from domain.places import PlaceBook, Places
from nlp.teaching import Taught, is_readable, teach, trying
from nlp.understand import understand
from storage.base import Session
from storage.chats import Chat
from storage.messages import Received, SystemMark
from storage.understanding import Keyword

__all__ = ["SILENCE", "Change", "Effect", "Keyword", "WordBook"]

MARK = "words_changed"
SILENCE, URGENT = "silence", "urgent"
LONGEST_WORD = 30
WEIGHTS = (1.0, 2.0, 4.0, 8.0, 12.0)
MOST_TRIED = 500
MOST_CHANGES = 100


class WordBook:
    """The words that count in this process; they are read anew when another process has changed them."""

    def __init__(self) -> None:
        self._version = ""

    def refresh(self, session: Session, version: str) -> None:
        """`version` is the mark of this name as it stands now."""
        if version != self._version:
            teach([_taught(row) for row in in_use(session)])
            self._version = version


@dataclass(frozen=True, slots=True)
class Change:
    """A message that would be understood otherwise. Its words as a group may read them."""

    text: str
    before: Understanding
    after: Understanding


@dataclass(frozen=True, slots=True)
class Effect:
    """What a word would change among so many messages that are still kept."""

    tried: int
    changes: list[Change]


def _taught(row: Keyword) -> Taught:
    return Taught(row.word, row.speaks_for, row.weight)


def in_use(session: Session) -> Sequence[Keyword]:
    """The words that count, oldest first."""
    query = select(Keyword).where(Keyword.taken_up_at.is_not(None), Keyword.taken_back_at.is_(None))
    return session.scalars(query.order_by(Keyword.id)).all()


def newest(session: Session, *, limit: int = 100) -> Sequence[Keyword]:
    """Proposed, in use and taken back, newest first."""
    return session.scalars(select(Keyword).order_by(Keyword.id.desc()).limit(limit)).all()


def keyword(session: Session, keyword_id: int) -> Keyword:
    row = session.get(Keyword, keyword_id)
    if row is None:
        raise Refused("understanding.not_found")
    return row


def propose(
    session: Session, word: str, speaks_for: str, weight: float, *, community_id: int, by_id: int, now: datetime
) -> Keyword:
    """Writes a word down; it counts for nothing yet. One that the tables cannot take is refused."""
    word = word.strip()
    if not word or len(word) > LONGEST_WORD or not is_readable(Taught(word, speaks_for, weight)):
        raise Refused("understanding.word_unreadable")
    if weight not in WEIGHTS:
        raise Refused("understanding.weight_wrong")
    row = Keyword(
        id=new_id(),
        community_id=community_id,
        word=word,
        speaks_for=speaks_for,
        weight=weight,
        by_id=by_id,
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def effect(session: Session, row: Keyword, community_id: int) -> Effect:
    """Which of the messages kept of a community's groups would be understood otherwise with this word, and how. It may have been
    proposed elsewhere; what is shown is the asker's own, and never what somebody said in private."""
    rest = [_taught(other) for other in in_use(session) if other.id != row.id]
    places = PlaceBook().of(session, community_id)
    said = _kept_texts(session, community_id)
    with trying(rest):
        before = [_read(text, places) for text in said]
    with trying([*rest, _taught(row)]):
        after = [_read(text, places) for text in said]
    changes = [
        Change(mask_for_group(text), one, other)
        for text, one, other in zip(said, before, after, strict=True)
        if _gist(one) != _gist(other)
    ]
    return Effect(len(said), changes[:MOST_CHANGES])


def _kept_texts(session: Session, community_id: int) -> list[str]:
    chats = select(Chat.id).where(Chat.community_id == community_id, Chat.kind == ChatKind.GROUP)
    query = (
        select(Received.text)
        .where(Received.chat_id.in_(chats), Received.kind == IncomingKind.MESSAGE, Received.text != "")
        .order_by(Received.id.desc())
        .limit(MOST_TRIED)
    )
    return list(dict.fromkeys(session.scalars(query)))


def _read(text: str, places: Places) -> Understanding:
    return understand(Utterance(text), places)


def _gist(understood: Understanding) -> tuple[Decision, Kind, str | None, Urgency]:
    return understood.decision, understood.kind, understood.topic, understood.urgency


def take_up(session: Session, row: Keyword, *, now: datetime) -> None:
    """It counts from now on, in all processes."""
    if row.taken_up_at is not None and row.taken_back_at is None:
        raise Refused("understanding.in_use")
    row.taken_up_at, row.taken_back_at = now, None
    _note_changed(session)


def take_back(session: Session, row: Keyword, *, now: datetime) -> None:
    """It counts no longer."""
    if row.taken_up_at is None or row.taken_back_at is not None:
        raise Refused("understanding.not_in_use")
    row.taken_back_at = now
    _note_changed(session)


def _note_changed(session: Session) -> None:
    session.flush()
    session.merge(SystemMark(name=MARK, value=str(new_id())))

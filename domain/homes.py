"""Which community a private message is about: its speaker's, or of several the one whose places it names."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import or_, select, union

from core.clock import in_china
from core.ids import BLOCK_STRIDE, new_id
from core.messages import ChatKind, Incoming, Understanding, Utterance
from domain import people
from domain.cases.splitting import Part, heard
from domain.places import PlaceBook, Places
from nlp.normalise import normalise
from storage.areas import Community
from storage.base import Session
from storage.cases import Case, CaseReporter
from storage.chats import Chat
from storage.messages import Received
from storage.people import Duty, Residence

# Who is known by nothing else belongs where they spoke in a group this long ago.
SPOKE_LATELY = timedelta(days=3)
ALL = "all communities"


def communities_of(session: Session, channel: str, sender: str, *, now: datetime) -> Sequence[int]:
    """Where somebody lives, works, has reported or joined a matter; else where they spoke last in a group; or the only one there is."""
    every = _all(session)
    if len(every) < 2:
        return every
    account = people.account_of(session, channel, sender)
    found = _known_by(session, account.person_id, now) if account is not None else []
    return found or _spoke_in(session, channel, sender)


def _all(session: Session) -> Sequence[int]:
    if (ALL,) not in session.memo:
        session.memo[(ALL,)] = session.scalars(select(Community.id).order_by(Community.id)).all()
    return cast(Sequence[int], session.memo[(ALL,)])


def _known_by(session: Session, person_id: int, now: datetime) -> list[int]:
    today = in_china(now).date()
    on_duty = (Duty.from_on <= today, or_(Duty.until_on.is_(None), Duty.until_on >= today))
    ways = union(
        select(Residence.community_id).where(Residence.person_id == person_id),
        select(Duty.community_id).where(Duty.person_id == person_id, *on_duty),
        select(Case.community_id).where(Case.reporter_id == person_id),
        select(CaseReporter.community_id).where(CaseReporter.person_id == person_id),
    )
    return sorted(session.scalars(ways))


def _spoke_in(session: Session, channel: str, sender: str) -> list[int]:
    since = new_id() - int(SPOKE_LATELY.total_seconds()) * 1000 * BLOCK_STRIDE  # keys grow with the time of arrival
    query = (
        select(Chat.community_id)
        .join(Received, Received.chat_id == Chat.id)
        .where(Received.id >= since, Received.channel == channel, Received.sender == sender)
        .where(Chat.kind == ChatKind.GROUP, Chat.community_id.is_not(None))
        .order_by(Received.id.desc())
        .limit(1)
    )
    return [found for found in session.scalars(query) if found is not None]


def places_for(session: Session, chat: Chat, incoming: Incoming, book: PlaceBook, *, now: datetime) -> Places:
    """The matcher for what was said. A private chat whose community is not known, or has no such place, becomes that of the speaker's
    community that it must mean."""
    here = book.of(session, chat.community_id, near=chat.area_id)
    if chat.kind != ChatKind.PRIVATE or incoming.sender is None:
        return here
    if chat.community_id is not None and not _is_nowhere(here, incoming.text):
        return here
    mine = communities_of(session, incoming.channel, incoming.sender.external_id, now=now)
    if len(mine) > 1:
        mine = [each for each in mine if _is_there(book.of(session, each), incoming.text)]
    elif chat.community_id is not None:
        return here
    if len(mine) != 1 or mine[0] == chat.community_id:
        return here
    chat.community_id, chat.area_id = mine[0], None
    return book.of(session, chat.community_id)


def _is_nowhere(places: Places, text: str) -> bool:
    """Whether it names places, and none that is there."""
    found = places.find(normalise(text))
    return bool(found) and not any(mention.area_id for mention in found)


def _is_there(places: Places, text: str) -> bool:
    return any(mention.area_id for mention in places.find(normalise(text)))


def read_there(session: Session, said: str, community_id: int) -> tuple[Understanding, tuple[Part, ...]]:
    """What was said in private before anybody knew of which community: with its places."""
    utterance, places = Utterance(said, is_private=True, is_addressed=True), PlaceBook().of(session, community_id)
    return heard(utterance, places)

"""What staff write of a case, as the chat it came from may read it: in a group nobody's name, telephone or door."""

from sqlalchemy import ColumnElement, func, literal, or_, select, union

from core.privacy import mask_talk
from domain.chats import ChatPurpose
from nlp.names import SHORTEST as SHORTEST_NAME
from nlp.names import mask_names
from storage.areas import Area
from storage.base import Session
from storage.cases import Case, CaseReporter
from storage.chats import Chat
from storage.people import Person, Residence


def for_group(session: Session, case: Case, text: str) -> str:
    """The words without names of people, numbers and doors."""
    return mask_talk(mask_names(text, known=_names_in(session, case, text)))


def _names_in(session: Session, case: Case, text: str) -> list[str]:
    """Which names of the community's residents, and of those whose case it is, stand in the text. Without a register nobody would
    take 与王小雨重复 for a name."""
    here = select(Area.id).where(Area.community_id == case.community_id)
    residents = select(Person.name).join(Residence, Residence.person_id == Person.id).where(Residence.area_id.in_(here))
    joined = select(CaseReporter.person_id).where(CaseReporter.case_id == case.id)
    theirs = select(Person.name).where(or_(Person.id == case.reporter_id, Person.id.in_(joined)))
    known = union(
        *(query.where(func.length(Person.name) >= SHORTEST_NAME, _stands_in(text)) for query in (residents, theirs))
    )
    return list(session.scalars(known))


def _stands_in(text: str) -> ColumnElement[bool]:
    return literal(text).contains(Person.name)


def as_shown(session: Session, case: Case, text: str) -> str:
    """The words as they reach whoever reported the case: untouched where that is in private."""
    chat = session.get(Chat, case.chat_id) if case.chat_id else None
    is_group = chat is not None and chat.purpose != ChatPurpose.PRIVATE and not case.is_private
    return for_group(session, case, text) if is_group else text


def hides(session: Session, case: Case, text: str) -> bool:
    """Whether the group is shown less than was written."""
    return as_shown(session, case, text) != text

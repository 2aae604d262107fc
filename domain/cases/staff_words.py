"""What staff write of a case, as the chat it came from may read it: in a group nobody's name, telephone or door."""

from core.privacy import mask_talk
from domain.chats import ChatPurpose
from nlp.names import mask_names
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat


def for_group(text: str) -> str:
    """The words without names of people, numbers and doors."""
    return mask_talk(mask_names(text))


def as_shown(session: Session, case: Case, text: str) -> str:
    """The words as they reach whoever reported the case: untouched where that is in private."""
    chat = session.get(Chat, case.chat_id) if case.chat_id else None
    is_group = chat is not None and chat.purpose != ChatPurpose.PRIVATE and not case.is_private
    return for_group(text) if is_group else text


def hides(session: Session, case: Case, text: str) -> bool:
    """Whether the group is shown less than was written."""
    return as_shown(session, case, text) != text

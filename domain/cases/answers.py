"""Answers that staff have given once and that serve again: kept, found for a like question, and taken away."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from rapidfuzz.fuzz import ratio
from sqlalchemy import select

from core.errors import Refused
from core.privacy import mask_for_group
from domain.cases import work
from nlp.names import mask_names
from storage.base import Session
from storage.cases import Case, KeptAnswer
from storage.people import Account, Person

__all__ = ["KeptAnswer", "answer", "kept_like", "of_community", "remove"]

# Of a community's kept answers about one topic, the newest are looked at.
MOST_COMPARED = 300
SHORTEST_QUESTION = 4
# Out of 100. What is asked differs in a word or two; a wrong answer is worse than none.
ALIKE, ALIKE_IN_OTHER_ORDER = 90, 96
STARRED = "*"
POLITE = re.compile(
    r"[\W_]|@?五微|请问|麻烦问|问一下|咨询一下|想咨询|想问|一下|大家好|你好|您好|啊|呀|呢|吗|吧|嘛|的|了|谢谢"
)
WAYS = re.compile(r"(?:怎么|如何|怎样|咋)(?:办理|申请|申领|弄|办)?")
# A question about somebody's own affairs has an answer about somebody's own affairs.
PERSONAL = re.compile(
    r"我|俺|咱|他|她|本人|爸|妈|爷|奶|老伴|孩子|儿子|女儿|老公|老婆|\d+\s*[号栋幢#]|\d{5,}|[师先女]生|阿姨|大爷"
)
ABOUT_SOMEBODY = re.compile(
    r"[您你](?:家|父|母|爸|妈|爱人|孩子|儿|女|老伴|本人|的(?:申请|情况|事|名额|名字|补贴))|已(?:为|给)[您你]"
)


def answer(session: Session, case: Case, person: Person, text: str, *, now: datetime) -> None:
    """Staff answer a question: it goes back to the resident and is kept for next time, without names and numbers."""
    if len(text.strip()) < work.SHORTEST_REASON:
        raise Refused("cases.need_answer")
    known = _names_of_reporter(session, case)
    session.add(
        KeptAnswer(
            community_id=case.community_id,
            case_id=case.id,
            question=masked(case.text, known=known),
            answer=masked(text.strip(), known=known),
            topic=case.topic,
            by_id=person.id,
            at=now,
        )
    )
    work.finish(session, case, person, note=text, now=now)


def _names_of_reporter(session: Session, case: Case) -> list[str]:
    """What whoever asked is called, by us and in their chats."""
    if case.reporter_id is None:
        return []
    names = [session.get_one(Person, case.reporter_id).name]
    names += session.scalars(select(Account.name).where(Account.person_id == case.reporter_id))
    return [name for name in names if name]


def masked(text: str, *, known: Collection[str] = ()) -> str:
    """A text as it may be kept longer than its matter: no number, no door, nobody's name."""
    return mask_names(mask_for_group(text), known=known)


def kept_like(session: Session, community_id: int, question: str, topic: str | None) -> KeptAnswer | None:
    """The newest answer to nearly the same question, of the same topic. Never one that is about a person, or for one."""
    asked = _plain(question)
    if topic is None or len(asked) < SHORTEST_QUESTION or _is_personal(question):
        return None
    query = select(KeptAnswer).where(KeptAnswer.community_id == community_id, KeptAnswer.topic == topic)
    for kept in session.scalars(query.order_by(KeptAnswer.id.desc()).limit(MOST_COMPARED)):
        if _are_alike(asked, _plain(kept.question)) and not _is_personal(kept.question) and _may_be_quoted(kept.answer):
            return kept
    return None


def of_community(session: Session, community_id: int, *, limit: int) -> Sequence[KeptAnswer]:
    """What is kept, newest first."""
    query = select(KeptAnswer).where(KeptAnswer.community_id == community_id)
    return session.scalars(query.order_by(KeptAnswer.id.desc()).limit(limit)).all()


def remove(session: Session, community_id: int, answer_id: int) -> None:
    """This answer serves no more; the case that it was given in keeps it. One of another community is refused like none."""
    kept = session.get(KeptAnswer, answer_id)
    if kept is None or kept.community_id != community_id:
        raise Refused("answers.not_found")
    session.delete(kept)
    session.flush()


def _plain(question: str) -> str:
    """What is asked, without how politely; all ways of asking how are one."""
    return WAYS.sub("怎么办", POLITE.sub("", question))


def _are_alike(one: str, other: str) -> bool:
    if ratio(one, other) >= ALIKE:
        return True
    return ratio("".join(sorted(one)), "".join(sorted(other))) >= ALIKE_IN_OTHER_ORDER


def _is_personal(question: str) -> bool:
    return PERSONAL.search(question) is not None or not _names_nobody(question)


def _may_be_quoted(text: str) -> bool:
    return ABOUT_SOMEBODY.search(text) is None and _names_nobody(text)


def _names_nobody(text: str) -> bool:
    """Neither a name nor a number stands in it, nor the stars where one stood."""
    return STARRED not in text and masked(text) == text

"""Whoever is erased takes their words along: at once, or when the matter that others still work on is over."""

from datetime import datetime

import pytest
from sqlalchemy import select

from core.config import KeepSettings
from core.messages import Kind
from domain import dialogues, files, outbox, retention
from domain.cases import answers, joining, opening, parting, work
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, KeptAnswer
from storage.messages import File, Outbox, OutboxState, Received
from storage.people import Person, Role
from tests import builders
from tests.builders import Place

SAID = "3号楼502王小明家门口漏水"


@pytest.fixture
def place(session: Session) -> Place:
    return builders.community(session)


def spoken(session: Session, case: Case, person: Person, text: str, now: datetime) -> Received:
    """A message of the person's own private chat that belongs to the case."""
    chat = builders.private_chat(session, person, now)
    row = Received(
        channel=chat.channel,
        account=chat.account,
        external_id=f"m{chat.id}",
        kind="message",
        chat_id=chat.id,
        sender=chat.external_id,
        message_id="1",
        text=text,
        sent_at=now,
        received_at=now,
        case_id=case.id,
    )
    session.add(row)
    session.flush()
    opening.keep_message(session, case, row)
    return row


def words_left(session: Session, case: Case) -> list[str]:
    """All that still stands of what was said about a case."""
    session.flush()
    messages = session.scalars(select(CaseMessage.text).where(CaseMessage.case_id == case.id))
    notes = session.scalars(select(CaseEvent.note).where(CaseEvent.case_id == case.id))
    return [text for text in (case.text, case.place, *messages, *notes) if text]


def test_open_matter_keeps_its_words_until_it_is_over(session: Session, place: Place, now: datetime) -> None:
    reporter = builders.person(session, "李叔")
    case = builders.case(session, place, now, text=SAID, reporter=reporter)
    said = spoken(session, case, reporter, SAID, now)
    chat = builders.group(session, place, now)
    key = outbox.post(session, chat, f"内容：{SAID}", now=now, case_id=case.id)
    session.flush()
    session.get_one(Outbox, key).state = OutboxState.SENT
    photo = File(
        channel="x", account="y", kind="photo", external_id="z", due_at=now, received_id=said.id, case_id=case.id
    )
    session.add(photo)
    retention.forget_person(session, reporter, now=now)
    assert words_left(session, case) == [SAID, "3号楼门口", SAID]
    assert len(files.of_case(session, case.id)) == 1

    work.finish(session, case, builders.person(session, "周敏"), note="修好了", now=now)
    case.closed_at = now
    assert retention.forget(session, now=now, keep=KeepSettings())["cases"] == 1
    assert words_left(session, case) == []
    assert (files.of_case(session, case.id), session.get_one(Outbox, key).text) == ([], "")
    assert retention.forget(session, now=now, keep=KeepSettings())["cases"] == 0


def test_words_of_who_left_it_to_others_go_when_it_is_over(session: Session, place: Place, now: datetime) -> None:
    reporter, neighbour = builders.person(session, "李叔"), builders.person(session, "王阿姨")
    case = builders.case(session, place, now, text=SAID, reporter=reporter)
    agreed = spoken(session, case, neighbour, "我家也是", now)
    joining.join(session, case, neighbour, agreed, said="我家也是", place="", has_own_words=False, now=now)
    assert parting.take_back(session, case, actor_id=reporter.id, now=now)
    retention.forget_person(session, reporter, now=now)
    assert (case.text, case.reporter_id) == (SAID, neighbour.id)
    case.state, case.closed_at = "closed", now
    retention.forget(session, now=now, keep=KeepSettings())
    assert words_left(session, case) == ["3号楼门口", "我家也是", "我家也是"]


def test_own_words_of_who_took_it_over_stay(session: Session, place: Place, now: datetime) -> None:
    reporter, neighbour = builders.person(session, "李叔"), builders.person(session, "王阿姨")
    case = builders.case(session, place, now, text=SAID, reporter=reporter)
    own = spoken(session, case, neighbour, "3号楼5楼漏水", now)
    joining.join(session, case, neighbour, own, said=own.text, place="", has_own_words=True, now=now)
    assert parting.take_back(session, case, actor_id=reporter.id, now=now)
    case.state, case.closed_at = "closed", now
    retention.forget_person(session, reporter, now=now)
    assert words_left(session, case) == ["3号楼5楼漏水", "3号楼门口", "3号楼5楼漏水", "3号楼5楼漏水"]


def kept_of(session: Session, place: Place, now: datetime, asked: str, said: str) -> tuple[Case, Person]:
    asker = builders.person(session, "开心果")
    case = builders.case(session, place, now, kind=Kind.QUESTION, topic="elder_allowance", text=asked, reporter=asker)
    answers.answer(session, case, builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id), said, now=now)
    session.flush()
    return case, asker


def test_kept_answer_names_nobody(session: Session, place: Place, now: datetime) -> None:
    kept_of(session, place, now, "我是开心果，王小明的高龄补贴怎么办，13812345678", "王小明的已经批了，开心果请放心")
    (row,) = session.scalars(select(KeptAnswer))
    assert (row.question, row.answer) == (
        "我是开**，王**的高龄补贴怎么办，138******78",
        "王**的已经批了，开**请放心",
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [("高龄补贴怎么办", "请找王建国办理"), ("王小明高龄补贴怎么办", "带身份证来"), ("高龄补贴怎么办", "电话 62345678")],
)
def test_answer_that_names_somebody_is_not_quoted(
    session: Session, place: Place, now: datetime, asked: str, said: str
) -> None:
    kept_of(session, place, now, asked, said)
    assert answers.kept_like(session, place.id, asked, "elder_allowance") is None
    assert answers.kept_like(session, place.id, "高龄补贴怎么办", "elder_allowance") is None


def test_kept_answer_goes_with_whoever_asked(session: Session, place: Place, now: datetime) -> None:
    _, asker = kept_of(session, place, now, "高龄补贴怎么办", "带身份证来")
    kept_of(session, place, now, "高龄补贴怎么领", "到大厅来")
    retention.forget_person(session, asker, now=now)
    assert session.scalars(select(KeptAnswer.question)).all() == ["高龄补贴怎么领"]


def test_question_asked_in_chat_goes_with_whoever_was_asked(session: Session, place: Place, now: datetime) -> None:
    reporter = builders.person(session, "李叔")
    chat = builders.private_chat(session, reporter, now)
    dialogues.ask(session, chat.id, chat.external_id, "cases.place", data={"case": "1"}, now=now)
    retention.forget_person(session, reporter, now=now)
    assert dialogues.open_question(session, chat.id, chat.external_id, now=now) is None

"""Open questions: one for each person in each chat, for half an hour."""

from datetime import datetime, timedelta

import pytest

from domain import dialogues
from storage.base import Session
from storage.chats import Chat, Conversation
from storage.database import Database
from tests import builders


@pytest.fixture
def chat(session: Session, now: datetime) -> Chat:
    return builders.group(session, builders.community(session), now)


def ask(session: Session, chat: Chat, now: datetime, *, step: str = "cases.place", sender: str = "7") -> None:
    dialogues.ask(session, chat.id, sender, step, data={"case": "5"}, now=now)
    session.flush()


def step_of(session: Session, chat: Chat, at: datetime, sender: str = "7") -> str | None:
    session.memo.clear()
    question = dialogues.open_question(session, chat.id, sender, now=at)
    return question.step if question else None


def test_question_is_open_for_who_was_asked_for_half_an_hour(session: Session, chat: Chat, now: datetime) -> None:
    ask(session, chat, now)
    moments = [now, now + timedelta(minutes=29), now + timedelta(minutes=30)]
    assert [step_of(session, chat, at) for at in moments] == ["cases.place", "cases.place", None]
    assert step_of(session, chat, now, "8") is None


def test_newer_question_takes_the_place_of_the_older(session: Session, chat: Chat, now: datetime) -> None:
    ask(session, chat, now)
    ask(session, chat, now, step="tasks.proof")
    assert (step_of(session, chat, now), session.query(Conversation).count()) == ("tasks.proof", 1)


def test_closed_question_is_gone(session: Session, chat: Chat, now: datetime) -> None:
    ask(session, chat, now)
    question = dialogues.open_question(session, chat.id, "7", now=now)
    assert question is not None
    dialogues.close(session, question)
    assert dialogues.open_question(session, chat.id, "7", now=now) is None
    session.flush()
    assert step_of(session, chat, now) is None
    ask(session, chat, now)
    assert step_of(session, chat, now) == "cases.place"


def test_question_outlives_its_transaction(database: Database, now: datetime) -> None:
    with database.writing() as session:
        made = builders.group(session, builders.community(session), now)
        ask(session, made, now)
    with database.reading() as session:
        assert step_of(session, made, now) == "cases.place"


def test_questions_looked_up_together_are_those_asked(session: Session, chat: Chat, now: datetime) -> None:
    ask(session, chat, now)
    session.memo.clear()
    dialogues.note_open(session, [(chat.id, "7"), (chat.id, "8")])
    found = [dialogues.open_question(session, chat.id, sender, now=now) for sender in ("7", "8")]
    assert [question.step if question else None for question in found] == ["cases.place", None]


def test_expired_questions_are_forgotten(session: Session, chat: Chat, now: datetime) -> None:
    ask(session, chat, now)
    ask(session, chat, now + timedelta(minutes=10), sender="8")
    dialogues.forget_expired(session, now=now + timedelta(minutes=30))
    assert [row.sender for row in session.query(Conversation)] == ["8"]

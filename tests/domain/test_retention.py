"""What is kept long enough is forgotten, figures and open matters stay; a person who asks is forgotten at once."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from core.config import KeepSettings
from core.ids import new_id
from core.messages import ChatKind
from domain import retention
from storage.access import SignInLink, WebSession
from storage.areas import Area, Community
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, KeptAnswer
from storage.chats import Chat, ChatState, Conversation
from storage.messages import File, FileState, Outbox, OutboxState, Outcome, Received
from storage.people import Account, Duty, Person, PrivateChat, Role
from storage.reminders import Reminder

KEEP = KeepSettings(chatter_text_days=7, message_key_days=14, sent_days=90, closed_case_days=730)
NOTHING = {"texts": 0, "keys": 0, "failed": 0, "sent": 0, "cases": 0, "leftovers": 0}
SECRET = "李大妈说 3栋502 的王先生 13812345678"


class World:
    """A community with a group, and a maker for each kind of row that is forgotten some day."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self.community = new_id()
        session.add(
            Area(
                id=self.community,
                community_id=self.community,
                level="community",
                code="HX",
                name="和谐里社区",
                path=f"/{self.community}/",
            )
        )
        session.flush()
        session.add(Community(id=self.community, name="和谐里社区"))
        session.flush()
        self.group = self.chat("-100", ChatKind.GROUP)

    def chat(self, external_id: str, kind: ChatKind, person: Person | None = None) -> Chat:
        chat = Chat(
            id=new_id(),
            channel="telegram",
            account="1",
            external_id=external_id,
            kind=kind,
            state=ChatState.BOUND,
            community_id=self.community,
            person_id=person.id if person else None,
            created_at=self.now,
        )
        self.session.add(chat)
        self.session.flush()
        return chat

    def received(self, days: int, outcome: Outcome = Outcome.SILENT, **columns: object) -> Received:
        key = new_id()
        at = self.now - timedelta(days=days)
        values = {"channel": "telegram", "account": "1", "kind": "message", "chat_id": self.group.id, "sender": "77"}
        row = Received(
            **{"id": key, "external_id": str(key), "text": SECRET, "sent_at": at, "received_at": at, "outcome": outcome}
            | values
            | columns
        )
        self.session.add(row)
        self.session.flush()
        return row

    def person(self, name: str = "王小雨") -> Person:
        person = Person(id=new_id(), name=name, created_at=self.now)
        self.session.add(person)
        self.session.flush()
        return person

    def case(self, closed_days: int | None, **columns: object) -> Case:
        case = Case(
            **{
                "id": new_id(),
                "community_id": self.community,
                "number": f"BX-{new_id()}",
                "kind": "report",
                "urgency": "normal",
                "text": SECRET,
                "place": "3栋502",
                "state": "open" if closed_days is None else "closed",
                "opened_at": self.now - timedelta(days=900),
                "closed_at": None if closed_days is None else self.now - timedelta(days=closed_days),
            }
            | columns
        )
        self.session.add(case)
        self.session.flush()
        return case

    def outbox(self, days: int, state: OutboxState = OutboxState.SENT, **columns: object) -> Outbox:
        at = self.now - timedelta(days=days)
        row = Outbox(
            **{"id": new_id(), "chat_id": self.group.id, "text": SECRET, "state": state, "due_at": at, "created_at": at}
            | columns
        )
        self.session.add(row)
        self.session.flush()
        return row

    def forget(self) -> dict[str, int]:
        return retention.forget(self.session, now=self.now, keep=KEEP)

    def keys(self, table: type[Received] | type[Outbox] | type[File]) -> set[int]:
        return set(self.session.scalars(select(table.id)))


@pytest.fixture
def world(session: Session, now: datetime) -> World:
    return World(session, now)


def test_nothing_is_forgotten_before_its_time(world: World) -> None:
    fresh = world.received(6)
    world.outbox(89)
    world.case(729)

    assert world.forget() == NOTHING
    assert (fresh.text, fresh.sender) == (SECRET, "77")


def test_chatter_loses_its_words_first_and_its_key_later(world: World) -> None:
    spoken = world.received(8, understanding={"kind": "chatter"})
    photo = world.received(8, text="", attachments=[{"external_id": "secret"}])
    gone_id = world.received(15).id
    failed = world.received(15, Outcome.FAILED, raw=SECRET)

    assert world.forget() == NOTHING | {"texts": 3, "keys": 1}
    assert [(row.text, row.sender, row.understanding, row.attachments) for row in (spoken, photo)] == [
        ("", None, None, None),
        ("", None, None, None),
    ]
    assert world.keys(Received) == {spoken.id, photo.id, failed.id}
    assert gone_id not in world.keys(Received)
    assert failed.raw == SECRET
    assert world.forget() == NOTHING


def test_failed_message_is_kept_for_replay_only_so_long(world: World) -> None:
    world.received(91, Outcome.FAILED, raw=SECRET)
    kept = world.received(89, Outcome.FAILED, raw=SECRET)

    assert world.forget() == NOTHING | {"failed": 1}
    assert world.keys(Received) == {kept.id}


def test_sent_messages_go_but_those_of_open_cases_keep_their_buttons(world: World) -> None:
    open_case, closed = world.case(None), world.case(10)
    buttons = [[{"text": "接单", "action": "cases.accept", "subject": str(open_case.id)}]]
    card = world.outbox(91, case_id=open_case.id, buttons=buttons, press_token="token", external_id="5")
    world.outbox(91, case_id=closed.id, buttons=buttons, press_token="other")
    world.outbox(91)
    world.outbox(91, OutboxState.GIVEN_UP)
    held = world.outbox(91, OutboxState.HELD)
    waiting = world.outbox(91, OutboxState.QUEUED)

    assert world.forget() == NOTHING | {"sent": 4}
    assert world.keys(Outbox) == {card.id, held.id, waiting.id}
    assert (card.text, card.buttons, card.press_token, card.external_id) == ("", buttons, "token", "5")
    assert (held.text, waiting.text) == (SECRET, SECRET)
    assert world.forget() == NOTHING


def test_old_closed_case_keeps_its_figures_and_nothing_of_a_person(world: World) -> None:
    session, now = world.session, world.now
    reporter = world.person()
    case = world.case(731, reporter_id=reporter.id, chat_id=world.group.id, rating=5, topic="facility.light")
    fresh = world.case(729, reporter_id=reporter.id)
    said_id = world.received(800, Outcome.OPENED, case_id=case.id).id
    message = CaseMessage(case_id=case.id, chat_id=world.group.id, message_id="9", sender="77", text=SECRET, at=now)
    event = CaseEvent(
        community_id=world.community,
        case_id=case.id,
        step="add",
        after="open",
        at=now,
        note=SECRET,
        data={"place": "3栋502"},
    )
    assigned = CaseEvent(
        community_id=world.community, case_id=case.id, step="assign", after="assigned", at=now, data={"to": "5"}
    )
    photo = File(
        case_id=case.id, channel="telegram", account="1", kind="photo", external_id="x", due_at=now, sha256="a" * 64
    )
    other = File(
        case_id=fresh.id, channel="telegram", account="1", kind="photo", external_id="y", due_at=now, sha256="b" * 64
    )
    photo.state = other.state = FileState.STORED
    answer = KeptAnswer(
        community_id=world.community,
        case_id=case.id,
        question="我是3栋502的，13812345678，补贴怎么办",
        answer="到大厅",
        at=now,
    )
    session.add_all([message, event, assigned, photo, other, answer])
    session.flush()

    assert world.forget() == NOTHING | {"cases": 1}

    assert (case.text, case.place, case.reporter_id, case.chat_id) == ("", "", None, None)
    assert (case.rating, case.topic, case.state) == (5, "facility.light", "closed")
    assert (event.note, event.data, assigned.data) == ("", {}, {"to": "5"})
    assert (answer.question, answer.answer) == ("我是3栋***的，138******78，补贴怎么办", "到大厅")
    assert session.scalars(select(CaseMessage.id)).all() == []
    assert said_id not in world.keys(Received)
    assert world.keys(File) == {other.id}
    assert retention.hashes_in_use(session, ["a" * 64, "b" * 64]) == {"b" * 64}
    assert (fresh.text, fresh.reporter_id) == (SECRET, reporter.id)
    assert world.forget() == NOTHING


def test_leftovers_are_cleared(world: World) -> None:
    session, now = world.session, world.now
    person = world.person()
    live, dead = now + timedelta(hours=1), now - timedelta(days=31)
    session.add_all(
        [
            Conversation(
                chat_id=world.group.id, sender="77", step="ask", data={"text": SECRET}, expires_at=now - timedelta(1)
            ),
            Conversation(chat_id=world.group.id, sender="78", step="ask", data={}, expires_at=live),
            Reminder(kind="case.card", subject_id=1, due_at=dead, done_at=now - timedelta(days=91)),
            Reminder(kind="case.card", subject_id=2, due_at=now - timedelta(days=91), done_at=None),
            SignInLink(person_id=person.id, token_hash="a", made_at=dead, expires_at=dead),
            WebSession(person_id=person.id, token_hash="a", csrf="c", made_at=dead, expires_at=dead),
            WebSession(person_id=person.id, token_hash="b", csrf="c", made_at=now, expires_at=live),
        ]
    )
    session.flush()

    assert world.forget() == NOTHING | {"leftovers": 4}
    assert session.scalars(select(Conversation.sender)).all() == ["78"]
    assert session.scalars(select(Reminder.subject_id)).all() == [2]
    assert session.scalars(select(WebSession.token_hash)).all() == ["b"]


def test_person_is_forgotten_with_what_they_said_and_nobody_else(world: World) -> None:
    session, now = world.session, world.now
    person, neighbour = world.person(), world.person("张伟明")
    for owner, key in ((person, "77"), (neighbour, "78")):
        session.add(
            Account(
                person_id=owner.id,
                channel="telegram",
                external_id=key,
                name=owner.name,
                private_chat=PrivateChat.OPEN,
                linked_at=now,
            )
        )
    private = world.chat("77", ChatKind.PRIVATE, person)
    said, other = world.received(1, raw=SECRET), world.received(1, sender="78")
    waiting = world.outbox(0, OutboxState.QUEUED, chat_id=private.id)
    sent = world.outbox(3, chat_id=private.id)
    open_case, over = world.case(None, reporter_id=person.id), world.case(3, reporter_id=person.id)
    spoken = CaseMessage(case_id=over.id, chat_id=world.group.id, message_id="9", sender="77", text=SECRET, at=now)
    duty = Duty(
        community_id=world.community,
        person_id=person.id,
        area_id=world.community,
        role=Role.VOLUNTEER,
        from_on=date(2026, 1, 1),
    )
    session.add_all([spoken, duty])

    retention.forget_person(session, person, now=now)

    assert (person.name, person.erased_at) == ("", now)
    assert (said.text, said.sender, said.raw) == ("", None, None)
    assert (other.text, other.sender, neighbour.name) == (SECRET, "78", "张伟明")
    assert (waiting.state, waiting.text, sent.state, sent.text) == (OutboxState.DROPPED, "", OutboxState.SENT, "")
    assert (spoken.text, spoken.sender) == ("", "")
    assert (over.text, open_case.text) == ("", SECRET)
    assert duty.until_on == date(2026, 11, 20)
    assert (private.external_id, private.person_id, private.state) == (f"erased:{private.id}", None, ChatState.LEFT)
    assert session.scalars(select(Account.external_id).where(Account.person_id == neighbour.id)).all() == ["78"]

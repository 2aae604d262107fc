"""The page on what the bot has been taught: corrections come to it by themselves, a word is tried before it counts, and taken back."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from core.messages import ChatKind, ChatRef, Decision, Incoming, IncomingKind, SenderRef, Utterance
from domain import inbox, keywords
from domain.keywords import WordBook
from domain.places import PlaceBook
from nlp.teaching import teach
from nlp.understand import understand
from storage.access import AuditEntry
from storage.areas import Community
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.database import Database
from storage.people import Role
from storage.understanding import Correction, Keyword
from tests import builders
from tests.builders import CHANNEL, Desk, csrf_of

GOOSE = "3号楼门口的大白鹅坏了，电话13800138000"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    teach(())


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path)


@pytest.fixture
def clerk(desk: Desk, now: datetime) -> int:
    """A clerk of a community in whose group some things were said."""
    with desk.database.writing() as session:
        place = builders.community(session)
        group = builders.group(session, place, now)
        for number, text in enumerate((GOOSE, "早上好", "谢谢大家")):
            ref = ChatRef(group.external_id, ChatKind.GROUP)
            sender = SenderRef("somebody", "王阿姨")
            said = Incoming(CHANNEL, "bot", str(number), IncomingKind.MESSAGE, ref, sender, now, text=text)
            inbox.write_down(session, inbox.arrive(said, None, chat_id=group.id, now=now))
        builders.case(session, place, now, topic="street_light", text="3号楼的灯不亮，找我13800138000", chat=group)
        return builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id).id


def refreshed(desk: Desk) -> None:
    """What another process does before its next batch."""
    with desk.database.reading() as session:
        WordBook().refresh(session, PlaceBook().refresh(session, also=keywords.MARK))


async def test_word_is_tried_taken_up_and_taken_back(desk: Desk, clerk: int) -> None:
    async with await desk.sign_in(clerk) as browser:
        csrf = await csrf_of(browser)
        form = {"csrf": csrf, "word": "大白鹅", "speaks_for": "topic:street_light", "weight": "8.0"}
        tried = await browser.get((await browser.post("/understanding/words", data=form)).headers["location"])
        assert "试了最近保留的 3 条消息，有 1 条会变" in tried.text
        assert "3号楼门口的大白鹅坏了" in tried.text
        assert "13800138000" not in tried.text
        assert understand(Utterance(GOOSE)).topic != "street_light"
        with desk.database.reading() as session:
            word = session.query(Keyword.id).scalar()
        await browser.post(f"/understanding/words/{word}/take-up", data={"csrf": csrf})
        refreshed(desk)
        assert understand(Utterance(GOOSE)).topic == "street_light"
        assert "在用" in (await browser.get("/understanding")).text
        again = await browser.post(f"/understanding/words/{word}/take-up", data={"csrf": csrf})
        assert (again.status_code, "这个词已经在用" in again.text) == (409, True)
        await browser.post(f"/understanding/words/{word}/take-back", data={"csrf": csrf})
        refreshed(desk)
        assert understand(Utterance(GOOSE)).topic != "street_light"
    with desk.database.reading() as session:
        acts = [
            act
            for (act,) in session.query(AuditEntry.act).filter(AuditEntry.act.like("word.%")).order_by(AuditEntry.id)
        ]
        assert acts == ["word.propose", "word.take_up", "word.take_back"]


async def test_word_that_cannot_be_read_is_refused_and_kept_in_the_form(desk: Desk, clerk: int) -> None:
    async with await desk.sign_in(clerk) as browser:
        form = {"csrf": await csrf_of(browser), "word": "{大,小", "speaks_for": "report", "weight": "4.0"}
        answer = await browser.post("/understanding/words", data=form)
        assert (answer.status_code, "这个词写法不对" in answer.text, "{大,小" in answer.text) == (409, True, True)
        assert (await browser.get("/understanding?word=1")).status_code == 404


async def test_correction_of_staff_is_kept_masked_and_may_be_removed(desk: Desk, clerk: int) -> None:
    async with await desk.sign_in(clerk) as browser:
        csrf = await csrf_of(browser)
        with desk.database.reading() as session:
            case = session.query(Case).one()
            form = {"csrf": csrf, "version": str(case.version), "kind": "report", "topic": "corridor_light"}
            form |= {"urgency": "normal", "area": str(case.area_id), "place": case.place}
        assert (await browser.post(f"/desk/cases/{case.id}/steps/correct", data=form)).status_code == 303
        text = (await browser.get("/understanding")).text
        assert "报事 · 路灯" in text
        assert "报事 · 楼道灯" in text
        assert "13800138000" not in text
        with desk.database.reading() as session:
            row = session.query(Correction).one()
            assert (row.topic_before, row.topic, row.by_id, row.is_by_resident) == (
                "street_light",
                "corridor_light",
                clerk,
                False,
            )
        await browser.post(f"/understanding/corrections/{row.id}/remove", data={"csrf": csrf})
        assert "还没有更正" in (await browser.get("/understanding")).text


async def test_where_several_communities_are_only_administrators_add_words(desk: Desk, clerk: int) -> None:
    with desk.database.writing() as session:
        builders.community(session, "平安社区")
    async with await desk.sign_in(clerk) as browser:
        assert "社区添加的词" not in (await browser.get("/understanding")).text
        form = {"csrf": await csrf_of(browser), "word": "大白鹅", "speaks_for": "report", "weight": "4.0"}
        answer = await browser.post("/understanding/words", data=form)
        assert (answer.status_code, "只有系统管理员可以改" in answer.text) == (409, True)


def keep(session: Session, chat: Chat, text: str, now: datetime) -> None:
    said = Incoming(
        CHANNEL,
        "bot",
        text,
        IncomingKind.MESSAGE,
        ChatRef(chat.external_id, ChatKind(chat.kind)),
        SenderRef("x", ""),
        now,
        text=text,
    )
    inbox.write_down(session, inbox.arrive(said, None, chat_id=chat.id, now=now))


async def test_word_is_tried_on_nothing_private_and_nothing_of_elsewhere(desk: Desk, clerk: int, now: datetime) -> None:
    with desk.database.writing() as session:
        elsewhere = builders.community(session, "平安社区")
        theirs = builders.group(session, elsewhere, now, title="平安群")
        private = builders.private_chat(session, builders.person(session, "李叔"), now)
        private.community_id = session.query(Community).filter(Community.name != "平安社区").one().id
        keep(session, theirs, "平安里的大白鹅坏了", now)
        keep(session, private, "我只悄悄说一句，大白鹅坏了", now)
        boss = builders.person(session, "赵敏", Role.ADMINISTRATOR, private.community_id)
        word = keywords.propose(
            session, "大白鹅", "topic:street_light", 8.0, community_id=elsewhere.id, by_id=boss.id, now=now
        )
        key = word.id
    async with await desk.sign_in(boss.id) as browser:
        text = (await browser.get(f"/understanding?word={key}")).text
    assert "试了最近保留的 3 条消息，有 1 条会变" in text
    assert ("3号楼门口的大白鹅坏了" in text, "平安里" in text, "悄悄" in text) == (True, False, False)


async def test_grid_worker_does_not_see_the_page(desk: Desk, clerk: int) -> None:
    with desk.database.writing() as session:
        place = session.query(Community).one()
        worker = builders.person(session, "王建国", Role.GRID_WORKER, place.id)
    async with await desk.sign_in(worker.id) as browser:
        assert (await browser.get("/understanding")).status_code == 403
    assert understand(Utterance("早上好")).decision is Decision.SILENT

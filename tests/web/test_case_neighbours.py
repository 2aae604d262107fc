"""Who joined a case, on its page and in the lists, and how staff take somebody out again."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.messages import ChatKind, ChatRef, Decision, Incoming, IncomingKind, Kind, SenderRef, Understanding
from domain import inbox
from domain.cases import joining, opening
from domain.chats import Chat
from storage.base import Session
from storage.cases import Case, CaseReporter
from storage.database import Database
from storage.people import Person, Role
from tests import builders
from tests.builders import CHANNEL, Desk, csrf_of

POWER = Understanding(Kind.REPORT, Decision.ACT, 0.9, topics=(("power", 0.9),))
CHATTER = Understanding(Kind.CHATTER, Decision.SILENT, 0.9)


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path)


def neighbour_joins(
    session: Session, case: Case, chat: Chat, name: str, words: str, understood: Understanding, *, now: datetime
) -> int:
    """Somebody says this in the group and is taken for one with the same trouble. The key of their joining."""
    who = builders.person(session, name)
    ref = ChatRef(chat.external_id, ChatKind.GROUP)
    sender = SenderRef(f"account-of-{name}", name)
    said = Incoming(CHANNEL, "bot", name, IncomingKind.MESSAGE, ref, sender, now, message_id=name, text=words)
    arrival = inbox.arrive(said, understood, chat_id=chat.id, now=now)
    opening.keep_message(session, case, arrival)
    has_own_words = understood is POWER
    row = joining.join(session, case, who, arrival, said=arrival.text, place="", has_own_words=has_own_words, now=now)
    arrival.case_id = case.id
    inbox.write_down(session, arrival)
    assert row is not None
    return row.id


@pytest.fixture
def town(desk: Desk, now: datetime) -> tuple[int, int, int, int]:
    """A clerk, a case, one who reported the same, and one who agreed."""
    with desk.database.writing() as session:
        place = builders.community(session)
        clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
        group = builders.group(session, place, now)
        case = builders.case(
            session,
            place,
            now,
            topic="power",
            text="3号楼停电了",
            reporter=builders.person(session, "李桂芳"),
            chat=group,
        )
        own = neighbour_joins(session, case, group, "孙大爷", "3号楼没电了", POWER, now=now)
        agreed = neighbour_joins(session, case, group, "吴姐", "我家也是", CHATTER, now=now)
        return clerk.id, case.id, own, agreed


async def test_page_names_who_joined_and_lists_count_them(desk: Desk, town: tuple[int, int, int, int]) -> None:
    clerk, case, own, agreed = town
    async with await desk.sign_in(clerk) as browser:
        text = (await browser.get(f"/desk/cases/{case}")).text
        for piece in ("一并反映的邻居", "孙大爷", "吴姐", "3号楼没电了", "已有 3 户反映", "邻居并入"):
            assert piece in text
        assert f"/reporters/{own}/part" in text
        assert f"/reporters/{agreed}/part" in text
        assert "3 户反映" in (await browser.get("/desk")).text


async def test_staff_part_a_report_that_is_another_matter(desk: Desk, town: tuple[int, int, int, int]) -> None:
    clerk, case, own, agreed = town
    async with await desk.sign_in(clerk) as browser:
        csrf = await csrf_of(browser)
        for row in (own, agreed):
            answer = await browser.post(f"/desk/cases/{case}/reporters/{row}/part", data={"csrf": csrf})
            assert answer.status_code == 303
        again = await browser.post(f"/desk/cases/{case}/reporters/{own}/part", data={"csrf": csrf})
        assert (again.status_code, "此人已不在这件事里" in again.text) == (409, True)
        assert "一并反映的邻居" not in (await browser.get(f"/desk/cases/{case}")).text
    with desk.database.reading() as session:
        rows = session.query(Case.text, Case.joined).order_by(Case.id).all()
        assert [tuple(row) for row in rows] == [("3号楼停电了", 0), ("3号楼没电了", 0)]
        reporters = session.query(Person.name).join(Case, Case.reporter_id == Person.id).order_by(Case.id)
        assert [name for (name,) in reporters] == ["李桂芳", "孙大爷"]


async def test_parting_needs_somebody_who_may_work_on_the_case(
    desk: Desk, town: tuple[int, int, int, int], now: datetime
) -> None:
    _, case, own, _ = town
    with desk.database.writing() as session:
        place = builders.community(session, "平安社区")
        stranger = builders.person(session, "外人", Role.COMMUNITY_WORKER, place.id)
    async with await desk.sign_in(stranger.id) as browser:
        answer = await browser.post(f"/desk/cases/{case}/reporters/{own}/part", data={"csrf": await csrf_of(browser)})
        assert answer.status_code == 404
    with desk.database.reading() as session:
        row = session.get_one(CaseReporter, own)
        assert (row.parted_at, now - row.at < timedelta(seconds=1)) == (None, True)

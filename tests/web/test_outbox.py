"""What did not arrive, in the browser: held, given up, waiting, failed; sending again and dropping."""

from datetime import datetime
from pathlib import Path

import pytest

from core.ids import new_id
from storage.chats import Chat
from storage.database import Database
from storage.messages import Outbox, OutboxState, Outcome, Received
from storage.people import Person
from tests import builders
from tests.web.office import PHONE, Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def leave(
    office: Office,
    now: datetime,
    state: OutboxState,
    *,
    text: str = "停水",
    error: str | None = None,
    there: bool = False,
) -> int:
    """A message to a group of this community, or of the other."""
    with office.database.writing() as session:
        place = office.there if there else office.here
        chat = builders.group(session, place, now, title="邻居的群" if there else "3号楼居民群")
        row = Outbox(
            id=new_id(),
            community_id=place.id,
            chat_id=chat.id,
            text=text,
            state=state,
            error=error,
            due_at=now,
            created_at=now,
        )
        session.add(row)
        return row.id


async def test_tabs_count_and_show_masked_words_with_the_reason(office: Office, now: datetime) -> None:
    leave(office, now, OutboxState.HELD, text=f"请找 {PHONE}", error="interrupted")
    leave(office, now, OutboxState.GIVEN_UP, text="没送到的话", error="chat left")
    leave(office, now, OutboxState.GIVEN_UP, text="也没送到", error=f"Bad Request from {PHONE}")
    leave(office, now, OutboxState.QUEUED, text="还在排队")
    leave(office, now, OutboxState.SENT, text="早就送到")
    leave(office, now, OutboxState.HELD, text="邻居的话", there=True)
    browser = await office.browser(office.officer)

    pages = {tab: (await browser.get(f"/outbox?tab={tab}")).text for tab in ("held", "given_up", "waiting")}
    first = (await browser.get("/outbox")).text

    assert [part.split("<")[0] for part in first.split('class="tab-count">')[1:]] == ["1", "2", "1", "0"]
    assert "138******78" in pages["held"]
    assert "程序停了" in pages["held"]
    assert "机器人已不在这个群里" in pages["given_up"]
    assert "Bad Request from 138******78" in pages["given_up"]
    assert "还在排队" in pages["waiting"]
    everything = "".join(pages.values())
    assert [words for words in ("早就送到", "邻居的话", PHONE, "再发一次") if words in everything] == []


async def test_list_costs_the_same_for_one_and_for_three(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    leave(office, now, OutboxState.HELD, text="一")
    with office.counted() as before:
        await browser.get("/outbox?tab=held")
    leave(office, now, OutboxState.HELD, text="二")
    leave(office, now, OutboxState.HELD, text="三")
    with office.counted() as after:
        page = (await browser.get("/outbox?tab=held")).text
    assert len(after) == len(before)
    assert page.count("再发一次") == 3


@pytest.mark.parametrize("state", [OutboxState.HELD, OutboxState.GIVEN_UP])
async def test_message_goes_again_once(office: Office, now: datetime, state: OutboxState) -> None:
    key = leave(office, now, state, error="interrupted")
    browser = await office.browser(office.clerk)

    said = await browser.after(await browser.post(f"/outbox/{key}/resend"))
    twice = await browser.post(f"/outbox/{key}/resend")

    assert "马上再发一次" in said
    row = office.row(Outbox, key)
    assert (row.state, row.due_at, row.error) == (OutboxState.QUEUED, now, None)
    assert (twice.status_code, "已经有人处理过" in twice.text) == (409, True)
    assert office.desk.wakes == [now]
    assert office.acts() == [("outbox.resend", office.clerk)]


@pytest.mark.parametrize("state", [OutboxState.HELD, OutboxState.GIVEN_UP, OutboxState.QUEUED])
async def test_message_is_dropped(office: Office, now: datetime, state: OutboxState) -> None:
    key = leave(office, now, state)
    browser = await office.browser(office.clerk)
    assert "这条不发了" in await browser.after(await browser.post(f"/outbox/{key}/drop"))
    assert office.row(Outbox, key).state == OutboxState.DROPPED
    assert office.acts() == [("outbox.drop", office.clerk)]


@pytest.mark.parametrize("state", [OutboxState.SENDING, OutboxState.SENT, OutboxState.DROPPED])
async def test_message_in_hand_or_settled_is_left_alone(office: Office, now: datetime, state: OutboxState) -> None:
    key = leave(office, now, state)
    browser = await office.browser(office.clerk)
    answers = [(await browser.post(f"/outbox/{key}/{step}")).status_code for step in ("resend", "drop")]
    assert (answers, office.row(Outbox, key).state, office.acts()) == ([409, 409], state, [])


async def test_foreign_messages_look_like_none_and_only_clerks_act(office: Office, now: datetime) -> None:
    foreign, own = leave(office, now, OutboxState.HELD, there=True), leave(office, now, OutboxState.HELD)
    clerk, officer, worker = [await office.browser(who) for who in (office.clerk, office.officer, office.worker)]
    for step in ("resend", "drop"):
        answers = [await clerk.post(f"/outbox/{key}/{step}") for key in (foreign, 12345)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text
        assert (await officer.post(f"/outbox/{own}/{step}")).status_code == 403
    assert (await worker.get("/outbox")).status_code == 403
    assert {row.state for row in office.rows(Outbox)} == {OutboxState.HELD}


async def test_private_message_is_of_the_community_of_its_person(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        for who, words in ((office.worker, "给王建国的"), (office.clerk_there, "给钱进的")):
            chat = builders.private_chat(session, session.get_one(Person, who), now)
            row = Outbox(id=new_id(), chat_id=chat.id, text=words, state=OutboxState.HELD, due_at=now, created_at=now)
            session.add(row)
    assert len(office.rows(Chat)) == 2

    page = (await (await office.browser(office.clerk)).get("/outbox")).text

    assert ("给王建国的" in page, "给钱进的" in page) == (True, False)


async def test_failed_messages_are_listed_for_replay_without_their_words(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        row = Received(
            id=new_id(), channel="telegram", account="1", external_id="9", kind="message", text="秘密的话",
            sent_at=now, received_at=now, outcome=Outcome.FAILED, raw="秘密的原文", error=f"KeyError {PHONE}",
        )  # fmt: skip
        session.add(row)
        key = row.id

    clerk, administrator = [
        (await (await office.browser(who)).get("/outbox?tab=failed")).text
        for who in (office.clerk, office.administrator)
    ]

    assert [words in administrator for words in (str(key), "KeyError 138******78", "wuwei replay")] == [True] * 3
    assert "秘密" not in administrator
    assert str(key) not in clerk  # of two communities nobody knows whose it is

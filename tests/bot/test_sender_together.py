"""What waits for one person where the platform counts: one message of several, each row settled by it, nothing lost. On both databases."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.sender import Sender
from core.clock import FixedClock
from core.errors import Closed, Rejected, TryLater, Unknown
from core.messages import Abilities, Allowance, OutgoingAction, Sent
from domain import merging, outbox, windows
from domain.outbox import Press
from storage.chats import Chat, ChatState
from storage.database import Database
from storage.messages import Outbox, OutboxState
from storage.phone_tasks import PhoneTask
from tests import builders
from tests.bot.test_sender import Mouth, Town

ALLOWANCE = Allowance(5, timedelta(hours=48), text_bytes=60, menu_bytes=30, reserve=2)
YES = [[Press("好", "cases.satisfied", 1)]]


@pytest.fixture
def town(database: Database, now: datetime, tmp_path: Path) -> Town:
    """Two private chats on a platform that counts; the people have just written."""
    clock = FixedClock(now)
    with database.writing() as session:
        builders.community(session)
        made = [builders.private_chat(session, builders.person(session, name), now) for name in ("甲", "乙")]
        for chat in made:
            windows.note_heard(session, chat.id, ALLOWANCE, at=now, now=now)
    mouth = Mouth(abilities=Abilities(allowance=ALLOWANCE))
    sender = Sender(database, {(mouth.name, mouth.account): mouth}, clock, media_folder=tmp_path)
    return Town(database, clock, mouth, sender, made)


def leave(town: Town, text: str, **columns: object) -> int:
    with town.database.writing() as session:
        chat = session.get_one(Chat, town.chats[0].id)
        return builders.posted(session, chat, text, now=town.clock.now(), **columns).id


def edit(town: Town, of: int, text: str) -> None:
    with town.database.writing() as session:
        outbox.edit(session, session.get_one(Outbox, of), text, now=town.clock.now())


def states(town: Town) -> Sequence[str]:
    return [state for state, _, _ in town.rows()]


def set_left(town: Town, left: int) -> None:
    with town.database.writing() as session:
        window = windows.of_chat(session, town.chats[0].id)
        assert window is not None
        window.left = left


async def test_what_fits_goes_as_one_message_in_order(town: Town) -> None:
    for text in ("一" * 6, "二" * 6, "三" * 6, "四"):  # 18 bytes each, 2 between
        leave(town, text)
    town.leave("别人的", chat=1)
    await town.send_all()
    mine = [one.text for one in town.mouth.said if one.chat.external_id == town.chats[0].external_id]
    assert mine == ["一" * 6 + "\n\n" + "二" * 6 + "\n\n" + "三" * 6, "四"]
    assert "别人的" in town.said
    assert town.rows() == [("sent", None, 0)] * 5


async def test_buttons_end_a_message_and_leave_less_room(town: Town) -> None:
    for text, buttons in (("一" * 4, ()), ("二" * 4, YES), ("三", ()), ("四" * 9, ()), ("五", YES)):
        leave(town, text, buttons=buttons)
    await town.send_all()
    said = [(one.text, len(one.buttons)) for one in town.mouth.said]
    # 12 + 2 + 12 bytes fit above buttons; what follows them is a message of its own, and with so much of it no buttons fit under it.
    assert said == [("一一一一\n\n二二二二", 1), ("三\n\n" + "四" * 9, 0), ("五", 1)]


async def test_one_row_is_told_from_several_by_its_id(town: Town) -> None:
    first, second = leave(town, "一"), leave(town, "二")
    await town.send_all()
    (together,) = town.mouth.said
    assert together.id.startswith(f"{second}_")
    assert len(f"w{together.id}-0") <= 32, "as much as the platform takes"
    assert together.action is OutgoingAction.SEND
    third = leave(town, "三")
    await town.send_all()
    assert town.mouth.said[-1].id == str(third)
    with town.database.reading() as session:
        kept = {key: session.get_one(Outbox, key).external_id for key in (first, second)}
    assert kept == {first: "101", second: "101"}


async def test_notice_under_a_press_goes_along_and_an_empty_one_alone(town: Town) -> None:
    with town.database.writing() as session:
        chat = session.get_one(Chat, town.chats[0].id)
        outbox.answer_press(session, chat, "p1", "", now=town.clock.now())
        outbox.answer_press(session, chat, "p2", "已撤回", now=town.clock.now())
        outbox.post(session, chat, "还有事吗", now=town.clock.now())
    await town.send_all()
    assert sorted(town.said) == ["", "已撤回\n\n还有事吗"]
    assert states(town) == ["sent"] * 3


async def test_group_refused_together_goes_one_by_one(town: Town) -> None:
    town.mouth.troubles = [Rejected("forbidden words"), Rejected("forbidden words")]
    leave(town, "坏词")
    leave(town, "好话")
    await town.send_all()
    assert (town.said, [(state, error) for state, error, _ in town.rows()]) == (
        ["好话"],
        [("given_up", "forbidden words"), ("sent", None)],
    )


@pytest.mark.parametrize("trouble", [TryLater(3, "busy"), Unknown("timed out")])
async def test_group_that_did_not_go_goes_again_whole(town: Town, trouble: Exception) -> None:
    town.mouth.troubles = [trouble]
    leave(town, "一")
    leave(town, "二")
    for _ in range(5):
        await town.send_all()
        town.clock.advance(timedelta(seconds=3))
    assert (town.said, states(town)) == (["一\n\n二"], ["sent", "sent"])


async def test_progress_is_saved_up_while_little_is_left(town: Town) -> None:
    receipt = leave(town, "已登记")
    await town.send_all()
    set_left(town, 2)
    edit(town, receipt, "已接单")
    edit(town, receipt, "已到场")
    await town.send_all()
    assert (town.said, states(town)) == (["已登记"], ["sent", "dropped", "queued"])
    assert town.rows()[2][1] == windows.SAVED
    leave(town, "满意吗", buttons=YES)
    await town.send_all()
    assert town.said == ["已登记", "已到场\n\n满意吗"]
    assert states(town) == ["sent", "dropped", "sent", "sent"]


async def test_saved_progress_gives_way_where_not_all_fits(town: Town) -> None:
    receipt = leave(town, "已登记")
    await town.send_all()
    set_left(town, 1)
    edit(town, receipt, "已接单" * 3)
    leave(town, "满意吗" * 2, buttons=YES)
    await town.send_all()
    assert town.said == ["已登记", "满意吗满意吗"]
    assert states(town) == ["sent", "queued", "sent"]


async def test_words_said_already_are_not_said_again(town: Town) -> None:
    receipt = leave(town, "已登记", buttons=YES)
    await town.send_all()
    edit(town, receipt, "已登记")
    edit(town, receipt, "已登记")
    await town.send_all()
    assert (town.said, states(town)) == (["已登记"], ["sent", "dropped", "sent"])


async def test_what_was_saved_up_is_said_before_the_window_shuts_or_never(town: Town) -> None:
    receipt = leave(town, "已登记")
    await town.send_all()
    set_left(town, 1)
    edit(town, receipt, "已接单")
    await town.send_all()
    town.clock.advance(timedelta(hours=47))
    await town.send_all()
    assert town.said == ["已登记", "已接单"]
    town.clock.advance(timedelta(hours=2))
    edit(town, receipt, "已到场")
    await town.send_all()
    town.clock.advance(merging.LONGEST_SAVED)
    await town.send_all()
    assert (town.said, states(town)) == (["已登记", "已接单"], ["sent", "sent", "dropped"])


async def test_what_is_spent_is_counted(town: Town) -> None:
    async def send(outgoing: object) -> Sent:
        return Sent("1", spent=2)

    town.mouth.send = send  # type: ignore[method-assign]  # a message that takes two
    leave(town, "一")
    leave(town, "二")
    await town.send_all()
    with town.database.reading() as session:
        window = windows.of_chat(session, town.chats[0].id)
        assert window is not None
        assert (window.left, windows.left(window, now=town.clock.now())) == (3, 3)
        assert windows.left(window, now=town.clock.now() + timedelta(hours=49)) == 0


async def test_closed_chat_holds_its_messages_until_the_person_writes(town: Town) -> None:
    town.mouth.troubles = [Closed("used up")]
    leave(town, "一")
    leave(town, "二")
    await town.send_all()
    assert [(state, error) for state, error, _ in town.rows()] == [("held", windows.SHUT)] * 2
    with town.database.reading() as session:
        assert session.get_one(Chat, town.chats[0].id).state == ChatState.BOUND
        assert session.query(PhoneTask).count() == 0, "about no case: nobody has to call"
    town.clock.advance(timedelta(hours=3))
    with town.database.writing() as session:
        windows.note_heard(session, town.chats[0].id, ALLOWANCE, at=town.clock.now(), now=town.clock.now())
    await town.send_all()
    assert (town.said, states(town)) == (["一\n\n二"], ["sent", "sent"])


async def test_held_words_about_no_case_are_old_after_a_day(town: Town) -> None:
    town.mouth.troubles = [Closed("used up")]
    leave(town, "帮助")
    await town.send_all()
    town.clock.advance(timedelta(days=2))
    with town.database.writing() as session:
        windows.note_heard(session, town.chats[0].id, ALLOWANCE, at=town.clock.now(), now=town.clock.now())
    await town.send_all()
    assert (town.said, states(town)) == ([], [OutboxState.DROPPED])


async def test_announcement_to_a_closed_chat_is_no_news_later(town: Town) -> None:
    town.mouth.troubles = [Closed("used up")]
    leave(town, "停水", run_id=1)
    await town.send_all()
    assert [(state, error) for state, error, _ in town.rows()] == [("given_up", windows.SHUT)]


async def test_edit_of_a_held_message_changes_its_words(town: Town) -> None:
    town.mouth.troubles = [Closed("served", is_served=True)]
    receipt = leave(town, "已登记")
    await town.send_all()
    edit(town, receipt, "已接单")
    with town.database.writing() as session:
        assert windows.is_served(session, town.chats[0].id)
        windows.note_heard(session, town.chats[0].id, ALLOWANCE, at=town.clock.now(), now=town.clock.now())
    await town.send_all()
    assert town.said == [], "somebody still speaks with them"
    with town.database.writing() as session:
        assert windows.hand_back(session, town.chats[0].id, now=town.clock.now()) == 1
        assert windows.hand_back(session, town.chats[0].id, now=town.clock.now()) is None
    await town.send_all()
    assert (town.said, states(town)) == (["已接单"], ["sent"])

"""The made-up platform as its people see it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.simulator.platform import SimulatedPlatform
from core.clock import ShiftedClock
from core.errors import ConfigError, Refused
from core.messages import AttachmentKind, Incoming, IncomingKind, SenderRef
from core.simulation import Change, ChangeKind, Persona, SimulatedGroup, Upload

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 24
JPEG = b"\xff\xd8\xff\xe0" + b"1" * 24


class Town:
    """A platform with one group, a member and a stranger."""

    def __init__(self, path: Path) -> None:
        self.clock = ShiftedClock()
        self.platform = SimulatedPlatform(path, self.clock)
        self.platform.add_person("王秀英", roles=["居民"], area="3号楼", person_id="wang")
        self.platform.add_person("李强", person_id="li")
        self.platform.add_group("和谐家园3号群", area="第三网格", group_id="g3")
        self.platform.join("g3", "wang")
        self.take()

    def take(self) -> list[Incoming]:
        """What the bot would read now, confirmed at once."""
        found = list(self.platform.bot.pending(100))
        if found:
            self.platform.bot.confirm(found[-1].external_id)
        return found


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "simulator.sqlite3")


def refusal(call: object, *args: object, **named: object) -> str:
    assert callable(call)
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.key


def test_people_keep_their_order_roles_and_area(town: Town) -> None:
    assert town.platform.people() == [Persona("wang", "王秀英", ("居民",), "3号楼"), Persona("li", "李强")]


def test_seeding_twice_changes_nothing_but_names(town: Town) -> None:
    town.platform.add_person("王奶奶", roles=["居民"], area="3号楼", person_id="wang")
    town.platform.add_group("和谐家园3号群", area="第三网格", group_id="g3")
    assert [person.name for person in town.platform.people()] == ["王奶奶", "李强"]
    assert town.platform.groups() == [SimulatedGroup("g3", "和谐家园3号群", "第三网格", ("wang",))]
    assert town.take() == []


@pytest.mark.parametrize("name", ["", "  ", "长" * 41])
def test_person_without_usable_name_is_refused(town: Town, name: str) -> None:
    assert refusal(town.platform.add_person, name) == "simulator.name_missing"


def test_new_group_tells_the_bot(town: Town) -> None:
    group = town.platform.add_group("新群")
    (update,) = town.take()
    assert (update.kind, update.chat.external_id, update.chat.title) == (IncomingKind.BOT_ADDED, group.id, "新群")


def test_join_and_leave_are_told_once(town: Town) -> None:
    town.platform.join("g3", "li")
    town.platform.join("g3", "li")
    town.platform.leave("g3", "li")
    assert [(update.kind, update.sender) for update in town.take()] == [
        (IncomingKind.MEMBER_JOINED, SenderRef("li", "李强")),
        (IncomingKind.MEMBER_LEFT, SenderRef("li", "李强")),
    ]
    assert refusal(town.platform.leave, "g3", "li") == "simulator.cannot_leave"


def test_membership_of_unknowns_is_refused(town: Town) -> None:
    assert refusal(town.platform.join, "g9", "li") == "simulator.no_chat"
    assert refusal(town.platform.join, "g3", "nobody") == "simulator.no_person"
    assert refusal(town.platform.join, "private:li", "li") == "simulator.private_chat_has_no_members"


def test_message_reaches_the_bot_with_its_photos(town: Town) -> None:
    before = town.clock.now()
    uploads = [Upload(AttachmentKind.PHOTO, PNG), Upload(AttachmentKind.VOICE, b"OggS....", "话.ogg")]
    message = town.platform.say("g3", "wang", text="井盖坏了", uploads=uploads, album="a1")
    (update,) = town.take()
    assert (update.kind, update.message_id, update.text) == (IncomingKind.MESSAGE, message, "井盖坏了")
    assert (update.channel, update.account, update.album_id) == ("simulator", "simulator", "g3/a1")
    assert update.sent_at >= before
    assert [(file.kind, file.media_type, file.size, file.name) for file in update.attachments] == [
        (AttachmentKind.PHOTO, "image/png", 32, None),
        (AttachmentKind.VOICE, "audio/ogg", 8, "话.ogg"),
    ]
    assert town.platform.file(update.attachments[0].external_id).content == PNG
    assert not update.is_addressed


def test_private_talk_mention_and_reply_are_addressed(town: Town) -> None:
    first = town.platform.say("g3", "wang", text="在吗")
    town.platform.say("g3", "wang", text="@五微 在吗")
    town.platform.say("private:wang", "wang", text="在吗")
    town.platform.say("g3", "wang", text="我家也是", reply_to=first)
    assert [(update.is_addressed, update.reply_to, update.reply_to_text) for update in town.take()] == [
        (False, None, ""),
        (True, None, ""),
        (True, None, ""),
        (False, first, "在吗"),
    ]


def test_start_command_opens_the_private_chat(town: Town) -> None:
    town.platform.say("private:wang", "wang", text="/start bind-42")
    town.platform.say("g3", "wang", text="/start bind-42")
    assert [(update.kind, update.payload) for update in town.take()] == [
        (IncomingKind.BOT_STARTED, "bind-42"),
        (IncomingKind.MESSAGE, None),
    ]


@pytest.mark.parametrize(
    ("chat", "person", "key"),
    [
        ("g3", "li", "not_member"),
        ("private:wang", "li", "not_own_chat"),
        ("g9", "li", "no_chat"),
        ("private:nobody", "li", "no_chat"),
        ("g3", "nobody", "no_person"),
    ],
)
def test_speaking_where_one_may_not_is_refused(town: Town, chat: str, person: str, key: str) -> None:
    assert refusal(town.platform.say, chat, person, text="您好") == f"simulator.{key}"
    assert town.take() == []


@pytest.mark.parametrize(
    ("text", "uploads", "key"),
    [
        ("", [], "nothing_said"),
        (" \n\t", [], "nothing_said"),
        ("长" * 4097, [], "text_too_long"),
        ("", [Upload(AttachmentKind.PHOTO, b"no picture")], "not_a_picture"),
        ("", [Upload(AttachmentKind.FILE, b"")], "file_is_empty"),
        ("", [Upload(AttachmentKind.PHOTO, PNG)] * 11, "too_many_photos"),
        ("", [Upload(AttachmentKind.PHOTO, PNG + bytes(20 * 1024 * 1024))], "file_too_large"),
    ],
)
def test_content_the_platform_does_not_take_is_refused(town: Town, text: str, uploads: list[Upload], key: str) -> None:
    assert refusal(town.platform.say, "g3", "wang", text=text, uploads=uploads) == f"simulator.{key}"
    assert town.platform.messages("g3") == []


def test_text_of_4096_characters_is_taken(town: Town) -> None:
    town.platform.say("g3", "wang", text="长" * 4096)
    assert town.take()[0].text == "长" * 4096


def test_reply_to_another_chat_is_refused(town: Town) -> None:
    elsewhere = town.platform.say("private:wang", "wang", text="您好")
    assert refusal(town.platform.say, "g3", "wang", text="好", reply_to=elsewhere) == "simulator.reply_elsewhere"
    assert refusal(town.platform.say, "g3", "wang", text="好", reply_to="12") == "simulator.no_message"


def test_edit_leaves_the_update_before_it_as_it_was(town: Town) -> None:
    message = town.platform.say("g3", "wang", text="3号楼灯坏了")
    town.platform.edit(message, "wang", "5号楼灯坏了")
    assert [(update.kind, update.message_id, update.text) for update in town.take()] == [
        (IncomingKind.MESSAGE, message, "3号楼灯坏了"),
        (IncomingKind.EDIT, message, "5号楼灯坏了"),
    ]
    shown = town.platform.message(message)
    assert (shown.text, shown.is_edited, shown.is_deleted) == ("5号楼灯坏了", True, False)


def test_withdrawn_message_shows_only_that_it_was_there(town: Town) -> None:
    message = town.platform.say("g3", "wang", text="发错了", uploads=[Upload(AttachmentKind.PHOTO, JPEG)])
    town.platform.withdraw(message, "wang")
    assert [(update.kind, update.message_id) for update in town.take()] == [
        (IncomingKind.MESSAGE, message),
        (IncomingKind.WITHDRAWAL, message),
    ]
    shown = town.platform.message(message)
    assert (shown.text, shown.files, shown.is_deleted) == ("", (), True)
    assert refusal(town.platform.withdraw, message, "wang") == "simulator.already_withdrawn"
    assert refusal(town.platform.edit, message, "wang", "又改") == "simulator.already_withdrawn"


def test_others_messages_are_not_changed(town: Town) -> None:
    message = town.platform.say("g3", "wang", text="灯坏了")
    assert refusal(town.platform.edit, message, "li", "灯好了") == "simulator.not_own_message"
    assert refusal(town.platform.withdraw, message, "li") == "simulator.not_own_message"
    assert refusal(town.platform.edit, message, "wang", " ") == "simulator.nothing_said"
    assert refusal(town.platform.edit, message, "wang", "长" * 4097) == "simulator.text_too_long"
    assert refusal(town.platform.withdraw, "99999999999999999999", "wang") == "simulator.no_message"
    assert town.platform.message(message).text == "灯坏了"


def test_removed_bot_hears_that_and_nothing_more(town: Town) -> None:
    town.platform.remove_bot("g3")
    town.platform.say("g3", "wang", text="还在吗")
    assert [update.kind for update in town.take()] == [IncomingKind.BOT_REMOVED]


def test_blocked_bot_is_unblocked_by_writing_to_it(town: Town) -> None:
    town.platform.block_bot("wang")
    town.platform.say("private:wang", "wang", text="我又来了")
    assert [update.kind for update in town.take()] == [IncomingKind.BOT_BLOCKED, IncomingKind.MESSAGE]


def test_messages_come_in_order_and_after_an_id(town: Town) -> None:
    ids = [town.platform.say("g3", "wang", text=text) for text in "一二三"]
    town.platform.say("private:wang", "wang", text="私下")
    assert [message.id for message in town.platform.messages("g3")] == ids
    assert [message.text for message in town.platform.messages("g3", int(ids[0]))] == ["二", "三"]
    assert [message.text for message in town.platform.latest()] == ["私下", "三"]
    assert refusal(town.platform.messages, "g9") == "simulator.no_chat"


def test_name_that_called_the_bot_is_no_part_of_what_was_said(town: Town) -> None:
    town.platform.say("g3", "wang", text="@五微 我的")
    update = town.take()[0]
    assert (update.text, update.is_addressed) == ("我的", True)


def test_everything_survives_a_restart(town: Town, tmp_path: Path) -> None:
    message = town.platform.say("g3", "wang", text="灯坏了", uploads=[Upload(AttachmentKind.PHOTO, PNG)])
    goal = datetime.now(UTC) + timedelta(days=3)
    town.platform.clock.move_to(goal)
    waiting = town.platform.bot.pending(10)
    shown = town.platform.messages("g3")
    town.platform.close()

    clock = ShiftedClock()
    again = SimulatedPlatform(tmp_path / "simulator.sqlite3", clock)
    assert again.messages("g3") == shown
    assert again.bot.pending(10) == waiting
    assert [update.message_id for update in waiting] == [message]
    assert again.people() == [Persona("wang", "王秀英", ("居民",), "3号楼"), Persona("li", "李强")]
    assert goal <= clock.now() < goal + timedelta(minutes=1)
    again.close()


def test_clock_never_goes_back(town: Town) -> None:
    town.platform.clock.move_to(town.clock.now() + timedelta(hours=1))
    offset = town.clock.offset
    assert refusal(town.platform.clock.move_to, datetime.now(UTC)) == "simulator.clock_backward"
    assert town.clock.offset == offset


def test_file_of_another_version_is_refused(town: Town, tmp_path: Path) -> None:
    with town.platform._store.transaction() as connection:
        connection.execute("PRAGMA user_version=7")
    town.platform.close()
    with pytest.raises(ConfigError) as caught:
        SimulatedPlatform(tmp_path / "simulator.sqlite3", ShiftedClock())
    assert len(caught.value.faults) == 1


async def test_watchers_hear_what_changed_until_the_end(town: Town) -> None:
    changes = town.platform.feed.watch()
    message = town.platform.say("g3", "wang", text="灯坏了")
    town.platform.feed.close()
    assert [change async for change in changes] == []  # closing drops what was not yet read

    changes = town.platform.feed.watch()
    town.platform.edit(message, "wang", "灯又坏了")
    assert await anext(changes) == Change(ChangeKind.MESSAGE, chat="g3", message=message)
    town.platform.feed.close()
    assert [change async for change in changes] == []


async def test_watcher_that_falls_behind_is_cut_off(town: Town) -> None:
    changes = town.platform.feed.watch()
    for _ in range(501):
        town.platform.feed.publish(Change(ChangeKind.CLOCK))
    assert [change async for change in changes] == []

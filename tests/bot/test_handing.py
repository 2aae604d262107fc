"""Posts that a person must send, from the outbox through the owner's hands to what became of them; and what goes wrong on the way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.customer_groups import Handed, HandedPost
from core.errors import Refused
from core.groups import GroupFacts
from domain import announcements, chats
from domain.announcements import overview
from domain.customer_groups import registry, showing
from domain.customer_groups.handing import LEASE
from storage.chats import Chat
from storage.customer_groups import PostTask
from storage.database import Database
from storage.messages import OutboxState
from tests import builders
from tests.bot.handing_stage import LINK, HandingStage, handing_stage
from tests.emulators.wecom_groups import Task

ADD = "externalcontact/add_msg_template"
LIST = "externalcontact/get_groupmsg_list_v2"
REMIND = "externalcontact/remind_groupmsg_send"
CANCEL = "externalcontact/cancel_groupmsg_send"
TEXT = "【停水通知】\n周日停水，请储水。"


@pytest.fixture
async def stage(database: Database, now: datetime, tmp_path: Path) -> AsyncIterator[HandingStage]:
    async with handing_stage(database, now, tmp_path) as made:
        made.add_group("一群", "zhang", made.place.grid.id)
        made.add_group("二群", "zhang", made.place.other_grid.id)
        made.add_group("三群", "li", made.place.other_grid.id)
        yield made


async def test_groups_of_one_owner_are_one_task(stage: HandingStage) -> None:
    stage.announce()
    await stage.work()
    first, second, third = (stage.groups[name] for name in ("一群", "二群", "三群"))
    assert [(task.owner, task.chats, task.text) for task in stage.on_platform] == [
        ("zhang", [first, second], TEXT),
        ("li", [third], TEXT),
    ]
    assert [(task.state, task.owner_name) for task in stage.tasks()] == [("created", "张伟"), ("created", "李娜")]
    assert stage.rows() == [(name, "with_person", None) for name in ("一群", "二群", "三群")]


async def test_round_waits_for_the_one_under_way(stage: HandingStage) -> None:
    """What the first has claimed is nobody else's, so the second finds nothing; yet it is not done before the first is."""
    stage.announce()
    stage.wecom.delay_answer(1, 0.2, path=ADD)
    first = asyncio.create_task(stage.hander.work_due())
    while not stage.on_platform:
        await asyncio.sleep(0.01)
    await stage.hander.work_due()
    assert (first.done(), stage.states()) == (True, ["created", "created"])


async def test_post_is_sent_once_its_owner_has_pressed_send(stage: HandingStage) -> None:
    stage.announce()
    await stage.work()
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=1)
    assert stage.states() == ["sent", "created"]
    assert stage.rows() == [("一群", "sent", None), ("二群", "sent", None), ("三群", "with_person", None)]
    assert [stage.wecom.groups.texts(stage.groups[name]) for name in ("一群", "三群")] == [[TEXT], []]
    run = stage.run()
    with stage.database.reading() as session:
        assert overview.counts_of(session, [run])[run.id] == {OutboxState.SENT: 2, OutboxState.WITH_PERSON: 1}
    stage.wecom.groups.confirm("li")
    await stage.pass_time(minutes=1)
    assert (stage.states(), await stage.hander.work_due()) == (["sent", "sent"], 0)


async def test_group_over_its_quota_makes_it_partly_sent(stage: HandingStage) -> None:
    stage.announce(title="早上的", areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.confirm("zhang")
    stage.announce()
    await stage.pass_time(minutes=1)
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=1)
    assert stage.states() == ["sent", "partly", "created"]
    assert stage.rows()[1:3] == [("一群", "given_up", "over quota"), ("二群", "sent", None)]
    stage.announce(title="再来", areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=1)
    assert stage.states()[3] == "over_quota"


async def test_group_that_changed_hands_meanwhile_is_not_counted_as_sent(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.groups[stage.groups["一群"]].owner = "li"
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=1)
    assert (stage.states(), stage.rows()) == (["refused"], [("一群", "given_up", "not sent")])


async def test_results_that_lag_behind_are_waited_for(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.tells_results = False
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=1)
    assert stage.states() == ["created"]
    stage.wecom.groups.tells_results = True
    await stage.pass_time(minutes=1)
    assert stage.states() == ["sent"]


async def test_results_that_never_come_are_no_success(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.tells_results = False
    stage.wecom.groups.confirm("zhang")
    for _ in range(12):
        await stage.pass_time(minutes=1)
    assert (stage.states(), stage.rows()) == (["refused"], [("一群", "given_up", "not sent")])


async def test_owner_is_reminded_at_most_three_times_a_day(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    (task,) = stage.tasks()
    for count in (1, 2, 3):
        remind(stage, task)
        with pytest.raises(Refused, match="reminder_on_its_way"):
            remind(stage, task)
        await stage.pass_time(seconds=1)
        assert (stage.states(), len(stage.on_platform[0].reminded_at)) == (["reminded"], count)
    with pytest.raises(Refused, match="reminded_enough"):
        remind(stage, task)
    await stage.pass_time(hours=24)
    remind(stage, task)
    await stage.work()
    assert len(stage.on_platform[0].reminded_at) == 4


def remind(stage: HandingStage, task: PostTask) -> None:
    with stage.database.writing() as session:
        showing.ask_reminder(session, stage.place.id, task.id, now=stage.clock.at)


async def test_reminder_that_the_platform_refuses_is_not_counted(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.fail_next(1, 40058, path=REMIND)
    remind(stage, stage.tasks()[0])
    await stage.work()
    (task,) = stage.tasks()
    assert (task.state, task.reminders, task.error) == ("created", [], "企业微信不接受这条消息（40058）")


async def test_reminder_is_not_counted_where_the_task_itself_could_not_be_looked_at(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.fail_next(1, 40058, path="externalcontact/get_groupmsg_task")
    remind(stage, stage.tasks()[0])
    await stage.work()
    (task,) = stage.tasks()
    assert (task.state, task.reminders, stage.on_platform[0].reminded_at) == ("created", [], [])


async def test_reminder_whose_answer_was_lost_counts(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.drop_answer_after_work(path=REMIND)
    remind(stage, stage.tasks()[0])
    await stage.pass_time(minutes=2)
    (task,) = stage.tasks()
    assert (task.state, len(task.reminders), len(stage.on_platform[0].reminded_at)) == ("reminded", 1, 1)


async def test_staff_are_told_once_of_a_post_that_lies_too_long(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.other_grid.id])
    await stage.work()
    stage.wecom.groups.confirm("li")
    for _ in range(12):
        await stage.pass_time(minutes=30)
    assert stage.told() == [
        "公告“停水通知”还在等群主张老师点“发送”，1 个群没有收到，已经超过 4 小时。请提醒一下，或在工作台“公告”里点“提醒群主”。"
    ]


async def test_post_that_nobody_sends_for_two_days_is_stopped(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    await stage.pass_time(hours=47)
    assert stage.states() == ["created"]
    await stage.pass_time(hours=2)
    assert (stage.states(), stage.rows()) == (["expired"], [("一群", "given_up", "not sent in time")])
    assert [task.is_cancelled for task in stage.on_platform] == [True]


async def test_post_sent_in_the_last_moment_counts_as_sent(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(hours=49)
    assert (stage.states(), stage.wecom.calls(CANCEL)) == (["sent"], [])


async def test_cancelled_announcement_is_taken_out_of_the_owners_hands(stage: HandingStage) -> None:
    key = stage.announce()
    await stage.work()
    stage.wecom.groups.confirm("li")
    with stage.database.writing() as session:
        announcements.cancel(session, announcements.announcement_of(session, stage.place.id, key))
    await stage.work()
    assert stage.states() == ["cancelled", "sent"]
    assert stage.rows() == [("一群", "dropped", None), ("二群", "dropped", None), ("三群", "sent", None)]
    assert [task.is_cancelled for task in stage.on_platform] == [True, False]


async def test_announcement_cancelled_before_it_was_handed_over_makes_no_task(stage: HandingStage) -> None:
    stage.wecom.fail_next(9, 45033, path=ADD)
    key = stage.announce()
    await stage.work()
    assert stage.states() == ["making", "making"]
    with stage.database.writing() as session:
        announcements.cancel(session, announcements.announcement_of(session, stage.place.id, key))
    await stage.work()
    assert (stage.states(), stage.on_platform) == (["cancelled", "cancelled"], [])


async def test_cancelled_while_in_doubt_is_looked_for_and_stopped(stage: HandingStage) -> None:
    stage.wecom.drop_answer_after_work(path=ADD)
    key = stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    with stage.database.writing() as session:
        announcements.cancel(session, announcements.announcement_of(session, stage.place.id, key))
    await stage.work()
    assert (stage.states(), [task.is_cancelled for task in stage.on_platform]) == (["cancelled"], [True])


async def test_cancelled_while_in_doubt_and_never_made_makes_none(stage: HandingStage) -> None:
    stage.wecom.break_next(1, 502, path=ADD)
    key = stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    with stage.database.writing() as session:
        announcements.cancel(session, announcements.announcement_of(session, stage.place.id, key))
    await stage.work()
    assert (stage.states(), stage.on_platform) == (["cancelled"], [])


async def test_stop_that_the_platform_refuses_is_shown(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.fail_next(1, 40058, path=CANCEL)
    with stage.database.writing() as session:
        showing.ask_cancel(session, stage.place.id, session.get_one(PostTask, stage.tasks()[0].id).id)
    await stage.work()
    (task,) = stage.tasks()
    assert (task.state, task.is_cancel_wanted, task.error) == ("created", False, "企业微信不接受这条消息（40058）")


# Doubt


async def test_lost_answer_makes_no_second_task(stage: HandingStage) -> None:
    stage.wecom.drop_answer_after_work(path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    assert [(task.state, task.is_doubtful) for task in stage.tasks()] == [("making", True)]
    await stage.pass_time(minutes=2)
    (task,) = stage.tasks()
    assert [made.msgid for made in stage.on_platform] == [task.external_id]
    assert (task.state, task.is_doubtful, task.twins) == ("created", False, 0)


async def test_request_that_never_arrived_is_made_after_a_look(stage: HandingStage) -> None:
    stage.wecom.break_next(1, 502, path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    await stage.pass_time(minutes=2)
    assert (stage.states(), len(stage.on_platform), len(stage.wecom.calls(LIST))) == (["created"], 1, 1)


async def test_death_between_the_platforms_work_and_ours_makes_no_second_task(stage: HandingStage) -> None:
    """The claim is committed, the answer is not: as a process leaves it that was killed there."""
    stage.announce(areas=[stage.place.grid.id])
    kill_after(stage, ADD)
    with pytest.raises(KeyboardInterrupt):
        await stage.work()
    assert (stage.states(), len(stage.on_platform)) == (["making"], 1)
    await stage.pass_time(seconds=LEASE.total_seconds() - 1)
    assert stage.states() == ["making"]
    await stage.pass_time(seconds=2)
    assert (stage.states(), len(stage.on_platform)) == (["created"], 1)


def kill_after(stage: HandingStage, path: str) -> None:
    """The process ends when this call has been answered, once."""
    post = stage.channel._calls.post

    async def killed(called: str, *given: object, **more: object) -> dict[str, object]:
        found = await post(called, *given, **more)  # type: ignore[arg-type]  # passed on as it came
        if called == path:
            stage.channel._calls.post = post  # type: ignore[method-assign]
            raise KeyboardInterrupt
        return found

    stage.channel._calls.post = killed  # type: ignore[method-assign,assignment]


async def test_search_that_fails_makes_nothing(stage: HandingStage) -> None:
    stage.wecom.drop_answer_after_work(path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.fail_next(3, 45033, path=LIST)
    await stage.pass_time(minutes=2)
    assert (stage.states(), len(stage.on_platform)) == (["making"], 1)
    for _ in range(4):
        await stage.pass_time(minutes=6)
    assert (stage.states(), len(stage.on_platform)) == (["created"], 1)


async def test_search_that_is_refused_clears_no_doubt(stage: HandingStage) -> None:
    stage.wecom.drop_answer_after_work(path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.fail_next(1, 40058, path=LIST)
    await stage.pass_time(minutes=2)
    (task,) = stage.tasks()
    assert (task.state, task.error) == ("making", "企业微信不接受这条消息（40058）")
    await stage.pass_time(minutes=2)
    assert (stage.states(), len(stage.on_platform)) == (["created"], 1)


@pytest.mark.parametrize("path", [ADD, LIST])
async def test_doubt_that_nothing_clears_is_given_up_after_a_day(stage: HandingStage, path: str) -> None:
    stage.wecom.drop_answer_after_work(path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.groups.hides_tasks = True
    stage.wecom.drop_answer_after_work(100, path=path)
    for _ in range(26):
        await stage.pass_time(hours=1)
    assert (stage.states(), stage.rows()) == (["refused"], [("一群", "given_up", "unknown")])


async def test_task_that_is_listed_too_late_is_the_doubt_that_remains(stage: HandingStage) -> None:
    """A platform whose list lags more than a minute behind gets a second task: the search of the next one shows the first as its twin."""
    stage.wecom.groups.hides_tasks = True
    stage.wecom.drop_answer_after_work(path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    await stage.pass_time(minutes=2)
    assert (stage.states(), len(stage.on_platform)) == (["created"], 2)


async def test_twins_on_the_platform_are_shown(stage: HandingStage) -> None:
    stage.wecom.drop_answer_after_work(path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    made = stage.on_platform[0]
    stage.on_platform.append(Task("twin", made.owner, made.chats, made.text, (), made.at + 1))
    await stage.pass_time(minutes=2)
    assert [(task.external_id, task.twins) for task in stage.tasks()] == [(made.msgid, 1)]


async def test_same_words_of_an_earlier_task_are_not_taken_for_it(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    stage.wecom.break_next(1, 502, path=ADD)
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    await stage.pass_time(minutes=2)
    assert stage.states() == ["created", "created"]
    assert len({task.external_id for task in stage.tasks()}) == len(stage.on_platform) == 2


async def test_task_that_cannot_be_worked_keeps_no_other_from_its_owner(stage: HandingStage) -> None:
    hand = stage.channel.hand

    async def poisoned(post: HandedPost) -> Handed:
        if post.owner == "zhang":
            raise ValueError("not foreseen")
        return await hand(post)

    stage.channel.hand = poisoned  # type: ignore[method-assign]
    stage.announce()
    await stage.work()
    assert [(task.state, task.error) for task in stage.tasks()] == [("making", "ValueError"), ("created", None)]
    stage.channel.hand = hand  # type: ignore[method-assign]
    await stage.pass_time(minutes=2)
    assert (stage.states(), len(stage.on_platform)) == (["created", "created"], 2)


async def test_task_whose_turn_comes_too_late_is_left_until_it_is_claimed_again(stage: HandingStage) -> None:
    """Its lease may be over by then, and another process at it."""
    hand = stage.channel.hand

    async def slow(post: HandedPost) -> Handed:
        stage.clock.at += timedelta(seconds=40)
        return await hand(post)

    stage.channel.hand = slow  # type: ignore[method-assign]
    stage.announce()
    await stage.work()
    assert (stage.states(), len(stage.on_platform)) == (["created", "making"], 1)
    await stage.pass_time(seconds=30)
    assert (stage.states(), len(stage.on_platform)) == (["created", "created"], 2)


# What the platform refuses, and groups that cannot be reached


async def test_refused_task_is_told_with_its_reason(stage: HandingStage) -> None:
    stage.announce("水" * 1400, areas=[stage.place.grid.id])
    await stage.work()
    (task,) = stage.tasks()
    assert (task.state, stage.on_platform) == ("refused", [])
    assert stage.rows() == [("一群", "given_up", task.error)]
    assert (task.error or "").startswith("正文有 ")


async def test_groups_that_the_platform_leaves_out_are_told_of(stage: HandingStage) -> None:
    stage.wecom.groups.groups[stage.groups["二群"]].owner = "li"  # and nobody has told us
    stage.announce()
    await stage.work()
    stage.wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=1)
    assert stage.rows()[:2] == [("一群", "sent", None), ("二群", "given_up", "not sent")]
    assert stage.states()[0] == "partly"


async def test_right_that_is_missing_is_waited_for_and_given_up_after_a_day(stage: HandingStage) -> None:
    stage.wecom.wire.refused_paths[ADD] = 48002
    stage.announce(areas=[stage.place.grid.id])
    for _ in range(26):
        await stage.pass_time(hours=1)
    assert (stage.states(), stage.rows()) == (["refused"], [("一群", "given_up", "应用没有这个接口的权限（48002）")])


async def test_group_without_an_owner_waits_for_one(stage: HandingStage) -> None:
    told(stage, "一群", owner="")
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    assert (stage.rows(), stage.on_platform) == ([("一群", "queued", "no owner")], [])
    stage.wecom.groups.groups[stage.groups["一群"]].owner = "li"
    stage.clock.at += timedelta(minutes=3)
    told(stage, "一群", owner="li")
    await stage.work()
    assert (stage.rows(), [task.owner for task in stage.on_platform]) == ([("一群", "with_person", None)], ["li"])


async def test_post_that_waited_is_dropped_once_its_group_is_nobodys_or_anothers(stage: HandingStage) -> None:
    told(stage, "一群", owner="")
    stage.announce(areas=[stage.place.grid.id])
    await stage.work()
    with stage.database.writing() as session:
        chat = chats.find(session, "wecom_group", stage.account, stage.groups["一群"])
        assert chat is not None
        chats.unbind(chat)
        elsewhere = builders.community(session, "邻里社区")
        registry.bind(session, elsewhere.id, chat.id, elsewhere.grid, sees_unbound=True)
    stage.clock.at += timedelta(minutes=3)
    told(stage, "一群", owner="zhang")
    await stage.work()
    assert (stage.rows(), stage.on_platform) == ([("一群", "dropped", None)], [])


async def test_group_that_gets_no_owner_is_given_up_after_two_days(stage: HandingStage) -> None:
    told(stage, "一群", owner="")
    stage.announce(areas=[stage.place.grid.id])
    for _ in range(50):
        await stage.pass_time(hours=1)
    assert stage.rows() == [("一群", "given_up", "no owner")]


def told(stage: HandingStage, title: str, *, owner: str) -> None:
    with stage.database.writing() as session:
        chat = chats.find(session, "wecom_group", stage.account, stage.groups[title])
        assert chat is not None
        registry.note(session, chat, title, GroupFacts(stage.clock.at, owner), now=stage.clock.at)


async def test_group_that_is_gone_is_given_up(stage: HandingStage) -> None:
    stage.announce(areas=[stage.place.grid.id])
    with stage.database.writing() as session:
        chat = chats.find(session, "wecom_group", stage.account, stage.groups["一群"])
        assert chat is not None
        chats.note_blocked(session, session.get_one(Chat, chat.id))
    await stage.work()
    assert (stage.rows(), stage.tasks()) == ([("一群", "given_up", "chat left")], [])


# The link


async def test_post_and_welcome_carry_the_link_of_their_area(database: Database, now: datetime, tmp_path: Path) -> None:
    async with handing_stage(database, now, tmp_path, link=LINK) as stage:
        grid, other = stage.place.grid.id, stage.place.other_grid.id
        stage.add_group("一群", "zhang", grid)
        stage.add_group("三群", "li", other)
        stage.announce()
        await stage.work()
        links = [LINK.format(payload=f"area_{area}") for area in (grid, other)]
        assert [call.given["attachments"][0]["link"]["url"] for call in stage.wecom.calls(ADD)] == links
        welcomes = [welcome["text"]["content"] for welcome in stage.wecom.groups.welcomes.values()]
        assert [welcome.splitlines()[1] for welcome in welcomes] == links
        assert welcomes[0].startswith("欢迎来到第一网格的居民群。")
        await stage.pass_time(hours=24)
        assert len(stage.wecom.groups.welcomes) == 2


async def test_groups_of_several_areas_carry_the_link_of_the_community(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    async with handing_stage(database, now, tmp_path, link=LINK) as stage:
        stage.add_group("一群", "zhang", stage.place.grid.id)
        stage.add_group("二群", "zhang", stage.place.other_grid.id)
        stage.announce()
        await stage.work()
        (call,) = stage.wecom.calls(ADD)
        assert call.given["attachments"][0]["link"]["url"] == LINK.format(payload=f"area_{stage.place.id}")


async def test_welcome_of_a_renamed_area_is_changed(database: Database, now: datetime, tmp_path: Path) -> None:
    async with handing_stage(database, now, tmp_path, link=LINK) as stage:
        stage.add_group("一群", "zhang", stage.place.grid.id)
        stage.wecom.fail_next(1, 45033, path="externalcontact/group_welcome_template/add")
        await stage.work()
        assert stage.wecom.groups.welcomes == {}
        await stage.pass_time(hours=7)
        with database.writing() as session:
            session.get_one(type(stage.place.grid), stage.place.grid.id).name = "春晖网格"
        await stage.pass_time(minutes=1)
        (welcome,) = stage.wecom.groups.welcomes.values()
        assert welcome["text"]["content"].startswith("欢迎来到春晖网格的居民群。")
        stage.wecom.groups.welcomes.clear()  # somebody has deleted it in the console
        with database.writing() as session:
            session.get_one(type(stage.place.grid), stage.place.grid.id).name = "第一网格"
        await stage.work()  # the platform does not know the old one any more
        await stage.work()
        assert [one["text"]["content"][:8] for one in stage.wecom.groups.welcomes.values()] == ["欢迎来到第一网格"]


async def test_welcome_that_got_no_id_is_not_made_again_at_once(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    async with handing_stage(database, now, tmp_path, link=LINK) as stage:
        stage.add_group("一群", "zhang", stage.place.grid.id)
        add = "externalcontact/group_welcome_template/add"
        stage.wecom.garble_answer(1, b'{"errcode":0,"errmsg":"ok"}', path=add)
        await stage.work()
        await stage.pass_time(hours=5)
        assert len(stage.wecom.calls(add)) == 1
        await stage.pass_time(hours=2)
        assert len(stage.wecom.calls(add)) == 2

"""Announcements in the browser: writing, previewing, scheduling, changing at once with somebody else, the calendar, what became of it."""

from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from domain import announcements
from domain.announcements import Announcement, AnnouncementState
from storage.database import Database
from storage.messages import File, Outbox, OutboxState
from storage.people import Role
from tests import builders
from tests.web.office import Browser, Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    made = open_office(database, now, tmp_path)
    with database.writing() as session:
        builders.group(session, made.here, now)
    return made


def written(office: Office, **more: str | list[str]) -> dict[str, str | list[str]]:
    """A form filled in well."""
    return {"title": "停水通知", "text": "明天九点停水。", "areas": [str(office.here.id)], **more}


def add(office: Office, now: datetime, title: str = "停水通知", *, recurrence: str = "", there: bool = False) -> int:
    """An announcement; with a recurrence it is scheduled."""
    community = office.there.id if there else office.here.id
    with office.database.writing() as session:
        made = announcements.draft(
            session, community_id=community, title=title, text="明天九点停水。", area_ids=[community],
            chat_ids=[], roles=[], file_ids=[], by=None, now=now,
        )  # fmt: skip
        if recurrence:
            announcements.schedule(session, made, at=None, recurrence=recurrence, now=now)
        return made.id


async def test_list_shows_state_rule_and_next_time_of_this_community(office: Office, now: datetime) -> None:
    add(office, now, "周五帮帮团", recurrence="每周五 15:00")
    add(office, now, "草稿一份")
    add(office, now, "邻居的事", there=True)

    page = (await (await office.browser(office.worker)).get("/announcements")).text

    for words in ("周五帮帮团", "每周五 15:00", "11月27日 15:00", "已排期", "草稿一份"):
        assert words in page
    assert "邻居的事" not in page
    assert "写公告" not in page


async def test_list_costs_the_same_for_one_and_for_three(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    add(office, now, recurrence="每周五 15:00")
    with office.counted() as before:
        await browser.get("/announcements")
    add(office, now, "二", recurrence="逢四")
    add(office, now, "三", recurrence="每天 8:30")
    with office.counted() as after:
        await browser.get("/announcements")
    assert len(after) == len(before)


async def test_written_previewed_scheduled_and_posted(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)

    draft = await browser.post("/announcements/new", written(office, when="again", recurrence="每周五 15:00"))
    key = draft.headers["location"].split("/")[2]
    preview = await browser.after(draft)
    assert office.row(Announcement, int(key)).state == AnnouncementState.DRAFT
    for words in ("【停水通知】", "3号楼居民群（1 个）", "11月27日 15:00", "12月25日 15:00", "确定安排"):
        assert words in preview

    said = await browser.after(
        await browser.post(f"/announcements/{key}/schedule", when="again", recurrence="每周五 15:00", at="", ends="")
    )

    assert "已安排，第一次发送：11月27日 15:00。" in said
    scheduled = office.row(Announcement, int(key))
    assert (scheduled.state, scheduled.recurrence) == (AnnouncementState.SCHEDULED, "每周五 15:00")
    assert office.desk.wakes == [now]
    assert office.acts() == [("announcement.draft", office.clerk), ("announcement.schedule", office.clerk)]
    with office.database.writing() as session:
        assert announcements.post_due(session, now + timedelta(days=7)) == 1
    assert [row.text for row in office.rows(Outbox)] == ["【停水通知】\n明天九点停水。"]


@pytest.mark.parametrize(
    ("hours", "when", "words"),
    [
        (0, {"when": "now"}, "正在发出；每个群"),
        (13, {"when": "now"}, "现在是晚上免打扰的时间，11月22日 07:30 发出。"),
        (0, {"when": "once", "at": "2026-11-22T09:00"}, "已安排，11月22日 09:00 发出。"),
        (0, {"when": "once", "at": "2026-11-22T23:00"}, "已安排，11月23日 07:30 发出。"),
        (0, {"when": "again", "recurrence": "每天 23:00"}, "已安排，第一次发送：11月22日 07:30。"),
    ],
)
async def test_what_is_said_of_a_schedule_is_true(
    office: Office, now: datetime, hours: int, when: dict[str, str], words: str
) -> None:
    key = add(office, now)
    office.desk.clock.advance(timedelta(hours=hours))
    browser = await office.browser(office.clerk)
    assert words in await browser.after(await browser.post(f"/announcements/{key}/schedule", when))


async def test_what_is_said_of_a_change_is_true(office: Office, now: datetime) -> None:
    key = add(office, now)
    browser = await office.browser(office.clerk)
    path = f"/announcements/{key}"

    async def saved() -> str:
        fields = written(office, version=str(office.row(Announcement, key).version), draft="1")
        page = await browser.after(await browser.post(f"{path}/edit", fields))
        return page.split('role="status">', 1)[1].split("<span>")[-1].split("</span>")[0]

    said = [await saved()]
    await browser.post(f"{path}/schedule", when="again", recurrence="每天 23:00")
    said.append(await saved())
    await browser.post(f"{path}/pause")
    said.append(await saved())
    await browser.post(f"{path}/resume")
    await browser.post(f"{path}/schedule", when="now")
    with office.database.writing() as session:
        announcements.post_due(session, now)
    said.append(await saved())

    assert said == [
        "已保存，还是草稿，没有发出。",
        "内容已保存，时间没有变，11月22日 07:30 按新内容发；已经发出的不会改。",
        "内容已保存，还在暂停，恢复以后按新内容发；已经发出的不会改。",
        "内容已保存，还没送到的按新内容发；已经送到的不会改。",
    ]


async def test_times_are_explained_before_anything_is_saved(office: Office) -> None:
    browser = await office.browser(office.clerk)

    good = await browser.post(
        "/announcements/new", written(office, when="again", recurrence="每月最后一个周五下午3点", look="1")
    )
    bad = await browser.post("/announcements/new", written(office, when="again", recurrence="有空的时候", look="1"))

    assert (good.status_code, bad.status_code) == (200, 200)
    for words in ("每月最后一个周五 15:00", "11月27日 15:00", "12月25日 15:00", "2027年1月29日 15:00"):
        assert words in good.text
    assert "没看懂“有空的时候”" in bad.text
    assert 'value="有空的时候"' in bad.text
    assert office.rows(Announcement) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "请写公告的标题"),
        ({"title": "长" * 61}, "请写公告的标题"),
        ({"text": ""}, "公告没有内容"),
        ({"text": "长" * 4097}, "公告连标题最多 4096 个字符"),
        ({"text": "长" * 25_000}, "公告连标题最多 4096 个字符，现在有 25007 个"),
        ({"areas": ["there"]}, "所选的网格里有的不属于本社区"),
        ({"areas": ["x"]}, "所选的网格或群有误"),
        ({"roles": ["king"]}, "没有“king”这个身份"),
        ({"when": "once", "at": ""}, "定时发送要填日期和时间"),
        ({"when": "once", "at": "2026-02-30T09:00"}, "没有“2026-02-30 09:00”这个日期和时间"),
        ({"when": "again", "recurrence": "每月15日", "ends": "2026-02-30"}, "没有“2026-02-30”这个日期"),
        ({"when": "once", "at": "2026-11-20T08:00"}, "2026-11-20 08:00 已经过去了"),
        ({"when": "once", "at": "9999-12-31T23:59"}, "9999 年太远了，请核对年份"),
        ({"when": "once", "at": "0001-01-01T00:00"}, "1 年太远了，请核对年份"),
        ({"when": "again", "recurrence": ""}, "请写明什么时候发"),
        ({"when": "again", "recurrence": "每月15日", "ends": "2026-11-30"}, "一次也轮不到"),
    ],
)
async def test_bad_form_is_refused_and_keeps_what_was_typed(
    office: Office, fields: dict[str, str | list[str]], words: str
) -> None:
    browser = await office.browser(office.clerk)
    if fields.get("areas") == ["there"]:
        fields = {"areas": [str(office.there.id)]}

    answer = await browser.post("/announcements/new", written(office, **fields))

    assert answer.status_code == 409
    assert words in answer.text
    typed = fields.get("title", "停水通知")
    assert f'value="{typed}"' in answer.text
    assert office.rows(Announcement) == []
    assert office.acts() == []


async def test_words_of_people_are_escaped(office: Office) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.post("/announcements/new", written(office, title="<script>x</script>", draft="1"))
    page = await browser.after(answer)
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


async def test_stale_change_is_refused_and_both_versions_are_shown(office: Office, now: datetime) -> None:
    key = add(office, now)
    first, second = await office.browser(office.clerk), await office.browser(office.administrator)
    version = str(office.row(Announcement, key).version)

    await first.after(
        await first.post(f"/announcements/{key}/edit", written(office, text="改到十点。", version=version, draft="1"))
    )
    refused = await second.post(f"/announcements/{key}/edit", written(office, text="改到下午。", version=version))

    assert refused.status_code == 409
    assert "这条公告又有过改动，所以您的修改还没有保存" in refused.text
    assert "改到下午。</textarea>" in refused.text
    assert "改到十点。" in refused.text
    assert office.row(Announcement, key).text == "改到十点。"
    newest = refused.text.split('name="version" value="')[1].split('"')[0]
    await second.after(
        await second.post(f"/announcements/{key}/edit", written(office, text="改到下午。", version=newest, draft="1"))
    )
    assert office.row(Announcement, key).text == "改到下午。"


async def test_edit_form_is_filled_with_what_is_planned(office: Office, now: datetime) -> None:
    key = add(office, now, recurrence="每周五 15:00")
    page = (await (await office.browser(office.clerk)).get(f"/announcements/{key}/edit")).text
    for words in ('value="停水通知"', "明天九点停水。</textarea>", 'value="每周五 15:00"', 'value="again" checked'):
        assert words in page
    assert f'name="areas" value="{office.here.id}" checked' in page


async def test_paused_resumed_and_cancelled(office: Office, now: datetime) -> None:
    key = add(office, now, recurrence="每周五 15:00")
    browser = await office.browser(office.clerk)
    path = f"/announcements/{key}"

    said = [await browser.after(await browser.post(f"{path}/{step}")) for step in ("pause", "resume", "cancel")]
    late = await browser.post(f"{path}/pause")

    for page, words in zip(
        said, ("已暂停，没发出去", "下一次发送：11月27日 15:00", "已取消，以后不再发送"), strict=True
    ):
        assert words in page
    assert (late.status_code, "现在是“已取消”，不能暂停" in late.text) == (409, True)
    assert office.row(Announcement, key).state == AnnouncementState.CANCELLED
    acts = ["announcement.pause", "announcement.resume", "announcement.cancel"]
    assert office.acts() == [(act, office.clerk) for act in acts]


async def test_nobody_chosen_cannot_be_scheduled(office: Office) -> None:
    browser = await office.browser(office.clerk)
    draft = await browser.post("/announcements/new", written(office, areas=[], when="now"))
    key = draft.headers["location"].split("/")[2]

    preview = await browser.after(draft)
    answer = await browser.post(f"/announcements/{key}/schedule", when="now")

    assert "现在一个群、一个人也发不到" in preview
    assert (answer.status_code, "还没有选发给谁" in answer.text) == (409, True)
    assert office.row(Announcement, int(key)).state == AnnouncementState.DRAFT


async def posted(office: Office, now: datetime) -> tuple[int, int]:
    """An announcement that went to two groups and a person; one post failed, one is held. Returns it and its run."""
    with office.database.writing() as session:
        builders.group(session, office.here, now, title="失踪的群")
        worker = builders.person(session, "马建军", Role.GRID_WORKER, office.here.grid.id)
        builders.private_chat(session, worker, now)
        made = announcements.draft(
            session, community_id=office.here.id, title="停水通知", text="停水", area_ids=[office.here.id],
            chat_ids=[], roles=["grid_worker"], file_ids=[], by=None, now=now,
        )  # fmt: skip
        announcements.schedule(session, made, at=None, recurrence=None, now=now)
        announcements.post_due(session, now)
        rows = {row.chat_id: row for row in session.query(Outbox)}
        titles = {chat.title: rows[chat.id] for chat in announcements.targets(session, made, now=now)}
        titles["失踪的群"].state, titles["失踪的群"].error = OutboxState.GIVEN_UP, "chat left"
        titles["3号楼居民群"].state, titles["3号楼居民群"].error = OutboxState.HELD, "interrupted"
        titles["马建军"].state = OutboxState.SENT
        return made.id, announcements.runs(session, made)[0].id


async def test_runs_tell_what_arrived_and_why_not(office: Office, now: datetime) -> None:
    key, run = await posted(office, now)
    browser = await office.browser(office.officer)

    page = (await browser.get(f"/announcements/{key}")).text
    detail = (await browser.get(f"/announcements/{key}/runs/{run}")).text

    cells = [cell.split("<")[0] for cell in page.split('class="number"')[1:]]
    assert [cell.split(">")[1] for cell in cells if ">" in cell][:2] == ["3", "1"]
    for words in ("失踪的群", "机器人已不在这个群里", "3号楼居民群", "不知道对方收到没有"):
        assert words in detail
    assert "马建军" not in detail


async def test_detail_costs_the_same_for_one_run_and_for_three(office: Office, now: datetime) -> None:
    key = add(office, now, recurrence="每天 9:00")
    browser = await office.browser(office.clerk)
    with office.database.writing() as session:
        announcements.post_due(session, now + timedelta(days=1))
    with office.counted() as before:
        await browser.get(f"/announcements/{key}")
    for days in (2, 3):
        with office.database.writing() as session:
            assert announcements.post_due(session, now + timedelta(days=days)) == 1
    with office.counted() as after:
        page = (await browser.get(f"/announcements/{key}")).text
    assert len(after) == len(before)
    assert page.count("/runs/") == 3


async def test_calendar_shows_what_went_out_and_what_comes(office: Office, now: datetime) -> None:
    await posted(office, now)
    add(office, now, "周五帮帮团", recurrence="每周五 15:00")
    add(office, now, "夜里的事", recurrence="每月25日 23:00")
    paused = add(office, now, "停掉的事", recurrence="每天 9:00")
    with office.database.writing() as session:
        announcements.pause(session, announcements.announcement_of(session, office.here.id, paused))
    browser = await office.browser(office.worker)

    november = (await browser.get("/announcements/calendar")).text
    december = (await browser.get("/announcements/calendar?month=2026-12")).text
    nonsense = (await browser.get("/announcements/calendar?month=0000-99")).text

    assert "2026 年 11 月的公告" in november
    assert 'title="10:00 停水通知"' in november
    assert november.count('title="15:00 周五帮帮团"') == 2  # with 4 December, in the last week shown
    assert 'title="07:30 夜里的事"' in november  # 23:00 lies in the quiet hours
    assert "停掉的事" not in november
    assert december.count('title="15:00 周五帮帮团"') == 5  # with 1 January, in the last week shown
    assert "2026 年 11 月的公告" in nonsense


async def refused(browser: Browser, key: int) -> list[int]:
    posts = ("edit", "schedule", "pause", "resume", "cancel")
    gets = ("", "/edit", "/preview", "/runs/1")
    path = f"/announcements/{key}"
    return [(await browser.post(f"{path}/{step}", when="now")).status_code for step in posts] + [
        (await browser.get(path + step)).status_code for step in gets
    ]


async def test_foreign_announcements_look_like_none(office: Office, now: datetime) -> None:
    foreign = add(office, now, there=True)
    browser = await office.browser(office.clerk)
    assert await refused(browser, foreign) == await refused(browser, 12345) == [404] * 9


async def test_only_clerks_write(office: Office, now: datetime) -> None:
    key = add(office, now)
    for person in (office.officer, office.worker):
        browser = await office.browser(person)
        assert await refused(browser, key) == [403] * 5 + [200, 403, 403, 404]
        assert (await browser.post("/announcements/new", written(office))).status_code == 403
    assert office.acts() == []


def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(buffer, "PNG")
    return buffer.getvalue()


async def send_with_photo(
    browser: Browser, path: str, fields: dict[str, str | list[str]], photo: bytes
) -> httpx.Response:
    data = {"csrf": browser.csrf, **fields}
    return await browser.client.post(path, data=data, files={"photos": ("海报.png", photo, "image/png")})


async def test_poster_goes_along_and_can_be_taken_off(office: Office) -> None:
    browser = await office.browser(office.clerk)

    await browser.after(await send_with_photo(browser, "/announcements/new", written(office, draft="1"), picture()))
    (made,), (file,) = office.rows(Announcement), office.rows(File)
    form = (await browser.get(f"/announcements/{made.id}/edit")).text
    await browser.after(
        await browser.post(f"/announcements/{made.id}/edit", written(office, version=str(made.version), draft="1"))
    )

    assert (made.file_ids, file.state, file.community_id, file.case_id) == (
        [str(file.id)],
        "stored",
        office.here.id,
        None,
    )
    assert f'name="files" value="{file.id}" checked' in form
    assert office.row(Announcement, made.id).file_ids == []


async def test_broken_picture_is_refused_and_the_form_stays(office: Office) -> None:
    browser = await office.browser(office.clerk)

    answer = await send_with_photo(browser, "/announcements/new", written(office, draft="1"), b"\x89PNG broken")

    assert answer.status_code == 409
    assert 'value="停水通知"' in answer.text
    assert (office.rows(Announcement), office.rows(File)) == ([], [])

"""Every page of the console: on a phone without scrolling sideways, and its forms without scripts."""

import re
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from tests.browser.stage import DESK, PHONE, Open, Town, Watch, choose_chat, come_in, scrolls_sideways

PAGES = (
    "/desk",
    "/desk?state=all",
    "/desk/board",
    "/desk/mine",
    "/desk/phone-tasks",
    "/desk/wishes",
    "/desk/new",
    "/announcements",
    "/announcements/new",
    "/announcements/calendar",
    "/conventions",
    "/areas",
    "/areas/import",
    "/people",
    "/groups",
    "/outbox",
    "/understanding",
    "/audit",
    "/sessions",
)


async def test_no_page_scrolls_sideways(town: Town, window: Open) -> None:
    said = town.say("g2", "p03", "13号楼三单元楼道里堆满了杂物" + "，大家都觉得很不方便" * 12)
    number = town.number_in("g2", said)
    async with window(PHONE) as page:
        await come_in(page, town)
        wide = []
        for path in PAGES:
            answer = await page.goto(f"{town.address}{path}")
            assert answer is not None
            assert answer.status == 200, path
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            wide += [(path, size) for size in (PHONE, DESK) if await _is_too_wide(page, size)]
        await page.goto(f"{town.address}/desk?q={number}")
        await page.get_by_role("link", name=number).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(number)
        wide += [("the case", size) for size in (PHONE, DESK) if await _is_too_wide(page, size)]
        assert wide == []


async def _is_too_wide(page: Page, size: tuple[int, int]) -> bool:
    width, height = size
    await page.set_viewport_size({"width": width, "height": height})
    return await scrolls_sideways(page)


async def test_simulator_does_not_scroll_sideways_on_a_phone(town: Town, window: Open) -> None:
    async with window(PHONE) as page:
        await choose_chat(page, town, "g1")
        assert not await scrolls_sideways(page)
        for tab in ("会话", "为什么", "聊天"):
            await page.locator(".tabs").get_by_role("button", name=tab).click()
            assert not await scrolls_sideways(page)


async def test_case_is_entered_and_closed_without_scripts(town: Town, window: Open, watch: Watch) -> None:
    async with window(scripts=False) as page:
        await come_in(page, town)
        await page.goto(f"{town.address}/desk/new")
        await page.get_by_label("内容").fill("来电反映7号楼下水道堵塞，污水外溢")
        await page.get_by_label("具体位置").fill("7号楼东侧")
        await page.get_by_label("报告人姓名").fill("周先生")
        await page.get_by_role("button", name="登记").click()
        await expect(page.locator(".case-words").first).to_have_text("来电反映7号楼下水道堵塞，污水外溢")
        number = await page.get_by_role("heading", level=1).inner_text()
        assert re.fullmatch(r"BX-\d{8}-\d{4}", number)
        await page.get_by_role("button", name="接单").click()
        await expect(page.locator(".sheet-head")).to_contain_text("已接单")
        await page.locator("#step-finish summary").click()
        watch.expected.add((409, f"{urlsplit(page.url).path}/steps/finish"))
        await page.get_by_role("button", name="办结").click()
        await expect(page.locator("#step-finish [role=alert]")).to_be_visible()  # neither photo nor words
        await page.locator("#note-finish").fill("已疏通")
        await page.get_by_role("button", name="办结").click()
        await expect(page.locator(".sheet-head")).to_contain_text("已办结")
        await page.locator("#step-close summary").click()
        await page.locator("#note-close").fill("电话回访，居民满意")
        await page.get_by_role("button", name="销单").click()
        await expect(page.locator(".sheet-head")).to_contain_text("已销单")


async def test_filters_work_without_scripts(town: Town, window: Open) -> None:
    said = town.say("g3", "p05", "25号楼后面的垃圾桶满了好几天没人清")
    number = town.number_in("g3", said)
    async with window(scripts=False) as page:
        await come_in(page, town)
        await page.goto(f"{town.address}/desk")
        await page.get_by_label("编号、内容或地点").fill(number)
        await page.get_by_role("button", name="筛选").click()
        await expect(page.locator("table.ledger tbody tr")).to_have_count(1)
        await expect(page.locator("table.ledger tbody tr")).to_contain_text(number)


async def test_a_long_text_is_counted_and_never_cut(town: Town, window: Open) -> None:
    async with window() as page:
        await come_in(page, town)
        await page.goto(f"{town.address}/desk/new")
        field = page.get_by_label("内容")
        await field.fill("长" * 4010)
        await expect(page.locator(".letters-left")).to_have_text("已写 4010 个字，最多 4000 个字，请删去 10 个字。")
        await page.get_by_role("button", name="登记").click()  # the browser itself points at the field
        assert urlsplit(page.url).path == "/desk/new"
        await expect(field).to_have_value("长" * 4010)

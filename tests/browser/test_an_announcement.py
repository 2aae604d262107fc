"""An announcement written, previewed and scheduled at the console arrives in the group when the demo's clock has come to its hour."""

from datetime import timedelta

from playwright.async_api import expect

from tests.browser.stage import Open, Town, bubbles, choose_chat, come_in

TITLE, TEXT = "停水通知", "明天上午 8:30 到 12:00 检修水管，请提前储水。"


async def test_announcement_arrives_at_its_hour(town: Town, window: Open) -> None:
    async with window() as desk, window() as chat:
        await come_in(desk, town)
        await desk.goto(f"{town.address}/announcements")
        await desk.get_by_role("link", name="写公告").click()
        await desk.get_by_label("标题").fill(TITLE)
        await desk.get_by_label("正文").fill(TEXT)
        await desk.get_by_label("望山居邻里群").check()
        await desk.get_by_label("定时发一次").check()
        hour = town.now().replace(hour=7, minute=40, second=0, microsecond=0) + timedelta(days=1)
        await desk.get_by_label("日期和时间").fill(f"{hour:%Y-%m-%dT%H:%M}")
        await desk.get_by_role("button", name="下一步：预览").click()
        await expect(desk.locator(".bubble")).to_contain_text(TEXT)
        await expect(desk.locator("dl.facts")).to_contain_text("望山居邻里群（1 个）")
        await desk.get_by_role("button", name="确定安排").click()
        await expect(desk.locator(".sheet-head")).to_contain_text(TITLE)
        page_of_it = desk.url
        await choose_chat(chat, town, "g4")
        await expect(bubbles(chat, TEXT)).to_have_count(0)
        await chat.get_by_role("button", name="到明天 8:00").click()
        await expect(bubbles(chat, TEXT)).to_have_count(1)
        town.settle()
        await desk.goto(page_of_it)
        row = desk.locator("table.ledger tbody tr")
        await expect(row).to_have_count(1)
        await expect(row.locator('[data-label="应发"]')).to_have_text("1")
        await expect(row.locator('[data-label="已送到"]')).to_have_text("1")
        await expect(row.locator('[data-label="没送到"]')).to_have_text("0")

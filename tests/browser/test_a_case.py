"""A case from the resident's words to the resident's "满意": at the desk, and from the worker's phone."""

import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.stage import PHONE, Open, Town, answered, bubbles, choose_chat, come_in, press, send

NUMBER = re.compile(r"BX-\d{8}-\d{4}")
GROUP, RESIDENT, WORKER = "g1", "李秀兰", "p14"


async def report(page: Page, town: Town, words: str, photo: Path | None = None) -> str:
    """Says it in the group, as the resident; returns the number on the receipt."""
    await choose_chat(page, town, GROUP, RESIDENT)
    if photo is not None:
        await page.locator("#photos").set_input_files(photo)
        await expect(page.locator("#previews img")).to_have_count(1)
    own = await send(page, town, words)
    if photo is not None:
        await expect(own.locator("img")).to_have_count(1)
    receipt = answered(own).filter(has_text=NUMBER).first
    await expect(receipt).to_contain_text("撤销")
    found = NUMBER.search(await receipt.inner_text())
    assert found
    return found[0]


async def test_case_is_worked_at_the_desk_and_rated_in_the_group(town: Town, window: Open, photo: Path) -> None:
    async with window() as chat, window() as desk:
        number = await report(chat, town, "5号楼2单元门口井盖坏了，差点绊倒人", photo)
        await come_in(desk, town)
        await desk.goto(f"{town.address}/desk?q={number}")
        await desk.get_by_role("link", name=number).click()
        await expect(desk.get_by_role("heading", level=1)).to_have_text(number)
        await expect(desk.locator(".photo-row img")).to_have_count(1)
        await desk.get_by_role("button", name="接单").click()
        await expect(desk.locator(".sheet-head")).to_contain_text("已接单")
        await desk.get_by_role("button", name="到场").click()
        await expect(desk.locator(".sheet-head")).to_contain_text("已到场")
        await desk.locator("#step-finish summary").click()
        await desk.locator("#note-finish").fill("换了新井盖")
        await desk.locator("#photos-finish").set_input_files(photo)
        await desk.get_by_role("button", name="办结").click()
        await expect(desk.locator(".sheet-head")).to_contain_text("已办结")
        await expect(desk.locator(".photo-row img")).to_have_count(2)
        asked = bubbles(chat, number).filter(has=chat.get_by_role("button", name="不满意")).last
        await expect(asked).to_contain_text("换了新井盖")
        await press(chat, town, asked.get_by_role("button", name="满意", exact=True))
        await desk.reload()
        await expect(desk.locator(".sheet-head")).to_contain_text("已销单")
        await expect(desk.locator(".case-facts")).to_contain_text("满意")
        steps = await desk.locator(".life strong").all_inner_texts()
        assert steps == ["评价满意", "办结", "到场", "接单", "派单", "登记"]  # the newest first


async def test_case_is_worked_from_the_workers_phone(town: Town, window: Open, photo: Path) -> None:
    async with window() as chat, window(PHONE) as phone, window() as desk:
        number = await report(chat, town, "4号楼楼道灯不亮了，晚上看不见")
        await choose_chat(phone, town, f"private:{WORKER}")
        card = bubbles(phone, number).filter(has=phone.get_by_role("button", name="退单")).last
        await expect(card).to_contain_text("状态：已派单")
        await card.get_by_role("button", name="接单").click()
        await expect(card).to_contain_text("状态：已接单")  # the card is edited, and its buttons with it
        await card.get_by_role("button", name="到场").click()
        await expect(card).to_contain_text("状态：已到场")
        await card.get_by_role("button", name="办结").click()
        await expect(phone.locator("#messages li.from-bot").last).to_contain_text("照片")
        await phone.locator("#photos").set_input_files(photo)
        await phone.locator("#send").click()
        asked = bubbles(chat, number).filter(has=chat.get_by_role("button", name="不满意")).last
        await press(chat, town, asked.get_by_role("button", name="满意", exact=True))
        await come_in(desk, town)
        await desk.goto(f"{town.address}/desk?state=closed&q={number}")
        await desk.get_by_role("link", name=number).click()
        await expect(desk.locator(".sheet-head")).to_contain_text("已销单")
        steps = await desk.locator(".life strong").all_inner_texts()
        assert steps == ["评价满意", "办结", "到场", "接单", "派单", "登记"]  # the newest first


async def test_dissatisfied_resident_opens_the_case_again(town: Town, window: Open) -> None:
    async with window() as chat, window() as desk:
        number = await report(chat, town, "1号楼电梯按钮失灵，按了没有反应")
        await come_in(desk, town)
        await desk.goto(f"{town.address}/desk?q={number}")
        await desk.get_by_role("link", name=number).click()
        await desk.locator("#step-finish summary").click()
        await desk.locator("#note-finish").fill("已联系维保")
        await desk.get_by_role("button", name="办结").click()
        asked = bubbles(chat, number).filter(has=chat.get_by_role("button", name="不满意")).last
        await press(chat, town, asked.get_by_role("button", name="不满意"))
        await desk.reload()
        await expect(desk.locator(".sheet-head")).to_contain_text("已派单")
        await expect(desk.locator(".case-facts")).to_contain_text("重开")


async def test_board_moves_a_card_by_dragging(town: Town, window: Open) -> None:
    async with window() as desk:
        said = town.say(GROUP, "p01", "6号楼单元门禁坏了，谁都能进")
        number = town.number_in(GROUP, said)
        await come_in(desk, town)
        await desk.goto(f"{town.address}/desk/board")
        card = desk.locator(".board-card").filter(has_text=number)
        column = desk.locator('[data-state="accepted"]')
        await expect(desk.locator("[data-board] [data-ready]").first).to_be_attached()
        await card.scroll_into_view_if_needed()
        here, there = await card.bounding_box(), await column.bounding_box()
        assert here and there
        await desk.mouse.move(here["x"] + here["width"] - 12, here["y"] + here["height"] - 8)
        await desk.mouse.down()
        await desk.mouse.move(there["x"] + 40, there["y"] + 30, steps=12)
        await desk.mouse.up()
        await expect(column.locator(".board-card").filter(has_text=number)).to_be_visible()
        await expect(desk.get_by_role("status").filter(has_text="接单")).to_be_visible()
        await desk.reload()
        await expect(column.locator(".board-card").filter(has_text=number)).to_be_visible()

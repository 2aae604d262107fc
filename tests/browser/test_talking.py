"""The simulator's page with the real program behind it: words and a photo, the receipt, and why."""

from pathlib import Path

from playwright.async_api import expect

from tests.browser.stage import PHONE, Open, Town, answered, choose_chat, send

WORDS = "8号楼门口路灯一闪一闪的，快坏了"


async def test_resident_talks_and_asks_why(town: Town, window: Open, photo: Path) -> None:
    async with window() as page:
        await choose_chat(page, town, "g1", "张伟明")
        await page.locator("#photos").set_input_files(photo)
        own = await send(page, town, WORDS)
        await expect(own.get_by_role("img", name="照片 1")).to_be_visible()
        await own.get_by_role("button", name="放大第 1 张照片").click()
        await expect(page.locator("#viewer-photo")).to_be_visible()
        await page.get_by_role("button", name="关闭照片").click()
        await expect(answered(own).first).to_contain_text("BX-")
        await own.get_by_role("button", name="为什么").click()
        why = page.locator("#why")
        await expect(why).to_contain_text("登记成一件事")
        await expect(why).to_contain_text("报事")
        await expect(why).to_contain_text("8号楼")
        await expect(why.locator("mark").filter(has_text="路灯").first).to_be_visible()
        await expect(why).not_to_contain_text("model")


async def test_chatter_gets_silence_and_a_reason(town: Town, window: Open) -> None:
    async with window(PHONE) as page:
        await choose_chat(page, town, "g6")
        before = len([one for one in town.call("GET", "/messages?chat=g6") if one["sender"] == "bot"])
        own = await send(page, town, "今天天气真好呀")
        after = len([one for one in town.call("GET", "/messages?chat=g6") if one["sender"] == "bot"])
        assert after == before
        await own.get_by_role("button", name="为什么").click()
        await expect(page.locator("#why")).to_contain_text("不打扰")


async def test_undo_takes_the_report_back(town: Town, window: Open) -> None:
    async with window() as page:
        await choose_chat(page, town, "g1", "李秀兰")
        own = await send(page, town, "2号楼门口的垃圾桶盖子掉了")
        receipt = answered(own).filter(has=page.get_by_role("button", name="撤销")).first
        await expect(receipt).to_contain_text("垃圾")
        key = await receipt.get_attribute("data-id")
        await receipt.get_by_role("button", name="撤销").click()
        await expect(page.locator(f'#messages li[data-id="{key}"]')).to_contain_text("撤回")
        await expect(page.locator(f'#messages li[data-id="{key}"]').get_by_role("button", name="撤销")).to_have_count(0)

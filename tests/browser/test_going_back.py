"""A page that answered a form, reloaded and come back to: never a question of the browser's own, and nothing typed is lost."""

from playwright.async_api import expect

from tests.browser.stage import Open, Town, Watch, come_in

WORDS = "木条在物业仓库里，\n明天上午去装"


async def test_refused_step_is_reloaded_and_come_back_to(town: Town, window: Open, watch: Watch) -> None:
    said = town.say("g1", "p02", "2号楼东侧的长椅断了一根木条")
    number = town.number_in("g1", said)
    async with window() as page, window() as other:
        for each in (page, other):
            await come_in(each, town)
            await each.goto(f"{town.address}/desk?q={number}")
            await each.get_by_role("link", name=number).click()
            await expect(each.get_by_role("heading", level=1)).to_have_text(number)
        own = page.url
        await other.get_by_role("button", name="接单").click()
        await expect(other.locator(".sheet-head")).to_contain_text("已接单")
        watch.expected.add((409, f"{own.removeprefix(town.address)}/steps/add"))
        await page.locator("#step-add summary").click()
        await page.locator("#note-add").fill(WORDS)
        await page.get_by_role("button", name="补充", exact=True).click()
        await expect(page.locator("#step-add [role=alert]")).to_be_visible()
        assert page.url == f"{own}?step=add#step-add"
        await page.reload()
        await expect(page.locator("#notice")).to_contain_text("已经填回表单")
        await expect(page.locator("#note-add")).to_have_value(WORDS)
        await page.goto(f"{town.address}/desk/board")
        await page.go_back()
        await expect(page.locator("#note-add")).to_have_value(WORDS)
        await page.get_by_role("button", name="补充", exact=True).click()
        await expect(page.locator(".life")).to_contain_text(WORDS.split("\n")[1])
        await page.go_back()  # what has been done is not offered again
        await expect(page.get_by_role("heading", level=1)).to_have_text(number)
        await expect(page.locator("#notice")).to_be_hidden()

"""Coming in by the one-time link, and what happens to the link afterwards."""

from playwright.async_api import expect

from tests.browser.stage import CLERK, Open, Town, Watch, sign_in


async def test_link_lets_its_person_in_once(town: Town, window: Open, watch: Watch) -> None:
    link = town.link_for(CLERK)
    async with window() as page:
        await page.goto(link)
        await page.reload()  # looking at it does not spend it
        await page.get_by_role("button", name="登录").click()
        await expect(page.get_by_role("navigation", name="主导航")).to_contain_text("看板")
        await expect(page.locator(".side-who strong")).to_have_text("董海燕")
    watch.expected.add((409, "/sign-in"))
    async with window() as page:
        await page.goto(link)
        await page.get_by_role("button", name="登录").click()
        await expect(page.locator("main")).to_contain_text("链接")
        await expect(page.locator(".side-who")).to_have_count(0)


async def test_who_is_not_signed_in_is_shown_the_way(town: Town, window: Open) -> None:
    async with window() as page:
        await page.goto(f"{town.address}/desk")
        assert page.url.startswith(f"{town.address}/sign-in")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("登录")


async def test_form_outlives_the_session_and_goes_on_from_its_window(town: Town, window: Open, watch: Watch) -> None:
    async with window() as page:
        await sign_in(page, town)
        await page.goto(f"{town.address}/desk/new")
        await page.get_by_label("内容").fill("来电反映9号楼后面的水管冒水")
        await page.get_by_label("具体位置").fill("9号楼后面")
        await page.context.clear_cookies()
        watch.expected.add((403, "/desk/new"))
        await page.get_by_role("button", name="登记").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("登录已经到期，这一步还没有做")
        async with page.context.expect_page() as opened:
            await page.get_by_role("button", name="以社区工作者身份进入").click()
        beside = await opened.value
        await beside.get_by_role("button", name="登录").click()
        await beside.wait_for_url("**/desk")
        await beside.close()
        await page.get_by_role("button", name="继续提交").click()
        await expect(page.locator(".case-words").first).to_have_text("来电反映9号楼后面的水管冒水")


async def test_going_out_closes_the_console(town: Town, window: Open) -> None:
    async with window() as page:
        await sign_in(page, town)
        await page.get_by_role("button", name="退出").click()
        await page.goto(f"{town.address}/desk")
        assert page.url.startswith(f"{town.address}/sign-in")

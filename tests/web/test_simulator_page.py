"""The simulator's page in a real browser: talk, press, ask why, move the clock. No script fault, no 404, nothing leaves the machine."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from PIL import Image
from playwright.async_api import Page, Route, expect
from starlette.staticfiles import StaticFiles

from bot.channels.simulator import SimulatorChannel
from bot.simulator.interface import SimulatorInterface
from bot.simulator.platform import SimulatedPlatform
from core.clock import ShiftedClock
from core.ids import new_id
from core.messages import Bookmark, Button, ChatKind, ChatRef, Incoming, IncomingKind, Outgoing, OutgoingAction
from tests.browser.stage import DESK, PHONE, Watch
from tests.chromium import Windows
from web.rendering import STATIC
from web.security import Protection, protect
from web.simulator import simulator_routes

on_both = pytest.mark.parametrize("page", [DESK, PHONE], ids=["desk", "phone"], indirect=True)


@dataclass
class Bot:
    """Answers every group message and every press, so that the page has something to show."""

    platform: SimulatedPlatform
    pressed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.channel = SimulatorChannel(self.platform)

    async def deliver(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        for incoming in incomings:
            if incoming.kind is IncomingKind.MESSAGE:
                worker = ChatRef("private:li", ChatKind.PRIVATE)
                await self.send(incoming.chat, OutgoingAction.SEND, "已登记 BX-1", reply_to=incoming.message_id)
                await self.send(worker, OutgoingAction.SEND, "新任务 BX-1")
            elif incoming.kind is IncomingKind.PRESS:
                self.pressed.append(incoming.button or "")
                await self.send(incoming.chat, OutgoingAction.ANSWER_PRESS, "已撤销", press_id=incoming.press_id)

    async def send(self, chat: ChatRef, action: OutgoingAction, text: str, **more: str | None) -> None:
        buttons = ((Button("撤销", "undo:1"),),)
        outgoing = Outgoing(str(new_id()), "simulator", "simulator", action, chat, text, buttons, **more)  # type: ignore[arg-type] # all of `more` are ids
        await self.channel.send(outgoing)


def simulation(platform: SimulatedPlatform) -> SimulatorInterface:
    async def settle() -> None: ...

    async def advance_to(moment: datetime) -> None:
        platform.clock.move_to(moment)

    async def next_due() -> datetime | None:
        return platform.clock.now() + timedelta(hours=3)

    def why(chat: str, message: str) -> Mapping[str, object] | None:
        return {
            "kind": "report",
            "certainty": 0.9,
            "because": [{"word": "井盖", "speaks_for": "report", "weight": 1.5}],
        }

    return SimulatorInterface(platform, settle=settle, advance_to=advance_to, why=why, next_due=next_due)


@pytest.fixture
def platform(tmp_path: Path) -> SimulatedPlatform:
    made = SimulatedPlatform(tmp_path / "simulator.sqlite3", ShiftedClock())
    made.add_person("王秀英", roles=["居民"], area="3号楼", person_id="wang")
    made.add_person("李强", roles=["网格员"], person_id="li")
    made.add_person("赵敏", roles=["居民"], person_id="zhao")
    made.add_group("和谐家园3号群", area="第三网格", group_id="g3")
    made.join("g3", "wang")
    made.join("g3", "li")
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def address(platform: SimulatedPlatform) -> AsyncIterator[str]:
    bot = Bot(platform)
    await bot.channel.start(bot.deliver, {})
    app = FastAPI()
    app.include_router(simulator_routes(simulation(platform)))
    app.mount("/static", StaticFiles(directory=STATIC))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    protection = Protection(hosts={"127.0.0.1"}, larger_bodies={"/simulator/api/messages": 2**25})
    guarded = protect(app, protection, lambda status, sentence, advice: f"{status} {sentence} {advice}")
    server = uvicorn.Server(uvicorn.Config(guarded, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await bot.channel.stop()
    platform.feed.close()
    server.should_exit = True
    await serving
    platform.close()
    listener.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest_asyncio.fixture(loop_scope="session")
async def page(request: pytest.FixtureRequest, windows: Windows, watch: Watch, address: str) -> AsyncIterator[Page]:
    """The page, open. Fails the test at its end if anything in the browser went wrong."""
    async with windows.lend(getattr(request, "param", DESK), timezone="America/New_York") as opened:
        with watch.over(opened.context):
            await opened.goto(f"{address}/simulator")
            await expect(opened.locator("#chat-name")).to_have_text("和谐家园3号群")
            yield opened
    assert watch.faults == []


async def show(page: Page, pane: str) -> None:
    """On a phone one pane is seen at a time."""
    tab = page.locator(f".tabs [data-pane={pane}]")
    if await tab.is_visible():
        await tab.click()


@on_both
async def test_resident_reports_and_the_worker_hears(page: Page, platform: SimulatedPlatform, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "green").save(tmp_path / "井盖.jpg")
    await page.locator("#suggestions button").first.click()
    await page.locator("#photos").set_input_files(tmp_path / "井盖.jpg")
    await expect(page.locator("#previews img")).to_have_count(1)
    await page.locator("#send").click()

    answer = page.locator(".message.from-bot")
    await expect(answer.locator(".bubble")).to_contain_text("已登记 BX-1")
    await expect(page.locator(".message.own .pictures img")).to_have_js_property("naturalWidth", 64)
    await answer.get_by_role("button", name="撤销").click()
    await expect(page.locator("#toast")).to_have_text("已撤销")

    await page.locator(".message.own").get_by_role("button", name="为什么").click()
    await expect(page.locator("#why .facts dd").first).to_have_text("报事")
    await expect(page.locator("#why mark")).to_have_text("井盖")

    await show(page, "chats")
    worker = page.locator("#privates .chat-item", has_text="李强")
    await expect(worker.locator(".unread")).to_have_text("1")
    await worker.click()
    await expect(page.locator(".message.from-bot .bubble")).to_have_text("新任务 BX-1")
    await expect(page.locator("#persona-name")).to_have_text("李强")
    assert [len(message.files) for message in platform.messages("g3")] == [1, 0]


async def test_judgement_that_is_still_to_come_is_asked_for_again(page: Page, watch: Watch) -> None:
    asked: list[str] = []

    async def judging(route: Route) -> None:
        asked.append(urlsplit(route.request.url).path)
        if len(asked) > 1:
            await route.continue_()
        else:
            watch.expected.add((404, asked[0]))
            await route.fulfill(status=404, json={"error": "还没有处理完。"})

    await page.route("**/why", judging)
    await page.locator("#words").fill("3号楼灯坏了")
    await page.keyboard.press("Enter")
    await page.locator(".message.own").get_by_role("button", name="为什么").click()
    await expect(page.locator("#why .facts dd").first).to_have_text("报事")
    assert len(asked) == 2


async def test_own_message_is_changed_and_withdrawn(page: Page, platform: SimulatedPlatform) -> None:
    await page.locator("#words").fill("3号楼灯坏了")
    await page.keyboard.press("Enter")
    own = page.locator(".message.own")
    await own.get_by_role("button", name="改一改").click()
    await page.locator("#words").fill("<b>5号楼</b>灯坏了")
    await page.keyboard.press("Enter")
    await expect(own.locator(".bubble")).to_have_text("<b>5号楼</b>灯坏了")
    await own.get_by_role("button", name="撤回").click()
    await expect(page.locator(".message.gone .bubble")).to_have_text("这条消息已撤回")
    first = platform.messages("g3")[0]
    assert (first.is_edited, first.is_deleted) == (True, True)


async def test_stranger_joins_before_speaking(page: Page, platform: SimulatedPlatform) -> None:
    await page.locator("#persona").click()
    await page.locator("#search").fill("赵")
    await page.locator("#people-list .chat-item").click()
    await expect(page.locator("#words")).to_be_disabled()
    await page.locator("#join").click()
    await expect(page.locator("#words")).to_be_enabled()
    assert platform.groups()[0].members == ("wang", "li", "zhao")
    await page.locator("#leave").click()
    await expect(page.locator("#words")).to_be_disabled()
    assert platform.groups()[0].members == ("wang", "li")


async def test_newcomer_is_made_and_speaks(page: Page, platform: SimulatedPlatform) -> None:
    await page.locator("#persona").click()
    await page.locator("#newcomer-name").fill("新邻居")
    await page.keyboard.press("Enter")
    await expect(page.locator("#persona-name")).to_have_text("新邻居")
    await page.locator("#words").fill("大家好")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.own .bubble")).to_have_text("大家好")
    assert [person.name for person in platform.people()] == ["王秀英", "李强", "赵敏", "新邻居"]


async def test_clock_goes_to_tomorrow_morning(page: Page, platform: SimulatedPlatform) -> None:
    await page.get_by_role("button", name="到明天 8:00").click()
    await expect(page.locator("#clock-now")).to_contain_text("08:00:")
    before = platform.clock.now()
    await page.get_by_role("button", name="到时限").click()
    await expect(page.locator("#clock-now")).to_contain_text("11:00:")
    assert platform.clock.now() - before >= timedelta(hours=2, minutes=59)


@on_both
async def test_page_stays_within_its_width_and_names_every_control(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    nameless = await page.evaluate(
        "[...document.querySelectorAll('button,input,textarea,a')].filter(control => !(control.textContent.trim()"
        " || control.getAttribute('aria-label') || control.labels?.length)).map(control => control.outerHTML)"
    )
    assert nameless == []

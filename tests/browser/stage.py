"""What browser tests share: the demo as they see it, the watch over a window, and the way in."""

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import httpx
from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    WebError,
    expect,
)

DESK, PHONE = (1280, 800), (390, 844)
CLERK = "p26"


@dataclass(frozen=True)
class Town:
    """The demo: its address, and what tests ask of the simulator without a page."""

    address: str
    simulator: str
    # Who has signed in before, and the cookies they were given.
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None) -> Any:
        with httpx.Client(trust_env=False, timeout=60) as client:
            answer = client.request(method, f"{self.simulator}/api{path}", json=body)
            answer.raise_for_status()
            return answer.json()

    def settle(self) -> None:
        self.call("POST", "/settle", {})

    def now(self) -> datetime:
        """The demo's moment, on a Chinese wall clock."""
        return datetime.fromisoformat(self.call("GET", "/clock")["now"])

    def say(self, chat: str, person: str, text: str) -> str:
        made: dict[str, str] = self.call("POST", "/messages", {"chat": chat, "person": person, "text": text})
        self.settle()
        return made["id"]

    def link_for(self, person: str) -> str:
        """A fresh sign-in link, asked for in private chat as staff do."""
        self.say(f"private:{person}", person, "登录")
        last = self.call("GET", f"/messages?chat=private:{person}")[-1]
        found = re.search(r"http://\S+/sign-in/[\w-]+", last["text"]) or re.search(
            r"http://\S+/sign-in/[\w-]+", " ".join(button.get("url") or "" for button in last["buttons"])
        )
        assert found, last
        return found[0]

    def number_in(self, chat: str, after: str) -> str:
        """The number that the bot has given to what was said in this message."""
        for message in self.call("GET", f"/messages?chat={chat}&after={after}"):
            found = re.search(r"[A-Z]{2}-\d{8}-\d{4}", message["text"])
            if message["sender"] == "bot" and found:
                return found[0]
        raise AssertionError("no number was given")


@dataclass
class Watch:
    """Everything that went wrong in a browser. `expected` are answers that a test brings about on purpose, as (status, path)."""

    faults: list[str] = field(default_factory=list)
    expected: set[tuple[int, str]] = field(default_factory=set)

    @contextmanager
    def over(self, context: BrowserContext) -> Iterator[None]:
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)
        context.on("console", self._console)
        context.on("weberror", self._error)
        try:
            yield
        finally:
            context.remove_listener("request", self._request)
            context.remove_listener("response", self._response)
            context.remove_listener("requestfailed", self._failed)
            context.remove_listener("console", self._console)
            context.remove_listener("weberror", self._error)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.faults.append(f"asked outside: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not self._is_expected(response.status, response.url):
            self.faults.append(f"{response.status}: {response.url}")

    def _is_expected(self, status: int, url: str) -> bool:
        return (status, urlsplit(url).path) in self.expected

    def _failed(self, request: Request) -> None:
        # A stream that ends with its page, and a page left before all of its pictures came, are no faults.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.failure}: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        is_expected = any(urlsplit(message.location["url"]).path == path for _, path in self.expected)
        if message.type in ("error", "warning") and not is_expected:
            self.faults.append(f"console {message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        self.faults.append(f"script error: {error.error}")


class Open(Protocol):
    """A new browser window with cookies of its own."""

    def __call__(self, size: tuple[int, int] = DESK, *, scripts: bool = True) -> AbstractAsyncContextManager[Page]: ...


async def sign_in(page: Page, town: Town, person: str = CLERK) -> None:
    """By the button behind the link; afterwards the page is the first one of the console."""
    await page.goto(town.link_for(person))
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(re.compile(r"/desk"))


async def come_in(page: Page, town: Town, person: str = CLERK) -> None:
    """Signed in afterwards; by the session of an earlier test where there is one, so the page may still be blank."""
    if person not in town.cookies:
        await sign_in(page, town, person)
        given = await page.context.cookies(town.address)
        town.cookies[person] = {cookie["name"]: cookie["value"] for cookie in given}
    await page.context.add_cookies(
        [{"name": name, "value": value, "url": town.address} for name, value in town.cookies[person].items()]
    )


async def choose_chat(page: Page, town: Town, chat: str, person: str | None = None) -> None:
    """The simulator's page with this chat open; in a group also who is to speak, by name."""
    await page.goto(f"{town.simulator}#{quote(chat)}")
    await expect(page.locator("#words")).to_be_enabled()
    if person is not None:
        await page.locator("#persona").click()
        await page.locator("#search").fill(person)
        await page.locator("#people-list").get_by_role("button", name=person).click()
        await expect(page.locator("#persona-name")).to_have_text(person)


def bubbles(page: Page, words: str | re.Pattern[str]) -> Locator:
    """The messages in the open chat that contain these words."""
    return page.locator("#messages li.message").filter(has_text=words)


def said_by_me(page: Page, words: str) -> Locator:
    """What the chosen person has just said; the bot's answer may quote it."""
    return page.locator("#messages li.own").filter(has_text=words).last


def answered(own: Locator) -> Locator:
    """What the bot said after this message; never what it said before, to somebody else."""
    return own.locator("xpath=following-sibling::li[contains(@class, 'from-bot')]")


async def press(page: Page, town: Town, button: Locator) -> None:
    """Presses a button of the bot; afterwards the program has done what it asks for."""
    async with page.expect_response("**/simulator/api/press"):
        await button.click()
    town.settle()


async def send(page: Page, town: Town, words: str) -> Locator:
    """Says what stands in the composer with these words; afterwards the program has heard it. Returns the message."""
    await page.locator("#words").fill(words)
    async with page.expect_response("**/simulator/api/messages"):
        await page.locator("#send").click()
    town.settle()
    return said_by_me(page, words)


async def scrolls_sideways(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

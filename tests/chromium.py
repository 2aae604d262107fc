"""One Chromium for all browser tests of a run, and windows that are used again: starting either took longer than most of the tests.

Who asks for the fixture `windows` runs in the worker that has the browser (see dealing.py), in the event loop it lives in.
"""

import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

# The same browser without a window to draw, where Debian's package of it is installed, does the same in two thirds of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
EXECUTABLE = next(filter(None, map(shutil.which, NAMES)), None)
# A loaded machine with two cores; on an idle one everything is there within a second.
PATIENCE = 20_000
# A fresh process for every document and one in reserve cost a tenth of what the whole browser does. This takes the place of
# Playwright's own list, so what of that keeps the browser quiet and from calling outside is named again.
SWITCHED_OFF = (
    "RenderDocument",
    "SpareRendererForSitePerProcess",
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
SWITCHES = ("--no-sandbox", "--disable-gpu", f"--disable-features={','.join(SWITCHED_OFF)}")
MARKS = (
    pytest.mark.browser,
    pytest.mark.skipif(EXECUTABLE is None, reason="no chromium on this machine"),
    pytest.mark.asyncio(loop_scope="session"),
)


def mark(items: Iterable[pytest.Item]) -> None:
    """Afterwards the tests that need the browser share one event loop, and are skipped where there is none."""
    for item in items:
        if isinstance(item, pytest.Function) and "windows" in item.fixturenames:
            for each in MARKS:
                item.add_marker(each, append=False)


class Windows:
    """Windows of one browser. None knows what another has seen: each has cookies of its own, and loses them when it is given back."""

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self._free: dict[tuple[bool, str], list[Page]] = defaultdict(list)

    @asynccontextmanager
    async def lend(
        self, size: tuple[int, int], *, scripts: bool = True, timezone: str = "Asia/Shanghai"
    ) -> AsyncIterator["Page"]:
        """An empty page for one person. A page that a test failed on is not used again."""
        free = self._free[scripts, timezone]
        page = free.pop() if free else await self._new(scripts, timezone)
        try:
            await page.set_viewport_size({"width": size[0], "height": size[1]})
            yield page
        except BaseException:
            await page.context.close()
            raise
        await page.goto("about:blank")
        await page.context.clear_cookies()
        await page.context.unroute_all()
        await page.unroute_all()
        free.append(page)

    async def _new(self, scripts: bool, timezone: str) -> "Page":
        context = await self._browser.new_context(
            java_script_enabled=scripts, locale="zh-CN", timezone_id=timezone, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        return await context.new_page()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def windows() -> AsyncIterator[Windows]:
    from playwright.async_api import async_playwright, expect  # most tests need none of it

    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=SWITCHES)
        yield Windows(browser)
        await browser.close()

"""One Chromium for all browser tests of a run: starting one for each test took longer than most of the tests.

Who asks for the fixture `chromium` runs in the worker that has it, in the event loop it lives in, with a context of its own.
"""

import shutil
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from playwright.async_api import Browser

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser")
# A loaded machine with two cores; on an idle one everything is there within a second.
PATIENCE = 20_000
MARKS = (
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(EXECUTABLE is None, reason="no chromium on this machine"),
    pytest.mark.asyncio(loop_scope="session"),
)


def mark(items: Iterable[pytest.Item]) -> None:
    """Afterwards the tests that need the browser share one worker and one event loop, and are skipped where there is none."""
    for item in items:
        if isinstance(item, pytest.Function) and "chromium" in item.fixturenames:
            for each in MARKS:
                item.add_marker(each, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator["Browser"]:
    from playwright.async_api import async_playwright, expect  # most tests need none of it

    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()

"""A real demo in its own process, a real Chromium, and a watch that lets nothing pass: script errors, missing parts, calls to outside.

All browser tests run in one worker of a run and share one demo: each brings its own residents' words and looks for its own numbers.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page

from tests.browser.stage import DESK, Open, Town, Watch
from tests.chromium import Windows

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """`wuwei demo` as people start it."""
    command = [sys.executable, "-u", "-m", "bot", "demo", "--port", "0", "--data", str(tmp_path_factory.mktemp("demo"))]
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    with subprocess.Popen(
        command, cwd=ROOT, env=kept | {"PYTHONUTF8": "1"}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "/sign-in/" in said and "/simulator" in said:
                    break
            simulator = re.search(r"(http://127\.0\.0\.1:\d+)/simulator", said)
            assert simulator, said
            yield Town(simulator[1], simulator[0])
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test in the end when anything was seen."""
    made = Watch()
    yield made
    assert "\n".join(made.faults) == ""


@pytest.fixture
def window(windows: Windows, watch: Watch) -> Open:
    @asynccontextmanager
    async def opened(size: tuple[int, int] = DESK, *, scripts: bool = True) -> AsyncIterator[Page]:
        async with windows.lend(size, scripts=scripts) as page:
            with watch.over(page.context):
                yield page

    return opened


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture to be sent."""
    written = io.BytesIO()
    Image.new("RGB", (320, 240), (150, 120, 90)).save(written, "JPEG")
    file = tmp_path / "井盖.jpg"
    file.write_bytes(written.getvalue())
    return file

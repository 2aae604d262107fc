"""What pytest asks for before it knows a test. The fixtures are in fixtures.py: a process that only deals tests out to others needs none."""

import gc
import importlib

import pytest

from bot.collecting import spare_what_is_loaded
from tests import chromium as browser
from tests.dealing import pytest_xdist_make_scheduler  # noqa: F401  # a hook

# While tests are collected nothing is thrown away, so nobody need look for it.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """Afterwards the fixtures are known wherever tests are run."""
    only_deals_out = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if not only_deals_out:
        config.pluginmanager.register(importlib.import_module("tests.fixtures"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no worker is still at it when the other has nothing left to do."""
    browser.mark(items)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was loaded and collected stays to the end: the collector passes it by, and comes as rarely as in the running program."""
    spare_what_is_loaded()
    gc.enable()

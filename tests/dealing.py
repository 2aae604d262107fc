"""How tests are dealt out to the workers of a run: one by one, but for those that share something dear, which stay together.

pytest-xdist's own groups (3.8) are lost on pytest 9.2: they are written where a test's name is no longer read.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

# What is shared, and the beginnings of the names of those who share it.
TOGETHER = {
    "a browser": ("tests/browser/", "tests/web/test_simulator_page.py"),
    "the program, loaded once": (
        "tests/test_killed.py",
        "tests/test_killed_aibot.py",
        "tests/test_killed_on_wecom.py",
        "tests/test_handing_killed.py",
        "tests/bot/test_cli.py",
        "tests/bot/test_roles.py",
    ),
    "the sources, read once": ("tests/test_architecture.py", "tests/core/test_texts.py"),
}


def lane_of(nodeid: str) -> str:
    """The lane of a test: all of one lane run in one worker, in their order."""
    return next((lane for lane, starts in TOGETHER.items() if nodeid.startswith(starts)), nodeid)


def pytest_xdist_make_scheduler(config: "pytest.Config", log: object) -> "LoadScopeScheduling":
    from xdist.scheduler import LoadScopeScheduling  # a run in one process needs none of it

    class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # the library has no types
        def _split_scope(self, nodeid: str) -> str:
            return lane_of(nodeid)

        def mark_test_complete(self, node: "WorkerController", item_index: int, duration: float = 0) -> None:
            """A lane that is done is forgotten: after each test the library counts what is left in all a worker ever had."""
            nodeid = self.registered_collections[node][item_index]
            super().mark_test_complete(node, item_index, duration)
            lane = lane_of(nodeid)
            if all(self.assigned_work[node][lane].values()):
                del self.assigned_work[node][lane]

    return Lanes(config, log)

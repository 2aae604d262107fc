"""Where a form stands: the page that leads to the address a form is sent to, for who opens that address by itself or comes back to it."""

import re
from collections.abc import Sequence

from starlette.routing import BaseRoute, Match

HOME = "/"
# Steps whose page does not lie above them, or opens their form.
STEP_PAGES = (
    (re.compile(r"(/desk/cases/\d+)/steps/(\w+)"), r"\1?step=\2#step-\2"),
    (re.compile(r"/post-tasks/.*"), "/announcements"),
)


def page_of(routes: Sequence[BaseRoute], path: str) -> str:
    """The path itself where it is a page, else the nearest page above it."""
    for pattern, address in STEP_PAGES:
        found = pattern.fullmatch(path)
        if found:
            return found.expand(address)
    while path and not _is_page(routes, path):
        path = path.rpartition("/")[0]
    return path or HOME


def _is_page(routes: Sequence[BaseRoute], path: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": path}
    return any(route.matches(scope)[0] is Match.FULL for route in routes)

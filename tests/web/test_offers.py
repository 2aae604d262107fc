"""Nobody is offered what they may not do: every page that the pages lead to opens, and every form on them is theirs to send."""

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from core.messages import Kind
from core.texts import say
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.web.office import Browser, Office, open_office

NOT_YOURS = say("web.not_at_desk")
KEY = re.compile(r"\d{6,}")
OVER = frozenset({"/sign-out", "/people/N/erase", "/people/N/sessions"})  # would end the walk


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    made = open_office(database, now, tmp_path)
    with database.writing() as session:
        group = builders.group(session, made.here, now)
        resident = builders.person(session, "李桂芳", phone="13900000001")
        builders.case(session, made.here, now, chat=group, reporter=resident)
        builders.case(session, made.here, now, kind=Kind.QUESTION, topic=None, text="高龄补贴怎么办", where="")
        builders.case(session, made.here, now, kind=Kind.DISPUTE, topic="noise", text="楼上太吵")
        builders.person(session, "马调解", Role.MEDIATOR, made.here.id)
    return made


class Offers(HTMLParser):
    """The links and the forms of a page; of a form the address and what it would send as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form" and given.get("method") == "post":
            self.forms.append((given["action"], {}))
        elif tag == "input" and given.get("type") == "hidden" and self.forms:
            self.forms[-1][1][given["name"]] = given["value"]


async def walk(browser: Browser) -> dict[str, tuple[str, dict[str, str]]]:
    """Opens all that can be reached, each kind of page once; returns the forms met, by address without its keys."""
    todo, seen = ["/"], set[str]()
    forms: dict[str, tuple[str, dict[str, str]]] = {}
    while todo:
        path = todo.pop()
        kind = KEY.sub("N", path)
        if kind in seen:
            continue
        seen.add(kind)
        answer = await browser.get(path)
        if answer.status_code == 303:
            todo.append(answer.headers["location"])
            continue
        assert (path, answer.status_code) == (path, 200)
        page = Offers()
        page.feed(answer.text)
        for link in page.links:
            address = urlsplit(urljoin(f"http://here{path}", link))
            if address.netloc == "here" and not address.path.startswith(("/static/", "/files/")):
                todo.append(address.path)
        forms |= {KEY.sub("N", action): (action, fields) for action, fields in page.forms}
    return forms


@pytest.mark.parametrize("role", ["clerk", "administrator", "officer", "worker", "supervisor"])
async def test_nobody_is_offered_what_they_may_not_do(office: Office, role: str) -> None:
    browser = await office.browser(getattr(office, role))
    forms = await walk(browser)
    assert "/sign-out" in forms
    refused = []
    for kind, (action, fields) in forms.items():
        if kind in OVER:
            continue
        answer = await browser.client.post(action, data=fields)
        assert answer.status_code in (200, 303, 403, 404, 409), kind
        if answer.status_code == 403 or NOT_YOURS in answer.text:
            refused.append(kind)
    assert refused == []

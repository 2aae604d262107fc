"""Addresses of forms, opened by themselves: reloaded, or out of the browser's history."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from storage.database import Database
from tests import builders
from tests.web.office import Office, open_office
from web import sign_in, sign_in_platforms
from web.addresses import page_of
from web.app import SIGNED_IN, _page_routes

KEY = "7"
# They stand on every page; and who is in already needs no page to sign in.
TO_THE_FIRST_PAGE = {"/community", "/sign-out", "/sign-in"}


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def form_addresses() -> Iterator[str]:
    """Every address of the console that a form is sent to, with a key in each blank."""
    for router in (sign_in.open_router, sign_in_platforms.open_router, *SIGNED_IN):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if "POST" in (route.methods or ()):
                address = route.path.replace("{step}", "finish")
                for name in route.param_convertors:
                    address = address.replace(f"{{{name}}}", KEY)
                yield address


async def test_every_forms_address_leads_to_a_page(office: Office) -> None:
    browser = await office.browser(office.clerk)
    addresses = sorted(set(form_addresses()))
    assert len(addresses) > 50
    for address in addresses:
        answer = await browser.get(address)
        assert answer.status_code in (200, 303, 404), address  # 404: a page, of a thing that is not there
        leads_to = answer.headers.get("location", address).partition("?")[0]
        assert (address, page_of(_page_routes(), leads_to)) == (address, leads_to)
        assert (leads_to == "/") == (address in TO_THE_FIRST_PAGE), address


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/desk/cases/7/steps/finish", "/desk/cases/7?step=finish#step-finish"),
        ("/desk/cases/7/phone", "/desk/cases/7"),
        ("/desk/cases/7/reporters/8/part", "/desk/cases/7"),
        ("/desk/phone-tasks/7/done", "/desk/phone-tasks"),
        ("/people/7/code", "/people/7"),
        ("/people/7/duties/8/end", "/people/7"),
        ("/people/colleagues/rules/7/remove", "/people/colleagues"),
        ("/announcements/7/schedule", "/announcements/7"),
        ("/post-tasks/7/cancel", "/announcements"),
        ("/conventions/clauses/7/off", "/conventions"),
        ("/groups/codes", "/groups"),
        ("/understanding/words/7/take-up", "/understanding"),
        ("/sign-in/demo", "/sign-in"),
        ("/sign-out", "/"),
    ],
)
async def test_a_forms_address_leads_to_where_the_step_is_taken(office: Office, address: str, leads_to: str) -> None:
    async with office.desk.browser() as browser:
        answer = await browser.get(address)
        assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


async def test_an_answer_to_a_form_tells_the_page_it_shows(office: Office) -> None:
    with office.database.writing() as session:
        case_id = builders.case(session, office.here, office.desk.clock.now()).id
    browser = await office.browser(office.clerk)
    refused = await browser.post(f"/desk/cases/{case_id}/steps/finish")
    assert refused.status_code == 409
    assert f'data-own-address="/desk/cases/{case_id}?step=finish#step-finish" data-refused>' in refused.text
    shown = await browser.post(f"/people/{office.worker}/phone")
    assert f'data-own-address="/people/{office.worker}">' in shown.text
    failed = await browser.post(f"/people/{office.clerk}/erase")
    assert f'data-own-address="/people/{office.clerk}" data-refused>' in failed.text
    opened = await browser.get(f"/desk/cases/{case_id}?step=finish")
    assert "data-own-address" not in opened.text

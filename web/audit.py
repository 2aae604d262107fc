"""The log of what staff did, with its filters. Nothing here changes anything."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from core.clock import CHINA
from core.errors import Refused
from domain import audit
from domain.cases.words import WAY_NAMES
from domain.outbox import Session
from domain.people import ROLE_NAMES
from web.acts import ACT_NAMES
from web.auth import DeskVisitor, services_of
from web.forms import read_day, read_key
from web.groups import PURPOSES
from web.pages import page, sentence
from web.paging import paging
from web.people import CHANNEL_NAMES

router = APIRouter(prefix="/audit")

# Beyond them a zone's hours cannot be taken off a day.
YEARS = (2000, 2999)

DETAIL_NAMES = {
    "fields": "项目",
    "role": "角色",
    "area": "区域",
    "purpose": "用途",
    "added": "新增",
    "changed": "修改",
    "unchanged": "没有变化",
    "way": "方式",
}
# The rows of duties have no name of their own; role and area say more.
UNSHOWN = frozenset({"duty"})
# What a detail's value is called, where it is a word of ours.
VALUE_NAMES: dict[str, Mapping[str, str]] = {
    "role": {role.value: name for role, name in ROLE_NAMES.items()},
    "purpose": PURPOSES,
    "way": CHANNEL_NAMES | {way.value: name for way, name in WAY_NAMES.items()} | {"link": "登录链接"},
    "fields": {"name": "姓名", "phone": "电话"},
}
# The first part of an act → where its subject is shown.
SHELVES = {
    "area": "/areas/",
    "person": "/people/",
    "duty": "/people/",
    "colleague": "/people/",
    "announcement": "/announcements/",
    "rotation": "/announcements/",
    "case": "/desk/cases/",
}


@router.get("")
async def show(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    """Newest first, by person, act, subject and days (both included)."""
    asked = {
        name: request.query_params.get(name, "").strip()[:60] for name in ("person", "act", "subject", "from", "to")
    }
    here = paging(request)
    first, last, fault = _days(asked)

    def work(session: Session) -> dict[str, object]:
        meant = audit.subjects_called(session, visitor.community_id, asked["subject"]) if asked["subject"] else ()
        wanted = audit.AuditFilter(
            person_id=read_key(asked["person"]),
            act=asked["act"],
            subjects=frozenset(meant),
            since=first,
            until=last + timedelta(days=1) if last else None,
        )
        rows, total = audit.entries(session, visitor.community_id, wanted, offset=here.offset, limit=here.size)
        return {
            "rows": rows,
            "total": total,
            "called": audit.names_of(session, rows),
            "acts": [(act, ACT_NAMES.get(act, act)) for act in audit.acts_of(session, visitor.community_id)],
            "people": audit.people_of(session, visitor.community_id),
        }

    found = await services_of(request).database.read(work)
    words: dict[str, object] = {
        "shelves": SHELVES,
        "asked": asked,
        "names": ACT_NAMES,
        "shown_of": _shown_of,
        "here_is": here,
        "refusal": fault,
    }
    return page(request, visitor, "audit.html", 200, **{**found, **words})


def _shown_of(act: audit.Act, called: Mapping[str, str]) -> list[str]:
    """The details of an act in words, area by its name. What has none is shown as it was written."""
    shown = []
    for name, value in act.detail.items():
        if name in UNSHOWN:
            continue
        words = VALUE_NAMES.get(name, called if name == "area" else {})
        values = value if isinstance(value, list) else [value]
        shown.append(f"{DETAIL_NAMES.get(name, name)} {'、'.join(words.get(str(one), str(one)) for one in values)}")
    return shown


def _days(asked: Mapping[str, str]) -> tuple[datetime | None, datetime | None, str]:
    """The beginnings, in China, of the first and the last day; and what to say of one that is no day and narrows nothing."""
    found: list[datetime | None] = []
    faults = []
    for name in ("from", "to"):
        try:
            day = read_day(asked[name])
            found.append(datetime.combine(day, time(), CHINA) if day and YEARS[0] <= day.year <= YEARS[1] else None)
        except Refused as refusal:
            found.append(None)
            faults.append(sentence(refusal))
    return found[0], found[1], "".join(faults)

"""Announcements: the list, the calendar, writing and changing one, its preview and schedule, and what became of each posting."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.clock import CHINA, in_china
from core.errors import Refused
from core.media import StoredMedia
from core.texts import Sentence
from domain import announcements, files
from domain.announcements import STATE_NAMES, Announcement, overview
from domain.announcements.life import Step
from domain.customer_groups import showing
from domain.outbox import Session
from domain.people import ROLE_NAMES
from web.acts import note
from web.announcement_form import (
    WHENS,
    Filled,
    choices,
    explain,
    fill,
    month_of,
    read_form,
    read_when,
    weeks_of,
    when_of,
)
from web.announcement_times import preview_of, rule_words, said_after, said_when_scheduled
from web.auth import ClerkVisitor, CurrentVisitor, Visitor, services_of
from web.forms import PostedForm
from web.outbox import REASONS
from web.pages import done, page, sentence, status_of
from web.uploads import keep_uploads

router = APIRouter(prefix="/announcements")

SHOWN_A_DAY = 4


@router.get("")
async def show_list(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """Newest first."""

    def work(session: Session) -> dict[str, object]:
        rows = announcements.announcements_of(session, visitor.community_id)
        return {
            "rows": [(row, rule_words(row)) for row in rows],
            "owners": showing.owners_waited_for(session, visitor.community_id),
        }

    found = await services_of(request).database.read(work)
    return page(request, visitor, "announcements.html", 200, **{**found, "states": STATE_NAMES})


@router.get("/calendar")
async def calendar(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """A month of all announcements: what went out and what is to come."""
    services = services_of(request)
    now = services.clock.now()
    today = in_china(now).date()
    first = month_of(request.query_params.get("month", ""), today)
    weeks = weeks_of(first)
    since = datetime.combine(weeks[0][0], time(), CHINA)
    until = datetime.combine(weeks[-1][-1] + timedelta(days=1), time(), CHINA)

    def work(session: Session) -> list[overview.Occurrence]:
        return overview.occurrences(session, visitor.community_id, since=since, until=until, now=now)

    by_day = defaultdict(list)
    for found in await services.database.read(work):
        by_day[in_china(found.at).date()].append((f"{in_china(found.at):%H:%M}", found))
    return page(
        request,
        visitor,
        "announcements_calendar.html",
        weeks=weeks,
        by_day=by_day,
        first=first,
        today=today,
        most=SHOWN_A_DAY,
        earlier=f"{first - timedelta(days=1):%Y-%m}",
        later=f"{first + timedelta(days=31):%Y-%m}",
    )


@router.get("/new")
async def new_form(request: Request, visitor: ClerkVisitor) -> HTMLResponse:
    return await _form_page(request, visitor, Filled())


async def _form_page(
    request: Request,
    visitor: Visitor,
    filled: Filled,
    *,
    announcement_id: int | None = None,
    refusal: Refused | None = None,
    latest: Announcement | None = None,
) -> HTMLResponse:
    """The form, filled; after a refusal with why. `latest` is what somebody else has saved in the meantime."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> dict[str, object]:
        return {
            "choices": choices(session, visitor.community_id),
            "explained": explain(session, visitor.community_id, filled.when, now=now),
        }

    found = await services.database.read(work)
    context: dict[str, object] = {
        "filled": filled,
        "announcement_id": announcement_id,
        "refusal": sentence(refusal) if refusal else "",
        "latest": latest,
        "whens": WHENS,
        "say_fault": sentence,
    }
    status = status_of(refusal) if refusal else 200
    return page(request, visitor, "announcement_form.html", status, **{**found, **context})


@router.post("/new")
async def write(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """A draft, which nobody gets yet; or, by the button 看看, only the times."""
    filled = read_form(form)
    services = services_of(request)
    now = services.clock.now()
    if form.is_checked("look"):
        return await _form_page(request, visitor, filled)

    def work(session: Session) -> int:
        if filled.when.kind and not form.is_checked("draft"):
            filled.when.plan(now)
        added = _store(session, visitor, uploads, now)
        made = announcements.draft(
            session,
            community_id=visitor.community_id,
            title=filled.title,
            text=filled.text,
            area_ids=filled.area_ids,
            chat_ids=filled.chat_ids,
            roles=filled.roles,
            file_ids=added,
            by=visitor.person_id,
            now=now,
        )
        note(request, visitor, session, "announcement.draft", made.id)
        return made.id

    try:
        uploads = await keep_uploads(request, form, "photos")
        key = await services.database.write(work)
    except Refused as refusal:
        return await _form_page(request, visitor, filled, refusal=refusal)
    if form.is_checked("draft"):
        return done(request, visitor, f"/announcements/{key}", "announcements.drafted")
    return RedirectResponse(f"/announcements/{key}/preview?{filled.when.query}", 303)


def _store(
    session: Session, visitor: Visitor, uploads: Sequence[tuple[StoredMedia, str | None]], now: datetime
) -> list[int]:
    """Rows for the files that came along; their keys."""
    here = visitor.community_id
    rows = [
        files.store_upload(session, media, name=name, community_id=here, case_id=None, now=now, purpose="announcement")
        for media, name in uploads
    ]
    session.flush()
    return [row.id for row in rows]


@router.get("/{announcement_id}")
async def show(request: Request, visitor: CurrentVisitor, announcement_id: int) -> HTMLResponse:
    """One announcement: what, to whom, when, and its postings."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> dict[str, object]:
        announcement = announcements.announcement_of(session, visitor.community_id, announcement_id)
        runs = announcements.runs(session, announcement)
        offered = choices(session, visitor.community_id)
        names = {str(key): name.strip() for key, name in [*offered.areas, *offered.groups]}
        chosen = [*announcement.area_ids, *announcement.chat_ids]
        return {
            "announcement": announcement,
            "preview": preview_of(session, announcement, now),
            "rule": rule_words(announcement),
            "to": [names.get(key, "（已不在）") for key in chosen]
            + [name for role, name in ROLE_NAMES.items() if role in announcement.roles],
            "may": {step.value for step in Step if announcements.may(session, announcement, step)},
            "runs": runs,
            "counts": overview.counts_of(session, runs),
            "waiting": showing.waiting(session, visitor.community_id, announcement_id=announcement_id, now=now),
            "when": when_of(announcement),
        }

    found = await services.database.read(work)
    return page(request, visitor, "announcement.html", 200, **{**found, "states": STATE_NAMES})


@router.get("/{announcement_id}/edit")
async def edit_form(request: Request, visitor: ClerkVisitor, announcement_id: int) -> HTMLResponse:
    services = services_of(request)
    announcement = await services.database.read(
        lambda session: announcements.announcement_of(session, visitor.community_id, announcement_id)
    )
    return await _form_page(request, visitor, fill(announcement), announcement_id=announcement_id)


@router.post("/{announcement_id}/edit")
async def save(request: Request, visitor: ClerkVisitor, announcement_id: int, form: PostedForm) -> Response:
    """New content. Somebody else's change in between is shown, and what was typed here stays in the form."""
    filled = read_form(form)
    services = services_of(request)
    if form.is_checked("look"):
        return await _form_page(request, visitor, filled, announcement_id=announcement_id)

    def work(session: Session) -> Sentence:
        announcement = announcements.announcement_of(session, visitor.community_id, announcement_id)
        added = _store(session, visitor, uploads, services.clock.now())
        announcements.change(
            session,
            announcement,
            version=filled.version,
            title=filled.title,
            text=filled.text,
            area_ids=filled.area_ids,
            chat_ids=filled.chat_ids,
            roles=filled.roles,
            file_ids=[*filled.file_ids, *added],
        )
        note(request, visitor, session, "announcement.change", announcement_id)
        return said_after(session, announcement, "change", now=services.clock.now())

    try:
        uploads = await keep_uploads(request, form, "photos")
        said = await services.database.write(work)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        latest = None
        if refusal.key == "announcements.stale":
            latest = await services.database.read(
                lambda session: announcements.announcement_of(session, visitor.community_id, announcement_id)
            )
        return await _form_page(
            request, visitor, filled, announcement_id=announcement_id, refusal=refusal, latest=latest
        )
    if filled.when.kind and not form.is_checked("draft"):
        return RedirectResponse(f"/announcements/{announcement_id}/preview?{filled.when.query}", 303)
    return done(request, visitor, f"/announcements/{announcement_id}", said.key, "green", **said.blanks)


@router.get("/{announcement_id}/preview")
async def show_preview(request: Request, visitor: ClerkVisitor, announcement_id: int) -> HTMLResponse:
    return await _preview_page(request, visitor, announcement_id, dict(request.query_params))


async def _preview_page(
    request: Request, visitor: Visitor, announcement_id: int, fields: dict[str, str], refusal: Refused | None = None
) -> HTMLResponse:
    """How it will look, whom it reaches, and when; from here it is scheduled."""
    services = services_of(request)
    now = services.clock.now()
    when = read_when(fields)

    def work(session: Session) -> dict[str, object]:
        announcement = announcements.announcement_of(session, visitor.community_id, announcement_id)
        return {
            "announcement": announcement,
            "preview": preview_of(session, announcement, now),
            "explained": explain(session, visitor.community_id, when, now=now),
        }

    found = await services.database.read(work)
    context: dict[str, object] = {
        "when": when,
        "whens": WHENS,
        "refusal": sentence(refusal) if refusal else "",
        "say_fault": sentence,
    }
    status = status_of(refusal) if refusal else 200
    return page(request, visitor, "announcement_preview.html", status, **{**found, **context})


@router.post("/{announcement_id}/schedule")
async def schedule(request: Request, visitor: ClerkVisitor, announcement_id: int, form: PostedForm) -> Response:
    """It goes out as the preview said."""
    services = services_of(request)
    now = services.clock.now()
    when = read_when(form.values())

    def work(session: Session) -> Sentence:
        announcement = announcements.announcement_of(session, visitor.community_id, announcement_id)
        when.plan(now)
        announcements.schedule(
            session, announcement, at=when.moment, recurrence=when.words, now=now, ends_at=when.ends_at
        )
        note(request, visitor, session, "announcement.schedule", announcement_id)
        return said_when_scheduled(session, announcement, is_now=when.kind == "now", now=now)

    try:
        said = await services.database.write(work)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await _preview_page(request, visitor, announcement_id, form.values(), refusal)
    services.wake()
    return done(request, visitor, f"/announcements/{announcement_id}", said.key, "green", **said.blanks)


async def _step(
    request: Request,
    visitor: Visitor,
    announcement_id: int,
    name: str,
    work: Callable[[Session, Announcement], None],
) -> Response:
    """Takes a step, writes it down, and says so on the announcement's page."""
    services = services_of(request)
    now = services.clock.now()

    def in_transaction(session: Session) -> Sentence:
        announcement = announcements.announcement_of(session, visitor.community_id, announcement_id)
        work(session, announcement)
        note(request, visitor, session, f"announcement.{name}", announcement_id)
        return said_after(session, announcement, name, now=now)

    said = await services.database.write(in_transaction)
    services.wake()
    return done(request, visitor, f"/announcements/{announcement_id}", said.key, "green", **said.blanks)


@router.post("/{announcement_id}/pause")
async def pause(request: Request, visitor: ClerkVisitor, announcement_id: int) -> Response:
    return await _step(request, visitor, announcement_id, "pause", announcements.pause)


@router.post("/{announcement_id}/resume")
async def resume(request: Request, visitor: ClerkVisitor, announcement_id: int) -> Response:
    now = services_of(request).clock.now()

    def work(session: Session, announcement: Announcement) -> None:
        announcements.resume(session, announcement, now=now)

    return await _step(request, visitor, announcement_id, "resume", work)


@router.post("/{announcement_id}/cancel")
async def cancel(request: Request, visitor: ClerkVisitor, announcement_id: int) -> Response:
    return await _step(request, visitor, announcement_id, "cancel", announcements.cancel)


@router.get("/{announcement_id}/runs/{run_id}")
async def show_run(request: Request, visitor: CurrentVisitor, announcement_id: int, run_id: int) -> HTMLResponse:
    """One posting: how many got it, and which chats did not, with the reason; what lies or lay with owners of groups."""
    now = services_of(request).clock.now()

    def work(session: Session) -> dict[str, object]:
        announcement = announcements.announcement_of(session, visitor.community_id, announcement_id)
        run = overview.run_of(session, announcement, run_id)
        return {
            "announcement": announcement,
            "run": run,
            "deliveries": announcements.deliveries(session, run),
            "tasks": showing.of_run(session, run, now=now),
        }

    found = await services_of(request).database.read(work)
    return page(request, visitor, "announcement_run.html", 200, **{**found, "reasons": REASONS})

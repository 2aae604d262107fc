"""What staff do with a case from its page, the board or their tasks: one table of steps, the board's moves, a look at a number."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.errors import Refused
from core.media import StoredMedia, check_and_save, check_size
from core.messages import AttachmentKind, Kind, Urgency
from core.texts import Sentence
from domain import files
from domain.cases import answers, desk, opening, outcomes, parting, work
from domain.cases.desk import Correction
from domain.cases.life import Step
from domain.cases.showing import Case, Person
from domain.cases.words import KIND_NAMES
from domain.outbox import Session
from domain.topics import topics
from web.auth import CurrentVisitor, Visitor, services_of
from web.cases import case_page
from web.forms import Posted, PostedForm
from web.pages import done, sentence, status_of

router = APIRouter(prefix="/desk")

MOST_UPLOADS = 6
FOR_DESK = frozenset({Step.CLOSE, Step.REOPEN, Step.WITHDRAW, Step.CORRECT})


@dataclass(frozen=True, slots=True)
class Acting:
    """One step being taken: on what, by whom, with what the form said and the files that came with it."""

    session: Session
    case: Case
    person: Person
    form: Posted
    now: datetime
    file_ids: tuple[int, ...] = ()

    @property
    def note(self) -> str:
        return self.form.text("note")


def _accept(it: Acting) -> None:
    desk.take_on(it.session, it.case, it.person, now=it.now)


def _arrive(it: Acting) -> None:
    work.arrive(it.session, it.case, it.person, now=it.now)


def _assign(it: Acting) -> None:
    desk.hand_over(it.session, it.case, it.person, it.form.key("person"), now=it.now)


def _return(it: Acting) -> None:
    work.return_case(it.session, it.case, it.person, it.note, now=it.now)


def _finish(it: Acting) -> None:
    if it.case.kind == Kind.QUESTION:
        answers.answer(it.session, it.case, it.person, it.note, now=it.now)
    else:
        work.finish(it.session, it.case, it.person, note=it.note, now=it.now, file_ids=it.file_ids)


def _add(it: Acting) -> None:
    if not it.note:
        raise Refused("cases.need_note")
    opening.add_note(it.session, it.case, it.note, actor_id=it.person.id, now=it.now, cause_id=None)


def _close(it: Acting) -> None:
    is_satisfied = it.form.text("result") == "satisfied"
    desk.close(it.session, it.case, it.person, is_satisfied=is_satisfied, note=it.note, now=it.now)


def _reopen(it: Acting) -> None:
    desk.reopen(it.session, it.case, it.person, note=it.note, now=it.now)


def _withdraw(it: Acting) -> None:
    desk.withdraw(it.session, it.case, it.person, note=it.note, now=it.now)


def _correct(it: Acting) -> None:
    kind, topic, urgency, place, area_id = matter_words(it.form)
    area_id = area_id or it.case.community_id
    new = Correction(kind, topic, urgency, place, area_id, it.form.moment("deadline"))
    is_rerouted = it.form.is_checked("reroute")
    desk.correct(it.session, it.case, it.person, new, now=it.now, is_rerouted=is_rerouted, note=it.note)


# THE TABLE: a step's form → the rule it calls.
STEPS: dict[str, Callable[[Acting], None]] = {
    Step.ACCEPT: _accept,
    Step.ARRIVE: _arrive,
    Step.ASSIGN: _assign,
    Step.RETURN: _return,
    Step.FINISH: _finish,
    Step.ADD: _add,
    Step.CLOSE: _close,
    Step.REOPEN: _reopen,
    Step.WITHDRAW: _withdraw,
    Step.CORRECT: _correct,
}
# Moves of the board that need no words; the others open the step's form.
PLAIN_MOVES = {"accepted": Step.ACCEPT, "arrived": Step.ARRIVE}
WORDY_MOVES = {"assigned": Step.ASSIGN, "finished": Step.FINISH, "closed": Step.CLOSE}


def matter_words(form: Posted) -> tuple[Kind, str | None, Urgency, str, int | None]:
    """Kind, topic, urgency, place and area as a form says them; what is no choice of ours is the plainest one."""
    kind, urgency, topic = form.text("kind"), form.text("urgency"), form.text("topic")
    return (
        Kind(kind) if kind in KIND_NAMES else Kind.REPORT,
        topic if topic in topics() else None,
        Urgency(urgency) if urgency in set(Urgency) else Urgency.NORMAL,
        form.text("place", longest=opening.LONGEST_PLACE),
        form.key("area"),
    )


@router.post("/cases/{case_id}/steps/{step}")
async def take_step(request: Request, visitor: CurrentVisitor, case_id: int, step: str, form: PostedForm) -> Response:
    """Takes one step of the table. Refused: the case's page as it now is, with the form open and nothing lost."""
    if step not in STEPS:
        raise Refused("cases.not_found")
    kept: tuple[int, ...] = tuple(form.keys("kept"))
    try:
        kept = (*kept, *await _keep_uploads(request, visitor, case_id, form))
        said = await _act(request, visitor, case_id, step=step, form=form, file_ids=kept)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        values = form.values() | {"kept": ",".join(map(str, kept))}
        return await case_page(
            request, visitor, case_id, status=409, opened=step, values=values, refusal=sentence(refusal)
        )
    back = "/desk/mine" if form.text("back") == "mine" else f"/desk/cases/{case_id}"
    return done(request, visitor, back, said.key, "green", **said.blanks)


async def _act(
    request: Request,
    visitor: Visitor,
    case_id: int,
    *,
    step: str,
    form: Posted,
    file_ids: tuple[int, ...] = (),
) -> Sentence:
    """Takes the step; returns what to say of it."""
    services = services_of(request)
    now = services.clock.now()

    def work_on(session: Session) -> Sentence:
        with desk.acting(session, visitor.person_id, case_id, act=step, version=form.key("version"), now=now) as (
            case,
            person,
        ):
            if step in FOR_DESK and not visitor.is_desk:
                raise Refused("web.not_at_desk")
            own = {file.id for file in files.of_case(session, case_id)}
            STEPS[step](Acting(session, case, person, form, now, tuple(key for key in file_ids if key in own)))
            return outcomes.of_step(session, case, step, actor_id=person.id)

    said = await services.database.write(work_on)
    services.wake()
    return said


async def _keep_uploads(request: Request, visitor: Visitor, case_id: int, form: Posted) -> list[int]:
    """Keeps the photos sent along, before the step: a refused step must not lose them."""
    uploads = form.uploads("photos")
    if len(uploads) > MOST_UPLOADS:
        raise Refused("web.too_many_photos", most=MOST_UPLOADS)
    if not uploads:
        return []
    services = services_of(request)
    now, caps = services.clock.now(), services.settings.media

    # Nobody fills our disk with files for a case that is not theirs.
    await services.database.read(lambda session: desk.check_access(session, visitor.person_id, case_id, now=now))
    stored: list[tuple[StoredMedia, str | None]] = []
    for upload in uploads:
        check_size(upload.size or 0, caps.largest_bytes)
        save = partial(
            check_and_save,
            services.media_folder,
            await upload.read(),
            kind=AttachmentKind.FILE,
            largest_bytes=caps.largest_bytes,
            largest_pixels=caps.largest_pixels,
        )
        stored.append((await run_in_threadpool(save), upload.filename))

    def keep(session: Session) -> list[int]:
        with desk.acting(session, visitor.person_id, case_id, act="photo", version=None, now=now) as (case, _):
            rows = [
                files.store_upload(session, media, name=name, community_id=case.community_id, case_id=case.id, now=now)
                for media, name in stored
            ]
            return [row.id for row in rows]

    return await services.database.write(keep)


@router.post("/cases/{case_id}/move")
async def move(request: Request, visitor: CurrentVisitor, case_id: int, form: PostedForm) -> Response:
    """A card was moved to another column: the step is taken, or its form opened where it needs words."""
    target = form.text("to")
    step = PLAIN_MOVES.get(target)
    if step is None:
        wordy = WORDY_MOVES.get(target) or (Step.REOPEN if form.text("from") in ("finished", "closed") else Step.RETURN)
        return RedirectResponse(f"/desk/cases/{case_id}?step={wordy}#step-{wordy}", 303)
    try:
        said = await _act(request, visitor, case_id, step=step, form=form)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return done(request, visitor, "/desk/board", "web.case_not_moved", "amber", reason=sentence(refusal))
    return done(request, visitor, "/desk/board", said.key, "green", **said.blanks)


@router.post("/cases/{case_id}/phone")
async def show_phone(request: Request, visitor: CurrentVisitor, case_id: int) -> HTMLResponse:
    """The reporter's number in full, once; that it was looked at is written down."""
    services = services_of(request)
    now = services.clock.now()
    try:
        phone = await services.database.write(
            lambda session: desk.show_phone(session, visitor.person_id, case_id, now=now)
        )
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await case_page(request, visitor, case_id, status=409, refusal=sentence(refusal))
    return await case_page(request, visitor, case_id, phone=phone)


@router.post("/cases/{case_id}/reporters/{row_id}/part")
async def part(request: Request, visitor: CurrentVisitor, case_id: int, row_id: int) -> Response:
    """Somebody who joined is taken out again; words that report something by themselves become a case of their own."""
    services = services_of(request)
    now = services.clock.now()

    def work_on(session: Session) -> str:
        with desk.acting(session, visitor.person_id, case_id, act="part", version=None, now=now) as (case, person):
            made = parting.part_by_staff(session, case, row_id, actor_id=person.id, now=now)
            return made.number if made else ""

    try:
        number = await services.database.write(work_on)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await case_page(request, visitor, case_id, status=409, refusal=sentence(refusal))
    services.wake()
    back = f"/desk/cases/{case_id}"
    if not number:
        return done(request, visitor, back, "web.case_parted")
    return done(request, visitor, back, "web.case_parted_own", number=number)

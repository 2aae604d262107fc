"""The desk's view of many cases: what one member of staff may see, filtered, counted, page by page or as a board. Reads only.

The number of statements does not depend on the number of cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true

from core.messages import Kind, Urgency
from domain import access
from domain.cases import searching
from domain.cases.life import ACTIVE, STATE_NAMES, WITH_WORKER, State, Step, may
from domain.cases.words import KIND_NAMES, URGENCY_NAMES
from domain.topics import name_of, topics
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.messages import File
from storage.people import Duty, Person, Role

PAGE_SIZE = 20
COLUMN_SIZE = 30
MOST_TASKS = 100
BOARD = (State.OPEN, State.ASSIGNED, State.ACCEPTED, State.ARRIVED, State.FINISHED, State.CLOSED)
# Where a card may be moved on the board, and by which step; `may` says from where.
MOVES = (
    (State.OPEN, Step.RETURN),
    (State.OPEN, Step.REOPEN),
    (State.ASSIGNED, Step.ASSIGN),
    (State.ACCEPTED, Step.ACCEPT),
    (State.ARRIVED, Step.ARRIVE),
    (State.FINISHED, Step.FINISH),
    (State.CLOSED, Step.CLOSE),
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see in a community: all of it, or what lies under `paths` (private matters: under `private_paths`; wishes:
    none but their own)."""

    person_id: int
    community_id: int
    is_desk: bool
    paths: tuple[str, ...] = ()
    private_paths: tuple[str, ...] = ()
    has_whole_field: bool = False
    has_whole_private: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list. Empty means all. `words` are looked for in number, text and place."""

    states: frozenset[State] = frozenset()
    kind: Kind | None = None
    topic: str = ""
    area_id: int | None = None
    worker_id: int | None = None
    is_overdue: bool = False
    words: str = ""
    by_deadline: bool = False


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as a line or a card."""

    id: int
    number: str
    version: int
    kind: str
    kind_words: str
    topic: str
    urgency: str
    urgency_words: str
    state: str
    state_words: str
    text: str
    place: str
    worker: str
    worker_id: int | None
    opened_at: datetime
    deadline_at: datetime | None
    is_overdue: bool
    is_private: bool
    photos: int
    reporters: int
    moves: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[CaseRow]
    total: int
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases are in each state, and how many are past their deadline."""

    by_state: dict[State, int]
    overdue: int

    @property
    def active(self) -> int:
        return sum(count for state, count in self.by_state.items() if state in ACTIVE)


def sight_of(session: Session, person_id: int, community_id: int, today: date) -> Sight:
    """What this person may see here today: the rule of access.may_work, for many cases at once."""
    duties = [duty for duty in access.duties(session, person_id, today) if duty.community_id == community_id]
    if any(duty.role in access.DESK_ROLES for duty in duties):
        return Sight(person_id, community_id, is_desk=True)
    areas = session.scalars(select(Area).where(Area.id.in_({duty.area_id for duty in duties})))
    paths = {area.id: area.path for area in areas}
    field = {duty.area_id for duty in duties if duty.role in access.FIELD_ROLES}
    private = {duty.area_id for duty in duties if duty.role == Role.MEDIATOR}
    return Sight(
        person_id,
        community_id,
        is_desk=False,
        paths=tuple(paths[key] for key in field),
        private_paths=tuple(paths[key] for key in private),
        has_whole_field=community_id in field,
        has_whole_private=community_id in private,
    )


def _visible(sight: Sight) -> ColumnElement[bool]:
    here = Case.community_id == sight.community_id
    if sight.is_desk:
        return here
    for_all = and_(Case.is_private.is_(False), Case.kind != Kind.WISH)
    public = and_(for_all, _lies_under(sight.paths, is_whole=sight.has_whole_field))
    private = and_(Case.is_private.is_(True), _lies_under(sight.private_paths, is_whole=sight.has_whole_private))
    return and_(here, or_(Case.assignee_id == sight.person_id, public, private))


def _lies_under(paths: Sequence[str], *, is_whole: bool) -> ColumnElement[bool]:
    if not paths:
        return false()
    below = Case.area_id.in_(select(Area.id).where(or_(*(Area.path.startswith(path) for path in paths))))
    return or_(below, Case.area_id.is_(None)) if is_whole else below


def _fits(filters: Filters, now: datetime) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if filters.states:
        conditions.append(Case.state.in_(filters.states))
    if filters.kind:
        conditions.append(Case.kind == filters.kind)
    if filters.topic:
        conditions.append(Case.topic.in_(_topics_of(filters.topic)))
    if filters.area_id:
        # A key's digits between slashes stand in the path of everything below it.
        conditions.append(Case.area_id.in_(select(Area.id).where(Area.path.contains(f"/{filters.area_id}/"))))
    if filters.worker_id:
        conditions.append(Case.assignee_id == filters.worker_id)
    if filters.is_overdue:
        conditions.append(_is_overdue(now))
    if filters.words:
        conditions.append(searching.fits(filters.words))
    return and_(*conditions)


def _topics_of(code: str) -> list[str]:
    """The topic itself, or all topics under a head named in its place."""
    under = [topic for topic, known in topics().items() if known.head == code]
    return under or [code]


def _is_overdue(now: datetime) -> ColumnElement[bool]:
    return and_(Case.state.in_(ACTIVE), Case.deadline_at < now)


def page_of(session: Session, sight: Sight, filters: Filters, *, number: int, now: datetime) -> Page:
    """One page of what fits, newest first or by deadline; a page past the end is the last one."""
    condition = and_(_visible(sight), _fits(filters, now))
    total = session.scalar(select(func.count()).select_from(Case).where(condition)) or 0
    count = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), count)
    order = (Case.deadline_at.asc().nulls_last(), Case.id) if filters.by_deadline else (Case.id.desc(),)
    query = _rows().where(condition).order_by(*order).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    return Page(_read(session, query, now), total, number, count)


def counts_of(session: Session, sight: Sight, *, now: datetime, filters: Filters | None = None) -> Counts:
    query = (
        select(Case.state, func.count(), func.sum(case((_is_overdue(now), 1), else_=0)))
        .where(_visible(sight), _fits(filters or Filters(), now))
        .group_by(Case.state)
    )
    rows = session.execute(query).all()
    by_state = dict.fromkeys(State, 0) | {State(state): count for state, count, _ in rows}
    return Counts(by_state, sum(int(overdue or 0) for _, _, overdue in rows))


def board_of(session: Session, sight: Sight, filters: Filters, *, now: datetime) -> dict[State, list[CaseRow]]:
    """The newest cases of each state."""
    place = func.row_number().over(partition_by=Case.state, order_by=Case.id.desc()).label("place")
    newest = select(Case.id, place).where(_visible(sight), _fits(filters, now), Case.state.in_(BOARD)).subquery()
    chosen = select(newest.c.id).where(newest.c.place <= COLUMN_SIZE)
    columns: dict[State, list[CaseRow]] = {state: [] for state in BOARD}
    for row in _read(session, _rows().where(Case.id.in_(chosen)).order_by(Case.id.desc()), now):
        columns[State(row.state)].append(row)
    return columns


def tasks(session: Session, sight: Sight, *, now: datetime) -> list[CaseRow]:
    """What somebody has in hand here, the nearest deadline first."""
    query = _rows().where(
        Case.community_id == sight.community_id, Case.assignee_id == sight.person_id, Case.state.in_(WITH_WORKER)
    )
    return _read(session, query.order_by(Case.deadline_at.asc().nulls_last()).limit(MOST_TASKS), now)


def waiting(session: Session, sight: Sight, *, now: datetime) -> list[CaseRow]:
    """What nobody has yet among the cases that somebody may see; the oldest first."""
    query = _rows().where(_visible(sight), Case.state == State.OPEN)
    return _read(session, query.order_by(Case.id).limit(MOST_TASKS), now)


def workers(session: Session, community_id: int) -> list[tuple[int, str]]:
    """Everybody who is or was on duty here and has a name, for a filter."""
    query = (
        select(Person.id, Person.name)
        .where(Person.id.in_(select(Duty.person_id).where(Duty.community_id == community_id)), Person.name != "")
        .order_by(Person.name)
    )
    return [(key, name) for key, name in session.execute(query)]


Rows = Select[Case, str | None, str | None, int]


def _rows() -> Rows:
    photos = select(func.count()).where(File.case_id == Case.id).correlate(Case).scalar_subquery()
    return (
        select(Case, Person.name, Area.name, photos)
        .outerjoin(Person, Person.id == Case.assignee_id)
        .outerjoin(Area, and_(Area.id == Case.area_id, Area.id != Case.community_id))
    )


def _read(session: Session, query: Rows, now: datetime) -> list[CaseRow]:
    return [
        _row(found, worker or "", area or "", photos, now) for found, worker, area, photos in session.execute(query)
    ]


def _row(found: Case, worker: str, area: str, photos: int, now: datetime) -> CaseRow:
    state, is_active = State(found.state), found.state in ACTIVE
    return CaseRow(
        id=found.id,
        number=found.number,
        version=found.version,
        kind=found.kind,
        kind_words=KIND_NAMES[Kind(found.kind)],
        topic=name_of(found.topic) if found.topic else "",
        urgency=found.urgency,
        urgency_words=URGENCY_NAMES[Urgency(found.urgency)],
        state=found.state,
        state_words=STATE_NAMES[state],
        text=found.text,
        place=found.place or area,
        worker=worker,
        worker_id=found.assignee_id,
        opened_at=found.opened_at,
        deadline_at=found.deadline_at,
        is_overdue=is_active and found.deadline_at is not None and found.deadline_at < now,
        is_private=found.is_private,
        photos=photos,
        reporters=found.joined + 1,
        moves=tuple(
            (target.value, STATE_NAMES[target]) for target, step in MOVES if may(found, step) and target != state
        ),
    )

"""Brings the made-up community into the tables, through the importers like any other, and names its people and groups for the simulator."""

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.sample import make
from core.messages import ChatKind, ChatRef
from core.simulation import PRIVATE_PREFIX, Persona, SimulatedGroup
from domain import announcements, areas, chats, conventions, people
from domain.areas import AreaLevel
from domain.chats import Chat, ChatPurpose, ChatState
from domain.imports import import_areas, import_people, read_table
from domain.people import Person
from storage.base import Session
from storage.people import PrivateChat

FOLDER = Path(__file__).parent
CHANNEL = ACCOUNT = "simulator"
RESIDENT = "居民"


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What of the made-up community stands in the tables."""

    community_id: int
    areas: int
    households: int
    people: int
    groups: int
    clauses: int
    announcements: int


@dataclass(frozen=True, slots=True)
class _Group:
    id: str
    name: str
    area: str
    purpose: ChatPurpose
    members: tuple[str, ...]


def sample_people() -> tuple[Persona, ...]:
    """The made-up people in the order of people.csv: a resident stands for their building, the others for their areas."""
    names = {code: name for _, _, code, name, _, _ in make.rows()}
    rows: dict[str, list[Mapping[str, str]]] = {}
    with (FOLDER / "people.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["编号"], []).append(row)
    return tuple(_persona(code, of_person, names) for code, of_person in rows.items())


def _persona(code: str, rows: Sequence[Mapping[str, str]], names: Mapping[str, str]) -> Persona:
    roles = tuple(dict.fromkeys(row["角色"] for row in rows if row["角色"])) or (RESIDENT,)
    places = [row["负责区域(编码)"] or row["住址编码"].partition("-")[0] for row in rows]
    return Persona(code, rows[0]["姓名"], roles, "、".join(dict.fromkeys(names[place] for place in places)))


def sample_groups() -> tuple[SimulatedGroup, ...]:
    """The made-up groups with their members, the staff's last."""
    names = {code: name for _, _, code, name, _, _ in make.rows()}
    return tuple(SimulatedGroup(group.id, group.name, names[group.area], group.members) for group in _groups())


def load_sample(session: Session, *, now: datetime) -> SampleSummary:
    """The community stands in the tables with its people, groups, convention and announcements.

    Where it stands already nothing is changed: what was done to it in the demo stays done.
    """
    if _community_id(session) is None:
        import_areas(session, read_table(FOLDER / "areas.csv"))
        import_people(session, read_table(FOLDER / "people.csv"), now=now)
        _furnish(session, now)
    community_id = _community_id(session)
    assert community_id is not None
    standing = areas.of_community(session, community_id)
    convention = conventions.current(session, community_id)
    return SampleSummary(
        community_id=community_id,
        areas=len(standing),
        households=sum(area.level == AreaLevel.HOUSEHOLD for area in standing),
        people=len(_registered(session)),
        groups=len(chats.of_community(session, community_id)),
        clauses=len(conventions.clauses_of(session, convention)) if convention else 0,
        announcements=len(announcements.announcements_of(session, community_id)),
    )


def _community_id(session: Session) -> int | None:
    return next((each.id for each in areas.communities(session) if each.name == make.COMMUNITY), None)


def _registered(session: Session) -> list[Person]:
    found = people.with_codes(session, (persona.id for persona in sample_people()))
    return [found[code] for code in sorted(found)]


def _furnish(session: Session, now: datetime) -> None:
    """Groups, private chats, convention and announcements of the imported community."""
    community_id = _community_id(session)
    assert community_id is not None
    ids = {area.code: area.id for area in areas.of_community(session, community_id)}
    for group in _groups():
        # The demo's groups need no one-time code: the same program has made both ends.
        chat = _bound_chat(session, ChatRef(group.id, ChatKind.GROUP, group.name), community_id, now)
        chat.area_id = ids[group.area]
        chat.purpose = group.purpose
    for person in _registered(session):
        _open_private_chat(session, person, community_id, now)
    session.flush()
    _adopt_convention(session, community_id, now)
    _schedule_announcements(session, community_id, ids, now)


def _groups() -> tuple[_Group, ...]:
    listed = tomllib.loads((FOLDER / "groups.toml").read_text(encoding="utf-8"))["groups"]
    return tuple(
        _Group(each["id"], each["name"], each["area"], ChatPurpose(each["purpose"]), tuple(each["members"]))
        for each in listed
    )


def _bound_chat(session: Session, ref: ChatRef, community_id: int, now: datetime) -> Chat:
    chat = chats.find_or_make(session, CHANNEL, ACCOUNT, ref, now=now)
    chat.community_id = community_id
    chat.state = ChatState.BOUND
    return chat


def _open_private_chat(session: Session, person: Person, community_id: int, now: datetime) -> None:
    code = person.code or ""
    chat = _bound_chat(session, ChatRef(PRIVATE_PREFIX + code, ChatKind.PRIVATE, person.name), community_id, now)
    chat.person_id = person.id
    account = people.link_account(session, person, channel=CHANNEL, external_id=code, now=now)
    account.name = person.name
    account.private_chat = PrivateChat.OPEN


def _adopt_convention(session: Session, community_id: int, now: datetime) -> None:
    convention = tomllib.loads((FOLDER / "clauses.toml").read_text(encoding="utf-8"))
    clauses = [conventions.ClauseWords(each["text"], each.get("topic")) for each in convention["clauses"]]
    conventions.adopt(session, community_id, convention["title"], clauses, now)


def _schedule_announcements(session: Session, community_id: int, ids: Mapping[str, int], now: datetime) -> None:
    for planned in tomllib.loads((FOLDER / "announcements.toml").read_text(encoding="utf-8"))["announcements"]:
        draft = announcements.draft(
            session,
            community_id=community_id,
            title=planned["title"],
            text=planned.get("text", ""),
            area_ids=[ids[code] for code in planned["areas"]],
            chat_ids=(),
            roles=(),
            file_ids=(),
            by=None,
            now=now,
            is_clause_rotation=planned.get("is_clause_rotation", False),
        )
        announcements.schedule(session, draft, at=None, recurrence=planned["recurrence"], now=now)

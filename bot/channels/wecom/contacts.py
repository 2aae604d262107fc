"""The corp's address book as the app is shown it: departments and members of its visible range, read-only."""

import asyncio
from dataclasses import dataclass

from bot.channels.wecom.calls import Calls
from bot.channels.wecom.client import Json
from core.colleagues import Colleague
from core.errors import TryLater, Undeliverable

SIDE_BY_SIDE = 8
NOT_THERE = "（60111）"
DEEPEST = 20
ACTIVE = ("1", "4")  # in use, and invited but not yet opened; 2 is suspended, 5 has left


@dataclass(frozen=True, slots=True)
class Department:
    name: str
    parent: str


async def colleagues(calls: Calls, agent_id: int) -> list[Colleague]:
    """Everybody in the visible range, in the order of their ids. Telephones are not told to apps, and not asked for."""
    ranges = await calls.get("agent/get", agentid=str(agent_id))
    users, parties, tags = (_ids(ranges, *keys) for keys in RANGES)
    departments = await _departments(calls) if parties or tags else {}
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def ask(path: str, **params: str) -> Json:
        async with gate:
            try:
                return await calls.get(path, **params)
            except Undeliverable:
                return {}  # gone or hidden since

    for tag in await asyncio.gather(*(ask("tag/get", tagid=one) for one in tags)):
        users |= {str(one.get("userid", "")) for one in tag.get("userlist") or ()}
    pages = await asyncio.gather(*(ask("user/list", department_id=one) for one in sorted(departments)))
    found = {str(one.get("userid", "")): one for page in pages for one in page.get("userlist") or ()}
    alone = sorted(users - found.keys() - {""})
    for one in await asyncio.gather(*(ask("user/get", userid=userid) for userid in alone)):
        found[str(one.get("userid", ""))] = one
    return [_colleague(userid, found[userid], departments) for userid in sorted(found) if userid]


# Where agent/get tells whom the app may see: outer name, inner name, and the id's where each is an object.
RANGES = (("allow_userinfos", "user", "userid"), ("allow_partys", "partyid", ""), ("allow_tags", "tagid", ""))


def _ids(ranges: Json, outer: str, inner: str, key: str) -> set[str]:
    some = (ranges.get(outer) or {}).get(inner) or ()
    return {str(one.get(key, "") if key else one) for one in some}


async def _departments(calls: Calls) -> dict[str, Department]:
    try:
        found = (await calls.get("department/list")).get("department") or ()
    except Undeliverable:
        return {}
    try:
        return {str(one["id"]): Department(str(one.get("name", "")), str(one.get("parentid", ""))) for one in found}
    except (KeyError, TypeError, AttributeError):
        raise TryLater(5.0, "the departments could not be read") from None


def _colleague(userid: str, one: Json, departments: dict[str, Department]) -> Colleague:
    paths = {_path(str(number), departments) for number in one.get("department") or ()} - {""}
    return Colleague(
        userid,
        str(one.get("name", "")),
        tuple(sorted(paths)),
        str(one.get("position", "")),
        is_active=str(one.get("status", "1")) in ACTIVE,
    )


def _path(number: str, departments: dict[str, Department]) -> str:
    """From the highest department that we are shown: 街道办/春晖社区."""
    names: list[str] = []
    while number in departments and len(names) < DEEPEST:
        names.append(departments[number].name)
        number = departments[number].parent
    return "/".join(reversed(names))


async def is_gone(calls: Calls, userid: str) -> bool:
    """Somebody outside the visible range is refused otherwise than somebody who is not there."""
    try:
        await calls.get("user/get", userid=userid)
    except Undeliverable as error:
        return NOT_THERE in error.reason
    return False

"""The address book as an app sees it: only departments and members of its visible range; strict about fields."""

from collections.abc import Callable, Mapping

from tests.emulators import wecom_checks as checks
from tests.emulators.wecom_world import ApiError, Json, Member, World


class Contacts:
    """Departments and members of the corp."""

    def __init__(self, world: World) -> None:
        self._world = world

    def calls(self) -> Mapping[str, Callable[[Json], Json]]:
        return {
            "user/get": self._user,
            "user/list": self._users,
            "department/list": self._departments,
            "tag/get": self._tag,
        }

    def _user(self, given: Json) -> Json:
        checks.only(given, {"userid"}, "user/get")
        member = self._world.members.get(str(given.get("userid")))
        if member is None:
            raise ApiError(60111, "userid not found")
        if not member.is_visible:
            raise ApiError(60011, "no privilege")
        return _shown(member)

    def _users(self, given: Json) -> Json:
        """Those of one department, without the ones below it."""
        checks.only(given, {"department_id"}, "user/list")
        number = int(given.get("department_id", 0))
        if number not in self._seen():
            raise ApiError(60011, "no privilege to access department")
        found = [one for one in self._world.members.values() if one.is_visible and number in one.departments]
        return {"userlist": [_shown(one) for one in found]}

    def _departments(self, given: Json) -> Json:
        checks.only(given, {"id"}, "department/list")
        seen = self._seen()
        if not seen:
            raise ApiError(60011, "no privilege to access department")
        made = [
            {"id": number, "name": name, "parentid": parent, "order": number}
            for number, (name, parent) in self._world.departments.items()
            if number in seen
        ]
        return {"department": made}

    def _tag(self, given: Json) -> Json:
        raise ApiError(40068, f"no tag {given.get('tagid')}")

    def _seen(self) -> set[int]:
        return set(self._world.departments) - self._world.hidden_departments


def _shown(member: Member) -> Json:
    """A new app is given neither telephone nor mail."""
    return {
        "userid": member.userid,
        "name": member.name,
        "department": list(member.departments),
        "position": member.position,
        "status": 2 if member.is_disabled else 1,
    }

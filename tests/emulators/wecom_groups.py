"""Customer groups and mass messages: a register with owners, tasks that lie in an owner's client until a person presses "send", the
quota of a group, reminders, and the collection of welcomes. Strict as the other calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

from tests.emulators import wecom_checks as checks
from tests.emulators.wecom_world import ApiError, Json, World

TASK_BYTES, WELCOME_BYTES, TITLE_BYTES, ABOUT_BYTES = 4000, 3000, 128, 512
MOST_GROUPS, MOST_FILES, MOST_WELCOMES = 2000, 9, 100
MOST_OWNERS_UNFILTERED = 1000
REMINDERS_A_DAY = 3
ATTACHMENTS = {
    "image": {"media_id", "pic_url"},
    "video": {"media_id"},
    "file": {"media_id"},
    "link": {"title", "picurl", "desc", "url"},
}
NOT_SENT, SENT, NO_FRIEND, OVER_QUOTA = 0, 1, 2, 3
NO_GROUP, NO_TASK, REMINDED_ENOUGH, NO_WELCOME = 90501, 40058, 45009, 40058


@dataclass
class Group:
    """`status`: 0 with its owner, 1 the owner has left the corp, 2 being followed by another, 3 followed."""

    id: str
    name: str
    owner: str
    residents: list[str]
    members: list[str] = field(default_factory=list)
    status: int = 0
    at: float = 0.0


@dataclass
class Task:
    """What lies in an owner's client. `results` by group; None until the owner has pressed "send"."""

    msgid: str
    owner: str
    chats: list[str]
    text: str
    files: tuple[bytes, ...]
    at: float
    results: dict[str, int] | None = None
    is_cancelled: bool = False
    reminded_at: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Post:
    """A message as the members of a group see it."""

    chat_id: str
    owner: str
    text: str
    files: tuple[bytes, ...]
    at: float


class Groups:
    """`a_day` is how many mass messages a group takes on one day in China. `hides_tasks` keeps new tasks out of the list, as a
    platform would whose list lags behind."""

    def __init__(self, world: World, *, a_day: int = 1) -> None:
        self._world = world
        self.a_day = a_day
        self.groups: dict[str, Group] = {}
        self.tasks: list[Task] = []
        self.posts: list[Post] = []
        self.welcomes: dict[str, Json] = {}
        self.hides_tasks = False
        self.tells_results = True

    def calls(self) -> Mapping[str, Callable[[Json], Json]]:
        here = "externalcontact/"
        return {
            f"{here}groupchat/list": self._list,
            f"{here}groupchat/get": self._get,
            f"{here}add_msg_template": self._add,
            f"{here}get_groupmsg_list_v2": self._listed,
            f"{here}get_groupmsg_task": self._members,
            f"{here}get_groupmsg_send_result": self._results,
            f"{here}remind_groupmsg_send": self._remind,
            f"{here}cancel_groupmsg_send": self._cancel,
            f"{here}group_welcome_template/add": self._add_welcome,
            f"{here}group_welcome_template/edit": self._edit_welcome,
        }

    # What people do

    def confirm(self, owner: str, msgid: str = "") -> Task:
        """The owner presses "send" on their oldest open task, or on this one."""
        open_ones = [
            task for task in self.tasks if task.owner == owner and task.results is None and not task.is_cancelled
        ]
        task = next(task for task in open_ones if msgid in ("", task.msgid))
        task.results = {chat: self._send(task, chat) for chat in task.chats}
        return task

    def _send(self, task: Task, chat: str) -> int:
        group = self.groups.get(chat)
        if group is None or group.owner != task.owner:
            return NO_FRIEND
        today = _day(self._world.now())
        if sum(post.chat_id == chat and _day(post.at) == today for post in self.posts) >= self.a_day:
            return OVER_QUOTA
        self.posts.append(Post(chat, task.owner, task.text, task.files, self._world.now()))
        return SENT

    def texts(self, chat_id: str) -> list[str]:
        return [post.text for post in self.posts if post.chat_id == chat_id]

    # The register

    def _list(self, given: Json) -> Json:
        checks.only(given, {"status_filter", "owner_filter", "cursor", "limit"}, "groupchat/list")
        limit = _limit(given, 1000)
        owners = given.get("owner_filter", {}).get("userid_list")
        if owners is None and len({group.owner for group in self.groups.values()}) > MOST_OWNERS_UNFILTERED:
            raise ApiError(81017, "owner_filter is needed")
        if owners is not None and not 1 <= len(owners) <= 100:
            raise ApiError(40058, "1 to 100 owners")
        found = [group for group in self.groups.values() if owners is None or group.owner in owners]
        lines = [{"chat_id": group.id, "status": group.status} for group in found]
        return _page(lines, "group_chat_list", given, limit)

    def _get(self, given: Json) -> Json:
        checks.only(given, {"chat_id", "need_name"}, "groupchat/get")
        group = self.groups.get(str(given.get("chat_id")))
        if group is None:
            raise ApiError(NO_GROUP, "not a customer group")
        has_names = given.get("need_name") == 1
        people = [(one, 1) for one in [group.owner, *group.members]] + [(one, 2) for one in group.residents]
        members = [
            {"userid": one, "type": kind, "join_time": int(group.at), "join_scene": 1}
            | ({"name": self._name(one)} if has_names else {})
            for one, kind in people
        ]
        return {
            "group_chat": {
                "chat_id": group.id,
                "name": group.name,
                "owner": group.owner,
                "create_time": int(group.at),
                "notice": "",
                "member_list": members,
                "admin_list": [],
                "member_version": str(len(members)),
            }
        }

    def _name(self, one: str) -> str:
        member = self._world.members.get(one)
        return member.name if member is not None else self._world.customers.get(one, "")

    # Tasks

    def _add(self, given: Json) -> Json:
        allowed = {"chat_type", "external_userid", "chat_id_list", "sender", "allow_select", "text", "attachments"}
        checks.only(given, allowed, "add_msg_template")
        if given.get("chat_type") != "group" or "external_userid" in given:
            raise ApiError(40058, "strict: only groups are emulated")
        sender, chats = str(given.get("sender", "")), [str(one) for one in given.get("chat_id_list", [])]
        member = self._world.members.get(sender)
        if member is None or not member.is_visible:
            raise ApiError(40003, "sender is nobody we know")
        if not 1 <= len(chats) <= MOST_GROUPS or len(set(chats)) != len(chats):
            raise ApiError(40058, "strict: 1 to 2000 different groups")
        if "text" not in given and not given.get("attachments"):
            raise ApiError(44004, "neither text nor attachments")
        text = checks.text(given["text"].get("content"), TASK_BYTES) if "text" in given else ""
        files = self._attached(given.get("attachments", []))
        lost = [one for one in chats if one not in self.groups or self.groups[one].owner != sender]
        kept = [one for one in chats if one not in lost]
        if not kept:
            return {"fail_list": lost, "msgid": ""}
        task = Task(self._world.new_id("msgEmulated"), sender, kept, text, files, self._world.now())
        self.tasks.append(task)
        return {"fail_list": lost, "msgid": task.msgid}

    def _attached(self, attachments: Sequence[Json]) -> tuple[bytes, ...]:
        if len(attachments) > MOST_FILES:
            raise ApiError(40058, "more than 9 attachments")
        found = []
        for one in attachments:
            kind = str(one.get("msgtype"))
            if kind not in ATTACHMENTS:
                raise ApiError(40008, "invalid message type")
            checks.only(one, {"msgtype", kind}, "attachment")
            checks.only(one[kind], ATTACHMENTS[kind], kind)
            if "media_id" in one[kind]:
                medium = self._world.medium(str(one[kind]["media_id"]))
                if medium.kind != kind:
                    raise ApiError(40007, "the medium is of another type")
                found.append(medium.body)
        return tuple(found)

    def _listed(self, given: Json) -> Json:
        allowed = {"chat_type", "start_time", "end_time", "creator", "filter_type", "limit", "cursor"}
        checks.only(given, allowed, "get_groupmsg_list_v2")
        checks.need(given, ("chat_type", "start_time", "end_time"), "get_groupmsg_list_v2")
        since, until = given["start_time"], given["end_time"]
        if not 0 <= until - since <= 31 * 24 * 3600:
            raise ApiError(40058, "strict: at most a month")
        found = [task for task in self.tasks if since <= int(task.at) <= until and not self.hides_tasks]
        lines = [
            {
                "msgid": task.msgid,
                "creator": "",
                "create_time": str(int(task.at)),
                "create_type": "0",
                "text": {"content": task.text},
                "attachments": [{"msgtype": "image", "image": {}} for _ in task.files],
            }
            for task in reversed(found)
        ]
        return _page(lines, "group_msg_list", given, _limit(given, 100))

    def _members(self, given: Json) -> Json:
        checks.only(given, {"msgid", "limit", "cursor"}, "get_groupmsg_task")
        task = self._task(given)
        status = 0 if task.results is None else 2
        return _page([{"userid": task.owner, "status": status}], "task_list", given, _limit(given, 1000))

    def _results(self, given: Json) -> Json:
        checks.only(given, {"msgid", "userid", "limit", "cursor"}, "get_groupmsg_send_result")
        task = self._task(given)
        if given.get("userid") != task.owner:
            raise ApiError(40003, "the task is not theirs")
        results = (
            task.results if task.results is not None and self.tells_results else dict.fromkeys(task.chats, NOT_SENT)
        )
        lines = [{"chat_id": chat, "userid": task.owner, "status": status} for chat, status in results.items()]
        return _page(lines, "send_list", given, _limit(given, 1000))

    def _remind(self, given: Json) -> Json:
        checks.only(given, {"msgid"}, "remind_groupmsg_send")
        task, now = self._task(given), self._world.now()
        if sum(at > now - 24 * 3600 for at in task.reminded_at) >= REMINDERS_A_DAY:
            raise ApiError(REMINDED_ENOUGH, "three reminders in 24 hours")
        task.reminded_at.append(now)
        return {}

    def _cancel(self, given: Json) -> Json:
        checks.only(given, {"msgid"}, "cancel_groupmsg_send")
        self._task(given).is_cancelled = True
        return {}

    def _task(self, given: Json) -> Task:
        found = next((task for task in self.tasks if task.msgid == given.get("msgid")), None)
        if found is None:
            raise ApiError(NO_TASK, "no such msgid")
        return found

    # Welcomes

    def _add_welcome(self, given: Json) -> Json:
        _check_welcome(given, set())
        if len(self.welcomes) >= MOST_WELCOMES:
            raise ApiError(45029, "at most 100 welcomes")
        key = self._world.new_id("welcomeEmulated")
        self.welcomes[key] = given
        return {"template_id": key}

    def _edit_welcome(self, given: Json) -> Json:
        _check_welcome(given, {"template_id"})
        if given.get("template_id") not in self.welcomes:
            raise ApiError(NO_WELCOME, "no such template_id")
        self.welcomes[given["template_id"]] = given
        return {}


def _check_welcome(given: Json, more: set[str]) -> None:
    checks.only(given, {"text", "image", "link", "miniprogram", "file", "video", "agentid", "notify"} | more, "welcome")
    if "text" in given:
        checks.text(given["text"].get("content"), WELCOME_BYTES)
    if "link" in given:
        checks.only(given["link"], {"title", "picurl", "desc", "url"}, "link")
        checks.need(given["link"], ("title", "url"), "link")
        checks.text(given["link"]["title"], TITLE_BYTES)
        checks.text(given["link"].get("desc", "-"), ABOUT_BYTES)


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(timezone(timedelta(hours=8))).date()


def _limit(given: Json, most: int) -> int:
    limit = given.get("limit", most)
    if not isinstance(limit, int) or not 1 <= limit <= most:
        raise ApiError(40058, f"strict: limit is 1 to {most}")
    return limit


def _page(lines: Sequence[Json], name: str, given: Json, limit: int) -> Json:
    """Some of the lines; the cursor is where to go on, empty at the end."""
    start = int(given.get("cursor") or 0)
    end = start + limit
    return {name: list(lines[start:end]), "next_cursor": str(end) if end < len(lines) else ""}

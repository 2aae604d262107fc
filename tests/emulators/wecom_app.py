"""The self-built app's calls: messages to members with every limit, cards with codes of one use, recall, media, menu."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.emulators import wecom_checks as checks
from tests.emulators.wecom_world import ApiError, Json, Member, Posted, World

BODY_FIELDS = {
    "text": {"content"},
    "markdown": {"content"},
    "image": {"media_id"},
    "voice": {"media_id"},
    "file": {"media_id"},
    "video": {"media_id", "title", "description"},
}
SEND_FIELDS = {
    "touser",
    "toparty",
    "totag",
    "agentid",
    "msgtype",
    "safe",
    "enable_id_trans",
    "enable_duplicate_check",
    "duplicate_check_interval",
}
CODE_LIVES = 72 * 3600
RECALL_WITHIN = 24 * 3600


@dataclass
class Code:
    """Permission to change a card once."""

    card: Posted
    at: float
    is_used: bool = False


class App:
    """One agent. `a_minute` and `an_hour` are what one member takes; what is above is dropped without a word."""

    def __init__(self, world: World, *, a_minute: int = 30, an_hour: int = 1000) -> None:
        self._world = world
        self._limits = ((60.0, a_minute), (3600.0, an_hour))
        self._times: dict[str, deque[float]] = defaultdict(deque)
        self._said: dict[tuple[str, str], float] = {}
        self._tasks: set[str] = set()
        self.codes: dict[str, Code] = {}
        self.dropped: list[Posted] = []
        self.menu: Json = {}
        self.settings: Json = {"name": "五微", "close": 0, "redirect_domain": "desk.example"}

    def calls(self) -> Mapping[str, Callable[[Json], Json]]:
        return {
            "message/send": self._send,
            "message/recall": self._recall,
            "message/update_template_card": self._update,
            "menu/create": self._menu,
            "agent/get": self._agent,
        }

    def new_code(self, card: Posted) -> str:
        code = self._world.new_id("CODE_")
        self.codes[code] = Code(card, self._world.now())
        return code

    def _send(self, given: Json) -> Json:
        kind = str(given.get("msgtype", ""))
        checks.only(given, SEND_FIELDS | {kind}, "message/send")
        checks.need(given, ("agentid", "msgtype"), "message/send")
        self._check_agent(given)
        body = self._checked(kind, given.get(kind))
        names = [name for name in str(given.get("touser", "")).split("|") if name]
        if not names:
            raise ApiError(82001, "no receiver")
        if len(names) > 1000:
            raise ApiError(40032, "too many receivers")
        known = [member for name in names if (member := self._visible(name)) is not None]
        lost = "|".join(name.lower() for name in names if self._visible(name) is None)
        if not known:
            raise ApiError(81013, "all receivers invalid")
        answer: Json = {"msgid": self._world.new_id("MSG_"), "invaliduser": lost}
        for member in known:
            posted = self._post(answer["msgid"], member, kind, body)
            if given.get("enable_duplicate_check") and self._is_duplicate(posted, given):
                continue
            self._deliver(posted)
            if kind == "template_card" and body["card_type"] in checks.INTERACTIVE:
                answer["response_code"] = self.new_code(posted)
        return answer

    def _checked(self, kind: str, body: Json | None) -> Json:
        if kind not in BODY_FIELDS and kind != "template_card":
            raise ApiError(40008, "invalid message type")
        if body is None:
            raise ApiError(41016, f"{kind} missing")
        if kind == "template_card":
            checks.card(body, is_update=False)
            if body["task_id"] in self._tasks:
                raise ApiError(42014, "task_id was used before")
            self._tasks.add(body["task_id"])
            return body
        checks.only(body, BODY_FIELDS[kind], kind)
        if "content" in BODY_FIELDS[kind]:
            checks.text(body.get("content"), checks.TEXT_BYTES)
        elif self._world.medium(str(body.get("media_id"))).kind != kind:
            raise ApiError(40007, "the medium is of another type")
        return body

    def _post(self, msgid: str, member: Member, kind: str, body: Json) -> Posted:
        media = body.get("media_id")
        files = (self._world.medium(media).body,) if media else ()
        return Posted(msgid, member.userid, kind, body, self._world.now(), body.get("task_id", ""), files=files)

    def _is_duplicate(self, posted: Posted, given: Json) -> bool:
        key = (posted.to, repr(posted.body))
        last = self._said.get(key)
        self._said[key] = posted.at
        return last is not None and posted.at - last < given.get("duplicate_check_interval", 1800)

    def _deliver(self, posted: Posted) -> None:
        times = self._times[posted.to]
        while times and times[0] <= posted.at - 3600:
            times.popleft()
        for per, count in self._limits:
            if sum(1 for at in times if at > posted.at - per) >= count:
                self.dropped.append(posted)
                return
        times.append(posted.at)
        self._world.posted.append(posted)

    def _recall(self, given: Json) -> Json:
        checks.only(given, {"msgid"}, "message/recall")
        found = [post for post in self._world.posted if post.id == given.get("msgid")]
        if not found or self._world.now() - found[0].at > RECALL_WITHIN:
            raise ApiError(42013, "cannot be recalled")
        for post in found:
            post.is_recalled = True
        return {}

    def _update(self, given: Json) -> Json:
        allowed = {
            "userids",
            "partyids",
            "tagids",
            "atall",
            "agentid",
            "response_code",
            "button",
            "template_card",
            "enable_id_trans",
        }
        checks.only(given, allowed, "update_template_card")
        checks.need(given, ("agentid", "response_code"), "update_template_card")
        self._check_agent(given)
        code = self.codes.get(str(given["response_code"]))
        if code is None or code.is_used or self._world.now() - code.at > CODE_LIVES:
            raise ApiError(42015, "response_code is wrong, used or old")
        if ("button" in given) == ("template_card" in given):
            raise ApiError(40035, "either button or template_card")
        if "template_card" in given:
            card = given["template_card"]
            checks.card(card, is_update=True)
            if card.get("task_id", code.card.task_id) != code.card.task_id:
                raise ApiError(42014, "another task_id")
            body = card
        else:
            body = code.card.body | {"replace_text": given["button"]["replace_name"]}
        if code.card.to not in given.get("userids", []):
            raise ApiError(81013, "none of these has the card")
        code.is_used = True
        code.card.body = body
        return {"invaliduser": []}

    def _menu(self, given: Json) -> Json:
        checks.only(given, {"button", "agentid"}, "menu/create")
        self._check_agent(given)
        top = given.get("button", [])
        if not 1 <= len(top) <= 3:
            raise ApiError(40016, "1 to 3 buttons")
        for button in top:
            checks.only(button, {"name", "sub_button"} if "sub_button" in button else {"name", "type", "key"}, "button")
            if len(button.get("sub_button", [])) > 5 or len(button["name"].encode()) > 16:
                raise ApiError(40018, "menu button")
            for one in button.get("sub_button", []):
                if len(one["name"].encode()) > 40 or len(one["key"].encode()) > 128:
                    raise ApiError(40018, "menu button")
        self.menu = given
        return {}

    def _agent(self, given: Json) -> Json:
        self._check_agent(given)
        seen = [member for member in self._world.members.values() if member.is_visible]
        alone = [{"userid": member.userid} for member in seen if not member.departments]
        parties = sorted(set(self._world.departments) - self._world.hidden_departments)
        ranges = {"allow_userinfos": {"user": alone}, "allow_partys": {"partyid": parties}, "allow_tags": {"tagid": []}}
        return {"agentid": self._world.agent_id, **ranges, **self.settings}

    def _check_agent(self, given: Json) -> None:
        if str(given.get("agentid")) != str(self._world.agent_id):
            raise ApiError(40056, "invalid agentid")

    def _visible(self, name: str) -> Member | None:
        found = self._world.members.get(name)
        return found if found is not None and found.is_visible and not found.is_disabled else None

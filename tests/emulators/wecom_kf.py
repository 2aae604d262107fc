"""微信客服 as it is for the bot: a stream to be pulled by cursor, sessions with a window of 48 hours and five messages, codes for
single messages, and the customers' side of it."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.emulators import wecom_checks as checks
from tests.emulators.wecom_world import ApiError, Json, Posted, World

KEPT = 3 * 24 * 3600
WINDOW = 48 * 3600
MOST_IN_WINDOW = 5
CODE_LIVES, LONG_CODE_LIVES = 20, WINDOW
TOKEN_LIVES = 600
BODY_FIELDS = {
    "text": {"content"},
    "image": {"media_id"},
    "voice": {"media_id"},
    "video": {"media_id"},
    "file": {"media_id"},
    "msgmenu": {"head_content", "list", "tail_content"},
}
NEW, BOT, POOL, SERVICER, ENDED = range(5)
# From → to, as far as the platform lets the interface move a session.
MOVES = {0: {1, 2, 3, 4}, 1: {2, 3, 4}, 2: {3, 4}, 3: {3, 4}, 4: set()}


@dataclass
class Session:
    """One customer with one account. `sent` counts since they last spoke."""

    state: int = 0
    servicer: str = ""
    heard_at: float | None = None
    sent: int = 0
    greeted_at: float | None = None


@dataclass
class Account:
    """One KF account: its stream, oldest first, with the place of each message."""

    open_kfid: str
    name: str
    stream: list[tuple[int, Json]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)


@dataclass
class Code:
    """Permission for one message without a window; where `state` is named, only while the session is in it."""

    open_kfid: str
    customer: str
    until: float
    kinds: tuple[str, ...] = ("text", "msgmenu")
    state: int | None = None
    is_used: bool = False


class Kf:
    """All KF accounts of the corp. `repeats` says what a message id used twice does: "refuse" or "send"."""

    def __init__(self, world: World, *, repeats: str = "refuse", page: int = 1000) -> None:
        self._world = world
        self.repeats = repeats
        self.page = page
        self.empty_pages = 0
        self.accounts: dict[str, Account] = {}
        self.unmanaged: set[str] = set()
        self.codes: dict[str, Code] = {}
        self._tokens: dict[str, float] = {}
        self._places = itertools.count(1)
        self._ids: set[str] = set()
        self._links: set[tuple[str, str]] = set()
        self.servicers: set[str] = set()

    def calls(self) -> Mapping[str, Callable[[Json], Json]]:
        return {
            "kf/sync_msg": self._sync,
            "kf/send_msg": self._send,
            "kf/send_msg_on_event": self._send_on_event,
            "kf/service_state/get": self._get_state,
            "kf/service_state/trans": self._move,
            "kf/customer/batchget": self._customers,
            "kf/account/list": self._list,
            "kf/add_contact_way": self._add_link,
        }

    # The customers' side

    def session(self, open_kfid: str, customer: str) -> Session:
        return self.accounts[open_kfid].sessions.setdefault(customer, Session())

    def put(self, open_kfid: str, message: Json) -> str:
        """Into the stream; the id of the message."""
        msgid = self._world.new_id("kfmsg_")
        full = {"msgid": msgid, "send_time": int(self._world.now()), **message}
        self.accounts[open_kfid].stream.append((next(self._places), full))
        return msgid

    def say(self, open_kfid: str, customer: str, kind: str, body: Json) -> str:
        session = self.session(open_kfid, customer)
        session.heard_at, session.sent = self._world.now(), 0
        if session.state == 4:
            session.state = 0
        message = {"open_kfid": open_kfid, "external_userid": customer, "origin": 3, "msgtype": kind, kind: body}
        return self.put(open_kfid, message)

    def enter(self, open_kfid: str, customer: str, scene_param: str) -> None:
        """A link or a QR code was opened. A code for a welcome comes unless there was talk in the last 48 hours."""
        session, now = self.session(open_kfid, customer), self._world.now()
        event: Json = {
            "event_type": "enter_session",
            "open_kfid": open_kfid,
            "external_userid": customer,
            "scene": "wuwei",
        }
        event["scene_param"] = scene_param
        lately = [at for at in (session.greeted_at, session.heard_at) if at is not None and now - at < WINDOW]
        if not lately:
            code = self._world.new_id("WELCOME_")
            self.codes[code] = Code(open_kfid, customer, now + CODE_LIVES)
            event["welcome_code"] = code
        self.event(open_kfid, event)

    def event(self, open_kfid: str, event: Json) -> None:
        self.put(open_kfid, {"origin": 4, "msgtype": "event", "event": event})

    # The servicers' side

    def take(self, open_kfid: str, customer: str, servicer: str) -> None:
        """A servicer takes the session from the pool, or takes an ended one up again by writing into it."""
        session = self.session(open_kfid, customer)
        if servicer not in self.servicers or session.state not in (POOL, ENDED):
            raise ValueError("nobody there, or nothing to take")
        change = 1 if session.state == POOL else 4
        session.state, session.servicer = SERVICER, servicer
        self._tell_change(open_kfid, customer, change, new_servicer_userid=servicer)

    def end(self, open_kfid: str, customer: str) -> None:
        """The servicer ends it in the client."""
        session = self.session(open_kfid, customer)
        old, session.state, session.servicer = session.servicer, ENDED, ""
        self._tell_change(open_kfid, customer, 3, old_servicer_userid=old)

    def answer_as_servicer(self, open_kfid: str, customer: str, text: str) -> str:
        session = self.session(open_kfid, customer)
        if session.state != SERVICER:
            raise ValueError("no servicer is with them")
        head = {"open_kfid": open_kfid, "external_userid": customer, "origin": 5, "servicer_userid": session.servicer}
        return self.put(open_kfid, {**head, "msgtype": "text", "text": {"content": text}})

    def _tell_change(self, open_kfid: str, customer: str, change: int, **who: str) -> None:
        event: Json = {"event_type": "session_status_change", "open_kfid": open_kfid, "external_userid": customer}
        code = self._new_code(open_kfid, customer)
        self.event(open_kfid, {**event, "change_type": change, **who, "msg_code": code})

    def _new_code(self, open_kfid: str, customer: str) -> str:
        """For one message after a session has come into the state that it is in now."""
        state, now = self.session(open_kfid, customer).state, self._world.now()
        code = self._world.new_id("MOVED_")
        if state == ENDED:
            self.codes[code] = Code(open_kfid, customer, now + CODE_LIVES, state=state)
        else:
            self.codes[code] = Code(open_kfid, customer, now + LONG_CODE_LIVES, ("text",), state)
        return code

    def new_token(self) -> str:
        token = self._world.new_id("KFTOKEN_")
        self._tokens[token] = self._world.now() + TOKEN_LIVES
        return token

    # The bot's side

    def _sync(self, given: Json) -> Json:
        checks.only(given, {"cursor", "token", "limit", "voice_format", "open_kfid"}, "sync_msg")
        account = self._account(given)
        token = given.get("token")
        if token and self._tokens.get(token, 0) < self._world.now():
            raise ApiError(95000, "token is wrong or old")
        cursor, limit = str(given.get("cursor", "")), min(int(given.get("limit", 1000)), self.page)
        if len(cursor.encode()) > 64 or (cursor and not cursor.startswith("c_")):
            raise ApiError(95013, "cursor is wrong")
        after = int(cursor.removeprefix("c_") or 0)
        if self.empty_pages:
            self.empty_pages -= 1
            return {"next_cursor": cursor or "c_0", "has_more": 1, "msg_list": []}
        oldest = self._world.now() - KEPT
        rest = [(place, one) for place, one in account.stream if place > after and one["send_time"] >= oldest]
        page = rest[:limit]
        last = page[-1][0] if page else after
        return {"next_cursor": f"c_{last}", "has_more": int(len(rest) > limit), "msg_list": [one for _, one in page]}

    def _send(self, given: Json) -> Json:
        kind = str(given.get("msgtype", ""))
        checks.only(given, {"touser", "open_kfid", "msgid", "msgtype", kind}, "kf/send_msg")
        account, customer = self._account(given), str(given.get("touser", ""))
        if customer not in self._world.customers:
            raise ApiError(40096, "invalid external_userid")
        body = self._checked(kind, given.get(kind))
        session = account.sessions.setdefault(customer, Session())
        if session.state not in (0, 1):
            raise ApiError(95018, "the session's state forbids it")
        is_open = session.heard_at is not None and self._world.now() - session.heard_at <= WINDOW
        if not is_open or session.sent >= MOST_IN_WINDOW:
            raise ApiError(95001, "count or time is used up")
        msgid = self._own_id(given)
        session.sent += 1
        return self._post(msgid, account, customer, kind, body)

    def _send_on_event(self, given: Json) -> Json:
        kind = str(given.get("msgtype", ""))
        checks.only(given, {"code", "msgid", "msgtype", kind}, "kf/send_msg_on_event")
        code = self.codes.get(str(given.get("code")))
        if code is None or code.is_used or self._world.now() > code.until:
            raise ApiError(95002, "code is wrong, used or old")
        if code.state is not None and self.session(code.open_kfid, code.customer).state != code.state:
            raise ApiError(95002, "the session has gone on since")
        if kind not in code.kinds:
            raise ApiError(40008, f"only {', '.join(code.kinds)}")
        body = self._checked(kind, given.get(kind))
        msgid = self._own_id(given)
        code.is_used = True
        self.session(code.open_kfid, code.customer).greeted_at = self._world.now()
        return self._post(msgid, self.accounts[code.open_kfid], code.customer, kind, body)

    def _checked(self, kind: str, body: Json | None) -> Json:
        if kind not in BODY_FIELDS or body is None:
            raise ApiError(40008, "invalid message type")
        checks.only(body, BODY_FIELDS[kind], kind)
        if kind == "text":
            checks.text(body.get("content"), checks.TEXT_BYTES)
        elif kind == "msgmenu":
            checks.menu(body)
        elif self._world.medium(str(body.get("media_id"))).kind != kind:
            raise ApiError(40007, "the medium is of another type")
        return body

    def _own_id(self, given: Json) -> str:
        if "msgid" not in given:
            return self._world.new_id("kfout_")
        if not checks.KF_MSGID.fullmatch(given["msgid"]):
            raise ApiError(40058, "msgid has other letters or is too long")
        if given["msgid"] in self._ids and self.repeats == "refuse":
            raise ApiError(95011, "msgid was used before")
        self._ids.add(given["msgid"])
        return str(given["msgid"])

    def _post(self, msgid: str, account: Account, customer: str, kind: str, body: Json) -> Json:
        media = body.get("media_id")
        files = (self._world.medium(media).body,) if media else ()
        where = f"{account.open_kfid}:{customer}"
        self._world.posted.append(Posted(msgid, where, kind, body, self._world.now(), files=files))
        return {"msgid": msgid}

    def _get_state(self, given: Json) -> Json:
        session = self.session(self._account(given).open_kfid, str(given.get("external_userid")))
        return {"service_state": session.state, "servicer_userid": session.servicer}

    def _move(self, given: Json) -> Json:
        checks.only(given, {"open_kfid", "external_userid", "service_state", "servicer_userid"}, "trans")
        open_kfid, customer = self._account(given).open_kfid, str(given.get("external_userid"))
        session, state = self.session(open_kfid, customer), int(given.get("service_state", -1))
        if state not in MOVES[session.state]:
            raise ApiError(95016, "this move is not allowed")
        servicer = str(given.get("servicer_userid", ""))
        if (state == SERVICER and servicer not in self.servicers) or (state == POOL and not self.servicers):
            raise ApiError(95014, "not a servicer")
        session.state, session.servicer = state, servicer
        return {"msg_code": self._new_code(open_kfid, customer)}

    def _customers(self, given: Json) -> Json:
        checks.only(given, {"external_userid_list", "need_enter_session_context"}, "batchget")
        asked = given["external_userid_list"]
        if not 1 <= len(asked) <= 100:
            raise ApiError(82001, "1 to 100 customers")
        known = self._world.customers
        found = [{"external_userid": one, "nickname": known[one]} for one in asked if one in known]
        return {"customer_list": found, "invalid_external_userid": [one for one in asked if one not in known]}

    def _list(self, given: Json) -> Json:
        checks.only(given, {"offset", "limit"}, "account/list")
        accounts = [
            {"open_kfid": one.open_kfid, "name": one.name, "manage_privilege": one.open_kfid not in self.unmanaged}
            for one in self.accounts.values()
        ]
        return {"account_list": accounts}

    def _add_link(self, given: Json) -> Json:
        checks.only(given, {"open_kfid", "scene"}, "add_contact_way")
        open_kfid = self._account(given).open_kfid
        return {"url": f"https://work.weixin.qq.com/kfid/{open_kfid}?enc_scene=ENC{given.get('scene', '')}"}

    def _account(self, given: Json) -> Account:
        found = self.accounts.get(str(given.get("open_kfid")))
        if found is None:
            raise ApiError(95004, "no such open_kfid")
        return found

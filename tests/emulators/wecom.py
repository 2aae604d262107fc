"""A strict WeCom emulator for one corp, on a real socket, and the hands of its members and customers.

    async with WeComEmulator() as wecom:
        worker = wecom.add_member("zhangwei", "张伟")
        resident = wecom.add_customer("王阿姨")
        wecom.connect(client)  # an httpx client at the program's address: callbacks go there
        wecom.say("zhangwei", "任务")
        wecom.kf_say(resident, "3号楼门口井盖坏了")
        ...  # a program with base_url=wecom.base_url works meanwhile
        assert [post.text for post in wecom.posts("zhangwei")] == [...]

It runs in the caller's event loop; control methods are plain calls. Time is `now()`, so a test's own clock drives every limit.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Self

import httpx
from wechatpy.enterprise.crypto import WeChatCrypto

from tests.emulators.wecom_app import App
from tests.emulators.wecom_contacts import Contacts
from tests.emulators.wecom_groups import Group, Groups
from tests.emulators.wecom_kf import Account, Kf
from tests.emulators.wecom_pusher import Pushed, Pusher
from tests.emulators.wecom_sign_in import SignIn
from tests.emulators.wecom_wire import Call, Fault, Grant, Wire
from tests.emulators.wecom_world import ApiError, Json, Member, Posted, World

__all__ = ["ApiError", "Call", "Member", "Posted", "Pushed", "WeComEmulator"]

CORP = "ww0000000000000001"
AGENT = 1000002
APP_SECRET, KF_SECRET = "app-secret-of-the-emulated-corp", "kf-secret-of-the-emulated-corp"
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
OPEN_KFID = "wkAJ2GCAAAemulated0001"
HOOK, KF_HOOK = "/hooks/wecom", "/hooks/wecom_kf"


class WeComEmulator:
    """One corp with one self-built app and one KF account."""

    def __init__(self, *, now: Callable[[], float] = time.time, a_minute: int = 30, an_hour: int = 1000) -> None:
        self.world = World(now, CORP, AGENT)
        self.app = App(self.world, a_minute=a_minute, an_hour=an_hour)
        self.kf = Kf(self.world)
        self.kf.accounts[OPEN_KFID] = Account(OPEN_KFID, "社区小助手")
        self.sign_in = SignIn(self.world)
        self.groups = Groups(self.world)
        own = {**self.app.calls(), **Contacts(self.world).calls(), **self.sign_in.calls()}
        own |= self.groups.calls()
        calls = {**own, **self.kf.calls(), "getcallbackip": lambda _: {"ip_list": ["127.0.0.1"]}}
        self.wire = Wire(self.world, calls, {APP_SECRET: Grant(), KF_SECRET: Grant()})
        crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
        self.pusher = Pusher(crypto, CORP, now=now)
        self.kf_pusher = Pusher(crypto, CORP, now=now)
        self._msg_ids = itertools.count(6_000_000_000_000_000_001)
        self._clicks = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.wire.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pusher.close()
        await self.kf_pusher.close()
        await self.wire.close()

    @property
    def base_url(self) -> str:
        return self.wire.address

    @property
    def now(self) -> float:
        return self.world.now()

    def connect(self, client: httpx.AsyncClient) -> None:
        """The program's callback addresses are known from now on."""
        self.pusher.connect(client, HOOK)
        self.kf_pusher.connect(client, KF_HOOK)

    def calls(self, path: str) -> list[Call]:
        return [call for call in self.wire.log if call.path == path]

    @property
    def pending(self) -> int:
        return self.pusher.pending + self.kf_pusher.pending

    # Members

    def add_member(self, userid: str, name: str) -> Member:
        member = self.world.members[userid] = Member(userid, name)
        return member

    def say(self, userid: str, text: str) -> Pushed:
        return self._speak(userid, "text", {"Content": text})

    def send_image(self, userid: str, body: bytes) -> Pushed:
        medium = self.world.keep("image", "image.jpg", body)
        return self._speak(userid, "image", {"PicUrl": "http://127.0.0.1/none", "MediaId": medium.id})

    def send_voice(self, userid: str, body: bytes, recognition: str = "") -> Pushed:
        medium = self.world.keep("voice", "voice.amr", body)
        heard = {"Recognition": recognition} if recognition else {}
        return self._speak(userid, "voice", {"MediaId": medium.id, "Format": "amr", **heard})

    def send_location(self, userid: str, label: str, x: float = 30.67, y: float = 104.05) -> Pushed:
        fields = {"Location_X": x, "Location_Y": y, "Scale": 15, "Label": label, "AppType": "wxwork"}
        return self._speak(userid, "location", fields)

    def event(self, userid: str, name: str, **fields: object) -> Pushed:
        return self._push(userid, "event", {"Event": name, "EventKey": "", **fields})

    def press(self, userid: str, message: str, label: str) -> Pushed:
        """The button with these words on the newest look of the card that the member has."""
        card = next(post for post in self.posts(userid) if message in (post.id, post.task_id))
        key = next((key for words, key, _ in card.buttons if words == label), None)
        if key is None:
            raise ValueError(f"no such button among {[words for words, _, _ in card.buttons]}")
        return self.forge_press(userid, card, key)

    def forge_press(self, userid: str, card: Posted, key: str) -> Pushed:
        fields = {
            "TaskId": card.task_id,
            "CardType": card.body.get("card_type", ""),
            "ResponseCode": self.app.new_code(card),
        }
        if "checkbox" in card.body:
            chosen = {"QuestionKey": card.body["checkbox"]["question_key"], "OptionIds": {"OptionId": key}}
            fields["SelectedItems"] = {"SelectedItem": chosen}
            key = card.body["submit_button"]["key"]
        return self._push(userid, "event", {"Event": "template_card_event", "EventKey": key, **fields})

    def posts(self, userid: str) -> list[Posted]:
        """What a member, or a customer of the KF account, has from the bot, oldest first, as it looks now."""
        where = f"{OPEN_KFID}:{userid}" if userid in self.world.customers else userid
        return [post for post in self.world.posted if post.to == where and not post.is_recalled]

    def _speak(self, userid: str, kind: str, fields: Json) -> Pushed:
        return self._push(userid, kind, {**fields, "MsgId": str(next(self._msg_ids))})

    def _push(self, userid: str, kind: str, fields: Json) -> Pushed:
        head = {"ToUserName": CORP, "FromUserName": userid, "CreateTime": int(self.now), "MsgType": kind}
        return self.pusher.push({**head, **fields, "AgentID": str(AGENT)})

    # Customers

    def add_customer(self, name: str, customer: str = "") -> str:
        known = customer or f"wmEmulated{len(self.world.customers) + 1:08d}"
        self.world.customers[known] = name
        return known

    def kf_enter(self, customer: str, scene_param: str = "") -> None:
        self.kf.enter(OPEN_KFID, customer, scene_param)
        self.tell()

    def kf_say(self, customer: str, text: str, *, menu_id: str = "") -> str:
        body = {"content": text, "menu_id": menu_id} if menu_id else {"content": text}
        return self._kf_speak(customer, "text", body)

    def kf_send_image(self, customer: str, body: bytes) -> str:
        return self._kf_speak(customer, "image", {"media_id": self.world.keep("image", "image.jpg", body).id})

    def kf_press(self, customer: str, message: str, label: str) -> str:
        """Pressing an item of a menu says its words, with its id."""
        menu = next(post for post in self.posts(customer) if post.id == message)
        key = next((key for words, key, _ in menu.buttons if words == label), None)
        if key is None:
            raise ValueError(f"no such item among {[words for words, _, _ in menu.buttons]}")
        return self.kf_say(customer, label, menu_id=key)

    def kf_recall(self, customer: str, msgid: str) -> None:
        event = {
            "event_type": "user_recall_msg",
            "open_kfid": OPEN_KFID,
            "external_userid": customer,
            "recall_msgid": msgid,
        }
        self.kf.event(OPEN_KFID, event)
        self.tell()

    def kf_take(self, customer: str, servicer: str) -> None:
        """A servicer of the account takes the customer's session over in WeCom's own client."""
        self.kf.take(OPEN_KFID, customer, servicer)
        self.tell()

    def kf_end(self, customer: str) -> None:
        self.kf.end(OPEN_KFID, customer)
        self.tell()

    def kf_answer_as_servicer(self, customer: str, text: str) -> str:
        msgid = self.kf.answer_as_servicer(OPEN_KFID, customer, text)
        self.tell()
        return msgid

    def tell(self) -> Pushed:
        """The callback that says that there is something to pull."""
        head = {"ToUserName": CORP, "CreateTime": int(self.now), "MsgType": "event", "Event": "kf_msg_or_event"}
        return self.kf_pusher.push({**head, "Token": self.kf.new_token(), "OpenKfId": OPEN_KFID})

    def _kf_speak(self, customer: str, kind: str, body: Json) -> str:
        msgid = self.kf.say(OPEN_KFID, customer, kind, body)
        self.tell()
        return msgid

    # Customer groups

    def add_group(self, name: str, owner: str, residents: Sequence[str] = (), *, tells: bool = True) -> str:
        """A member founds a group and takes customers in; `tells` False: it was there before the app could hear of it."""
        key = f"wrEmulated{len(self.groups.groups) + 1:08d}"
        self.groups.groups[key] = Group(key, name, owner, list(residents), at=self.now)
        if tells:
            self.group_event(key, "create")
        return key

    def join_group(self, chat_id: str, customer: str) -> Pushed:
        self.groups.groups[chat_id].residents.append(customer)
        return self.group_event(chat_id, "update", "add_member", JoinScene=3, **_people([customer]))

    def leave_group(self, chat_id: str, customer: str) -> Pushed:
        self.groups.groups[chat_id].residents.remove(customer)
        return self.group_event(chat_id, "update", "del_member", QuitScene=0, **_people([customer]))

    def rename_group(self, chat_id: str, name: str) -> Pushed:
        self.groups.groups[chat_id].name = name
        return self.group_event(chat_id, "update", "change_name")

    def hand_group_over(self, chat_id: str, owner: str) -> Pushed:
        group = self.groups.groups[chat_id]
        group.owner, group.status = owner, 0
        return self.group_event(chat_id, "update", "change_owner")

    def dismiss_group(self, chat_id: str, *, tells: bool = True) -> None:
        del self.groups.groups[chat_id]
        if tells:
            self.group_event(chat_id, "dismiss")

    def group_event(self, chat_id: str, change: str, detail: str = "", **fields: object) -> Pushed:
        what = {"UpdateDetail": detail} if detail else {}
        head = {"Event": "change_external_chat", "ChatId": chat_id, "ChangeType": change}
        return self._push("sys", "event", {**head, **what, **fields})

    # What goes wrong

    def fail_next(self, times: int, code: int, *, path: str | None = None, after: int = 0) -> None:
        """Refuses the next calls with this code before any work is done."""
        self.wire.faults.append(Fault(times, path, code=code, spares=after))

    def break_next(self, times: int, status: int, *, path: str | None = None) -> None:
        """Answers the next calls with this HTTP status."""
        self.wire.faults.append(Fault(times, path, status=status))

    def drop_answer_after_work(self, times: int = 1, *, path: str | None = None) -> None:
        self.wire.faults.append(Fault(times, path, cuts_after=True))

    def delay_answer(self, times: int, seconds: float, *, path: str | None = None) -> None:
        self.wire.faults.append(Fault(times, path, delay=seconds))

    def garble_answer(self, times: int, body: bytes, *, path: str | None = None) -> None:
        self.wire.faults.append(Fault(times, path, garbles=body))

    def texts(self, userid: str) -> Sequence[str]:
        return [post.text for post in self.posts(userid)]


def _people(customers: Sequence[str]) -> Json:
    return {"MemChangeCnt": len(customers), "MemChangeList": {"Item": list(customers)}}

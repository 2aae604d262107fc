"""Customer groups as WeCom tells of them → `Incoming`: the event change_external_chat, and the answer of groupchat/get. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from bot.channels.wecom.callbacks import Fields, read_xml
from bot.channels.wecom.client import Json
from core.groups import GroupFacts
from core.messages import ChatKind, ChatRef, Incoming, IncomingKind, SenderRef

CHANNEL = "wecom_group"
EVENT = "change_external_chat"
LONGEST_ID = 128
EXTERNAL = 2  # a member's type: from outside the corp
# What changed, where the kind of change alone does not tell.
UPDATES = {
    "add_member": IncomingKind.MEMBER_JOINED,
    "del_member": IncomingKind.MEMBER_LEFT,
    "change_name": IncomingKind.CHAT_RENAMED,
    "change_owner": IncomingKind.GROUP_TOLD,
    "change_notice": IncomingKind.GROUP_TOLD,
}


class _Member(msgspec.Struct):
    userid: str = ""
    type: int = 0
    name: str = ""


class _Group(msgspec.Struct):
    chat_id: str
    name: str = ""
    owner: str = ""
    member_list: list[_Member] = []


@dataclass(frozen=True, slots=True)
class Told:
    """A group's name and how it stands."""

    chat_id: str
    title: str
    facts: GroupFacts


@dataclass(frozen=True, slots=True)
class Change:
    """One callback: which group, what happened, when, and by what it is known should it come again."""

    chat_id: str
    kind: IncomingKind
    at: datetime
    external_id: str
    is_new_owner: bool = False


def read_group(answer: Json, *, has_owner: bool, at: datetime) -> Told | None:
    """The answer of groupchat/get; None where it cannot be read. An owner who has left the corp can send nothing."""
    try:
        group = msgspec.convert(answer.get("group_chat"), _Group)
    except msgspec.ValidationError:
        return None
    owner = next((one for one in group.member_list if one.userid == group.owner), None)
    facts = GroupFacts(
        at=at,
        owner=group.owner if has_owner else "",
        owner_name=owner.name if owner else "",
        members=len(group.member_list),
        residents=sum(one.type == EXTERNAL for one in group.member_list),
    )
    return Told(group.chat_id, group.name, facts)


def read_change(text: str) -> Change | None:
    """What a decrypted callback says of a customer group; None when it is about something else, or cannot be read."""
    fields = read_xml(text) if EVENT in text else None
    if fields is None or fields.get("Event") != EVENT:
        return None
    chat_id, moment = _word(fields, "ChatId"), _word(fields, "CreateTime")
    if not chat_id or len(chat_id) > LONGEST_ID or not (moment.isascii() and moment.isdecimal() and len(moment) <= 11):
        return None
    kinds = {"create": IncomingKind.BOT_ADDED, "dismiss": IncomingKind.BOT_REMOVED}
    change = _word(fields, "ChangeType")
    detail = _word(fields, "UpdateDetail")
    kind = kinds.get(change) or UPDATES.get(detail, IncomingKind.GROUP_TOLD)
    # Several may come in one second: what they are known by is all that they say.
    known = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    return Change(chat_id, kind, datetime.fromtimestamp(int(moment), UTC), f"event:{known}", detail == "change_owner")


def _word(fields: Fields, name: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else ""


def incoming_of(change: Change, account: str, told: Told | None) -> Incoming:
    """The change for the receiver, with how the group stands where that could be asked. A new group of which nothing is known yet is
    no news for people."""
    title = told.title if told else ""
    is_new = change.kind is IncomingKind.BOT_ADDED
    return Incoming(
        channel=CHANNEL,
        account=account,
        external_id=change.external_id,
        kind=IncomingKind.GROUP_TOLD if is_new and told is None else change.kind,
        chat=ChatRef(change.chat_id, ChatKind.GROUP, title),
        sender=SenderRef("sys", is_person=False),
        sent_at=change.at,
        group=told.facts if told else None,
    )


def incoming_told(told: Told, account: str, *, is_new: bool = False) -> Incoming:
    """How a group stands, asked by ourselves; `is_new` where its founding could be told only now."""
    moment = int(told.facts.at.timestamp() * 1000)
    kind = IncomingKind.BOT_ADDED if is_new else IncomingKind.GROUP_TOLD
    change = Change(told.chat_id, kind, told.facts.at, f"told:{told.chat_id}:{moment}")
    return incoming_of(change, account, told)

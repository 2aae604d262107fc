"""Chats: where a message belongs, how a group or an account is bound by a one-time code, and where a person can be written to."""

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update

from core.errors import Refused
from core.ids import new_id
from core.messages import ChatKind, ChatRef
from domain import own_accounts
from storage.areas import Area, AreaLevel
from storage.base import Session
from storage.cases import CaseMessage
from storage.chats import BindingCode, Chat, ChatPurpose, ChatState
from storage.messages import Outbox, Received, SystemMark
from storage.people import Account, Person, PrivateChat

__all__ = [
    "Chat",
    "ChatPurpose",
    "ChatState",
    "bind",
    "find",
    "find_many",
    "find_or_make",
    "group_of",
    "groups_for",
    "hearing",
    "make_code",
    "note_hearing",
    "note_private_chats",
    "pause_posts",
    "place_private",
    "private_chat_of",
    "private_chats_of",
    "resume_posts",
    "unbind",
]

CODE_LIFE = timedelta(days=3)
OWN_CODE_LIFE = timedelta(minutes=15)
# No 0/O, 1/I/L: the code is read off a screen and typed on a phone.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
HEARING = "hears:"
OLD_MESSAGE = "@"  # behind the id of a message that was said before its chat got another id
PRIVATE_CHATS = "private chats"
OPEN_PRIVATE_CHATS = (
    select(Chat)
    .join(Account, (Account.person_id == Chat.person_id) & (Account.channel == Chat.channel))
    .where(
        Chat.person_id.in_(bindparam("people", expanding=True)),
        Chat.kind == ChatKind.PRIVATE,
        Chat.state == ChatState.BOUND,
        Account.private_chat == PrivateChat.OPEN,
    )
    .order_by(Chat.id)
)

Address = tuple[str, str, str]


# Put together once: every batch asks it. Lists, not tuples: SQLite has no index for tuples. More than was asked for may come back.
AT_ADDRESSES = select(Chat).where(
    Chat.channel.in_(bindparam("channels", expanding=True)),
    Chat.account.in_(bindparam("accounts", expanding=True)),
    Chat.external_id.in_(bindparam("ids", expanding=True)),
)


def find_many(session: Session, addresses: Iterable[Address]) -> dict[Address, Chat]:
    """The known chats among these (channel, account, external id), in one statement."""
    wanted = set(addresses)
    if not wanted:
        return {}
    channels, accounts, ids = (list(set(part)) for part in zip(*wanted, strict=True))
    rows = session.scalars(AT_ADDRESSES, {"channels": channels, "accounts": accounts, "ids": ids})
    found = {(chat.channel, chat.account, chat.external_id): chat for chat in rows}
    return {address: found[address] for address in wanted & found.keys()}


def find(session: Session, channel: str, account: str, external_id: str) -> Chat | None:
    return find_many(session, [(channel, account, external_id)]).get((channel, account, external_id))


def find_or_make(session: Session, channel: str, account: str, ref: ChatRef, *, now: datetime) -> Chat:
    """The chat; a new group is unbound until staff bind it, a private chat is bound to nobody until somebody is known."""
    chat = find(session, channel, account, ref.external_id)
    if chat is None:
        is_private = ref.kind == ChatKind.PRIVATE
        chat = Chat(
            id=new_id(),
            channel=channel,
            account=account,
            external_id=ref.external_id,
            kind=ref.kind,
            title=ref.title,
            state=ChatState.BOUND if is_private else ChatState.UNBOUND,
            purpose=ChatPurpose.PRIVATE if is_private else ChatPurpose.RESIDENTS,
            created_at=now,
        )
        session.add(chat)
        session.flush()
    return chat


def note_private(chat: Chat, account: Account) -> None:
    """A person wrote in private: the bot may write to them there from now on."""
    chat.person_id = account.person_id
    chat.state = ChatState.BOUND
    account.private_chat = PrivateChat.OPEN


def place_private(session: Session, chat: Chat, area_id: int) -> None:
    """A person came by the link of an area: what they say in private is about there, unless they name another place."""
    area = session.get(Area, area_id)
    if area is None or area.removed_at is not None or chat.kind != ChatKind.PRIVATE:
        return
    community_id = area.community_id or (area.id if area.level == AreaLevel.COMMUNITY else None)
    if community_id is not None:
        chat.community_id, chat.area_id = community_id, area.id


def note_blocked(session: Session, chat: Chat) -> None:
    """The person stopped the bot, or the group threw it out: nothing more is sent there."""
    chat.state = ChatState.LEFT
    if chat.kind == ChatKind.PRIVATE and chat.person_id:
        session.execute(
            update(Account)
            .where(Account.person_id == chat.person_id, Account.channel == chat.channel)
            .values(private_chat=PrivateChat.BLOCKED)
        )


def migrate(session: Session, chat: Chat, new_external_id: str) -> Chat:
    """The chat goes on under a new id; a row that the new id already has gives way and its place is kept by the old row."""
    twin = find(session, chat.channel, chat.account, new_external_id)
    if chat.external_id == new_external_id:
        return chat
    if twin is not None and twin.id != chat.id:
        twin.external_id = f"{new_external_id}:merged:{twin.id}"
        twin.state = ChatState.LEFT
        session.flush()
    _part_with_messages(session, chat)
    chat.external_id = new_external_id
    session.flush()
    return chat


def _part_with_messages(session: Session, chat: Chat) -> None:
    """Under the new id messages are counted anew: the old ones can be named no more, and must not be taken for new ones."""
    session.flush()
    options = {"synchronize_session": "fetch"}
    ours = update(Outbox).where(Outbox.chat_id == chat.id).values(external_id=None, reply_to=None)
    session.execute(ours, execution_options=options)
    for table in (CaseMessage, Received):
        theirs = update(table).where(table.chat_id == chat.id, table.message_id.not_like(f"%{OLD_MESSAGE}%"))
        values = {"message_id": table.message_id + f"{OLD_MESSAGE}{chat.external_id}"}
        session.execute(theirs.values(values), execution_options=options)


def private_chat_of(session: Session, person_id: int, *, prefer: str = "") -> Chat | None:
    """A private chat in which the bot may write to this person now, on the preferred channel if there are several."""
    known = session.memo.get((PRIVATE_CHATS, person_id))
    chats = known if known is not None else private_chats_of(session, [person_id]).get(person_id, [])
    return next((chat for chat in chats if chat.channel == prefer), chats[0] if chats else None)


def note_private_chats(session: Session, person_ids: Collection[int]) -> None:
    """Looks them up for the `private_chat_of` that follow, in one statement. Only for work in which nobody binds or blocks."""
    found = private_chats_of(session, person_ids)
    for person_id in person_ids:
        session.memo[PRIVATE_CHATS, person_id] = found.get(person_id, [])


def private_chats_of(session: Session, person_ids: Collection[int]) -> dict[int, list[Chat]]:
    """The private chats in which the bot may write to these people now, in one statement."""
    found: dict[int, list[Chat]] = {}
    for chat in session.scalars(OPEN_PRIVATE_CHATS, {"people": list(person_ids)}):
        found.setdefault(chat.person_id or 0, []).append(chat)
    return found


def staff_groups(session: Session, community_id: int) -> list[Chat]:
    query = select(Chat).where(
        Chat.community_id == community_id, Chat.purpose == ChatPurpose.STAFF, Chat.state == ChatState.BOUND
    )
    return list(session.scalars(query))


def of_community(session: Session, community_id: int) -> list[Chat]:
    """The groups of a community, in order of their titles."""
    query = (
        select(Chat).where(Chat.community_id == community_id, Chat.kind == ChatKind.GROUP).order_by(Chat.title, Chat.id)
    )
    return list(session.scalars(query))


def _is_group_for(community_id: int, *, sees_unbound: bool) -> ColumnElement[bool]:
    bound = Chat.community_id == community_id
    nobodys = and_(Chat.community_id.is_(None), Chat.state == ChatState.UNBOUND)
    return and_(Chat.kind == ChatKind.GROUP, or_(bound, nobodys) if sees_unbound else bound)


def groups_for(session: Session, community_id: int, *, sees_unbound: bool) -> list[tuple[Chat, str]]:
    """A community's groups with the names of their areas; first, for who may bind them, those that nobody has bound yet."""
    query = (
        select(Chat, Area.name)
        .outerjoin(Area, Area.id == Chat.area_id)
        .where(_is_group_for(community_id, sees_unbound=sees_unbound))
        .order_by(Chat.state != ChatState.UNBOUND, Chat.state == ChatState.LEFT, Chat.title, Chat.id)
    )
    return [(chat, area or "") for chat, area in session.execute(query)]


def group_of(session: Session, community_id: int, chat_id: int) -> Chat:
    """A group of this community; one of another community is refused like one that is not there."""
    query = select(Chat).where(Chat.id == chat_id, _is_group_for(community_id, sees_unbound=False))
    chat = session.scalars(query).one_or_none()
    if chat is None:
        raise Refused("chats.not_found")
    return chat


def unbind(chat: Chat) -> None:
    """The group belongs to nobody any more: the bot is silent there until somebody binds it again."""
    chat.community_id = chat.area_id = chat.posts_paused_at = None
    chat.purpose = ChatPurpose.RESIDENTS
    if chat.state == ChatState.BOUND:
        chat.state = ChatState.UNBOUND


def pause_posts(chat: Chat, *, now: datetime) -> None:
    """Announcements and clauses leave the group out; what residents say there is still heard and answered."""
    chat.posts_paused_at = chat.posts_paused_at or now


def resume_posts(chat: Chat) -> None:
    chat.posts_paused_at = None


def note_hearing(session: Session, channel: str, account: str, *, hears_all: bool) -> None:
    """Whether the platform shows this account everything said in its groups (no privacy mode), as last found out."""
    session.merge(SystemMark(name=f"{HEARING}{channel}:{account}", value="all" if hears_all else "addressed"))


def hearing(session: Session) -> dict[tuple[str, str], bool]:
    """Who hears everything, by (channel, account); one that is not here has not been asked."""
    query = select(SystemMark).where(SystemMark.name.startswith(HEARING, autoescape=True))
    found = {}
    for mark in session.scalars(query):
        channel, _, account = mark.name.removeprefix(HEARING).partition(":")
        found[channel, account] = mark.value == "all"
    return found


def make_code(
    session: Session,
    *,
    community_id: int,
    now: datetime,
    by_id: int | None,
    area_id: int | None = None,
    purpose: ChatPurpose | None = None,
    person_id: int | None = None,
    life: timedelta = CODE_LIFE,
) -> str:
    """A one-time code, shown once: for a group (area and purpose) or for an account (person)."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    session.add(
        BindingCode(
            community_id=community_id,
            code_hash=session.keyring.fingerprint(code),
            area_id=area_id,
            purpose=purpose,
            person_id=person_id,
            made_by_id=by_id,
            made_at=now,
            expires_at=now + life,
        )
    )
    return code


def make_own_code(session: Session, person: Person, *, community_id: int, now: datetime) -> str:
    """A code for this person's account on another channel, for a quarter of an hour; older ones of theirs die."""
    mine = (BindingCode.person_id == person.id, BindingCode.made_by_id == person.id)
    session.execute(update(BindingCode).where(*mine, BindingCode.used_at.is_(None)).values(used_at=now))
    return make_code(
        session, community_id=community_id, now=now, by_id=person.id, person_id=person.id, life=OWN_CODE_LIFE
    )


def _spend(session: Session, code: str, *, now: datetime, for_person: bool) -> BindingCode:
    row = session.scalars(
        select(BindingCode)
        .where(BindingCode.code_hash == session.keyring.fingerprint(code.strip().upper()))
        .with_for_update()
    ).one_or_none()
    if row is None or (row.person_id is not None) != for_person:
        raise Refused("chats.code_wrong")
    if row.used_at is not None:
        raise Refused("chats.code_used")
    if row.expires_at < now:
        raise Refused("chats.code_expired")
    row.used_at = now
    return row


def bind(session: Session, chat: Chat, code: str, *, now: datetime) -> Area:
    """Spends a group's code: the group belongs to the code's area from now on."""
    row = _spend(session, code, now=now, for_person=False)
    area = session.get_one(Area, row.area_id)
    chat.community_id = row.community_id
    chat.area_id = area.id
    chat.purpose = row.purpose or ChatPurpose.RESIDENTS
    chat.state = ChatState.BOUND
    return area


def bind_account(session: Session, account: Account, code: str, *, now: datetime) -> Person:
    """Spends a person's code: this account speaks for that person from now on."""
    row = _spend(session, code, now=now, for_person=True)
    person = session.get_one(Person, row.person_id)
    if row.made_by_id == person.id:
        return own_accounts.join(session, person, account, community_id=row.community_id, now=now)
    session.execute(
        update(Chat)
        .where(Chat.person_id == account.person_id, Chat.channel == account.channel)
        .values(person_id=person.id)
    )
    account.person_id = person.id
    account.linked_at = now
    account.linked_by = "code"
    return person

"""People: who speaks from an account, what they are in charge of, how they are called, and how they are forgotten."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import bindparam, delete, or_, select, update

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from core.messages import ChatKind
from domain.access import duties as duties_of
from domain.accounts import revoke_all
from domain.areas import above
from storage.areas import Area
from storage.base import Session
from storage.chats import Chat, ChatState, Conversation
from storage.people import Account, Duty, Person, PrivateChat, Residence, Role

__all__ = [
    "ROLE_NAMES",
    "Account",
    "Duty",
    "Person",
    "Role",
    "account_of",
    "clean_phone",
    "duties_of",
    "erase",
    "find_accounts",
    "find_or_make_person",
    "link_account",
    "people_in_charge",
    "phone_of",
    "set_phone",
    "surname_title",
    "with_codes",
]

ROLE_NAMES = {
    Role.GRID_WORKER: "网格员",
    Role.MICRO_GRID_HEAD: "微网格长",
    Role.BUILDING_STEWARD: "楼栋管家",
    Role.COMMUNITY_WORKER: "社区工作者",
    Role.MEDIATOR: "调解员",
    Role.SUPERVISOR: "监督委员",
    Role.VOLUNTEER: "志愿者",
    Role.STREET_OFFICER: "街道干部",
    Role.ADMINISTRATOR: "系统管理员",
}
# Said after a surname, some names of roles are too long or unkind to the ear.
TITLES = ROLE_NAMES | {Role.COMMUNITY_WORKER: "社工", Role.STREET_OFFICER: "干部", Role.ADMINISTRATOR: "管理员"}
DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "太史",
        "端木",
        "上官",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "闾丘",
        "令狐",
        "轩辕",
        "呼延",
        "百里",
        "东郭",
        "南门",
        "西门",
        "拓跋",
        "公良",
        "第五",
        "左丘",
        "东门",
        "纳兰",
    ]
)
MOBILE = re.compile(r"1[3-9]\d{9}")
LANDLINE = re.compile(r"0\d{2,3}[2-9]\d{6,7}|[48]00\d{7}")
NAME_LENGTH = 60
NEW_HERE = "new here"  # in the memo: first heard of in this transaction, so nothing of theirs is stored yet
TOLD_HERE = "told here"  # in the memo: has told of something in this transaction, or joined it

Key = tuple[str, str]


# Put together once: every batch asks them.
THESE_ACCOUNTS = select(Account).where(
    # Two lists, not pairs: SQLite has no index for pairs. More than was asked for may come back.
    Account.channel.in_(bindparam("channels", expanding=True)),
    Account.external_id.in_(bindparam("ids", expanding=True)),
)
THESE_PEOPLE = select(Person).where(Person.id.in_(bindparam("ids", expanding=True)))


def find_accounts(session: Session, keys: Iterable[Key]) -> dict[Key, Account]:
    """The known accounts among these (channel, external id), in one statement."""
    wanted = set(keys)
    if not wanted:
        return {}
    channels, ids = (list(set(part)) for part in zip(*wanted, strict=True))
    rows = session.scalars(THESE_ACCOUNTS, {"channels": channels, "ids": ids})
    found = {(account.channel, account.external_id): account for account in rows}
    return {key: found[key] for key in wanted & found.keys()}


def with_codes(session: Session, codes: Iterable[str]) -> dict[str, Person]:
    """The registered people among these codes."""
    return {person.code or "": person for person in session.scalars(select(Person).where(Person.code.in_(set(codes))))}


def account_of(session: Session, channel: str, external_id: str) -> Account | None:
    """The account, looked up once in a transaction; `note_accounts` does it for many in one statement."""
    known = (Account, channel, external_id)
    if known not in session.memo:
        session.memo[known] = find_accounts(session, [(channel, external_id)]).get((channel, external_id))
    return cast(Account | None, session.memo[known])


def note_accounts(session: Session, keys: Collection[Key]) -> None:
    """Looks these accounts up in one statement, known or not, for the `account_of` that follow."""
    found = find_accounts(session, keys)
    for channel, external_id in keys:
        session.memo[Account, channel, external_id] = found.get((channel, external_id))
    note_people(session, {account.person_id for account in found.values()})


def note_people(session: Session, person_ids: Collection[int]) -> None:
    """Looks these people up in one statement, for the `recall` that follow."""
    if not person_ids:
        return
    for person in session.scalars(THESE_PEOPLE, {"ids": list(person_ids)}):
        session.memo[Person, person.id] = person


def find_or_make_person(
    session: Session, *, channel: str, external_id: str, name: str, username: str | None, now: datetime
) -> Person:
    """Who speaks from this account; somebody new becomes a person with an account.

    The account takes the name it has on the platform now. So does a person who is only known from there: the name of a
    registered person comes from the register.
    """
    name = name.strip()[:NAME_LENGTH]
    account = account_of(session, channel, external_id)
    if account is None:
        person = Person(id=new_id(), name=name, created_at=now)
        session.add(person)
        session.memo[Person, person.id] = person
        session.memo[NEW_HERE, person.id] = True
        _add_account(
            session, person, channel=channel, external_id=external_id, by="spoke", now=now, name=name, username=username
        )
        return person
    known = session.recall(Person, account.person_id)
    assert known is not None  # a foreign key
    person = known
    if name and account.name != name:
        account.name = name
        if person.code is None:
            person.name = name
    if account.username != username:
        account.username = username
    return person


def _add_account(
    session: Session,
    person: Person,
    *,
    channel: str,
    external_id: str,
    by: str,
    now: datetime,
    name: str = "",
    username: str | None = None,
) -> Account:
    account = Account(
        id=new_id(),
        person_id=person.id,
        channel=channel,
        external_id=external_id,
        name=name,
        username=username,
        private_chat=PrivateChat.UNKNOWN,
        linked_at=now,
        linked_by=by,
    )
    session.add(account)
    session.memo[Account, channel, external_id] = account
    return account


def link_account(
    session: Session, person: Person, *, channel: str, external_id: str, now: datetime, by: str = "administrator"
) -> Account:
    """The account speaks for this person from now on, with its private chats. Refused while it is another registered person's."""
    account = account_of(session, channel, external_id)
    if account is None:
        return _add_account(session, person, channel=channel, external_id=external_id, by=by, now=now)
    if account.person_id == person.id:
        return account
    if session.get_one(Person, account.person_id).code is not None:
        raise Refused("people.already_linked")
    session.execute(
        update(Chat).where(Chat.person_id == account.person_id, Chat.channel == channel).values(person_id=person.id)
    )
    account.person_id = person.id
    account.linked_at = now
    account.linked_by = by
    session.flush()
    return account


def people_in_charge(
    session: Session, area: Area, today: date, roles: Sequence[Role] = ()
) -> list[tuple[Duty, Person]]:
    """Who is in charge of a place on a day, from the place itself up to the root; in one area by rank. All roles where none is given."""
    path = above(area)
    query = (
        select(Duty, Person)
        .join(Person, Person.id == Duty.person_id)
        .where(
            Duty.area_id.in_(path),
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
            Person.erased_at.is_(None),
        )
    )
    if roles:
        query = query.where(Duty.role.in_(roles))
    found = [(duty, person) for duty, person in session.execute(query)]
    return sorted(found, key=lambda each: (path.index(each[0].area_id), each[0].rank, each[0].id))


def clean_phone(text: str) -> str | None:
    """The digits of a Chinese mobile or landline number (with its area code), or None when it is neither."""
    digits = re.sub(r"[\s()\-–—·.]", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(?:\+86|0086|86(?=1[3-9]\d{9}$))", "", digits)
    if MOBILE.fullmatch(digits) or LANDLINE.fullmatch(digits):
        return digits
    return None


def set_phone(session: Session, person: Person, phone: str) -> None:
    """Keeps the number sealed, with its hash for look-up; an empty text takes it away. A number that cannot be is refused."""
    if not phone.strip():
        person.phone_sealed, person.phone_hash = None, None
        return
    digits = clean_phone(phone)
    if digits is None:
        raise Refused("people.phone_wrong")
    person.phone_sealed = session.keyring.seal(digits)
    person.phone_hash = session.keyring.fingerprint(digits)


def phone_of(session: Session, person: Person) -> str | None:
    """The number in the clear, or None when there is none or its key is lost."""
    return session.keyring.open(person.phone_sealed) if person.phone_sealed else None


def surname(name: str) -> str:
    """欧阳 of 欧阳晓光, 王 of 王建国, 阿依古丽 of 阿依古丽·买买提; a Latin name's first word."""
    name = name.strip()
    first = re.split(r"[·•\s]", name, maxsplit=1)[0]
    if first != name or name.isascii():
        return first
    return name[:2] if len(name) > 2 and name[:2] in DOUBLE_SURNAMES else name[:1]


def surname_title(person: Person, role: str | None) -> str:
    """How staff are called in front of residents: 王网格员. Without a name the role alone; without a role 王老师."""
    title = TITLES[Role(role)] if role else ""
    family = surname(person.name)
    if not title:
        return f"{family}老师" if family else "工作人员"
    gap = " " if family.isascii() and family else ""
    return f"{family}{gap}{title}"


def erase(session: Session, person: Person, now: datetime) -> None:
    """Forgets who somebody is: name, number, home and accounts go, duties end, sessions are revoked.

    Cases stay, with a reporter who has no name. Whoever writes again from the old account is somebody new, because
    its id is no longer kept.
    """
    yesterday = in_china(now).date() - timedelta(days=1)
    person.name = ""
    person.phone_sealed, person.phone_hash = None, None
    person.erased_at = now
    accounts = session.scalars(select(Account).where(Account.person_id == person.id)).all()
    session.memo.clear()  # what was looked up of these accounts no longer holds
    for account in accounts:
        here = select(Chat.id).where(Chat.channel == account.channel)
        session.execute(
            delete(Conversation).where(Conversation.sender == account.external_id, Conversation.chat_id.in_(here))
        )
        account.name, account.username = "", None
        account.external_id = f"erased:{account.id}"
        account.private_chat = PrivateChat.BLOCKED
    session.execute(
        update(Chat)
        .where(Chat.person_id == person.id, Chat.kind == ChatKind.PRIVATE)
        .values(title="", person_id=None, state=ChatState.LEFT)
    )
    session.execute(
        update(Duty)
        .where(Duty.person_id == person.id, or_(Duty.until_on.is_(None), Duty.until_on > yesterday))
        .values(until_on=yesterday)
    )
    session.execute(delete(Residence).where(Residence.person_id == person.id))
    revoke_all(session, person.id, now=now)
    session.flush()

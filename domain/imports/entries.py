"""A row of a people file as it is written: cells become roles, days and numbers, and what cannot is a fault. No table is asked here."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from domain.imports.columns import Column, Faults, Row, clean_code
from domain.people import ROLE_NAMES, Role, clean_phone
from domain.topics import topics

CODE = Column("code", "编号", ("人员编号", "工号"), is_required=True, most=40)
NAME = Column("name", "姓名", ("名字",), is_required=True)
PHONE = Column("phone", "电话", ("手机", "手机号", "联系电话", "电话号码"))
COMMUNITY = Column("community", "社区", ("所属社区",))
ROLE = Column("role", "角色", ("身份", "职务", "岗位"))
AREA = Column("area", "负责区域", ("负责区域编码", "区域编码", "区域"), most=40)
FROM_ON = Column("from_on", "开始日期", ("起始日期", "上岗日期", "from"))
UNTIL_ON = Column("until_on", "结束日期", ("截止日期", "离岗日期", "until"))
TELEGRAM = Column("telegram", "Telegram 账号", ("Telegram", "Telegram id"))
RANK = Column("rank", "排序", ("顺序", "次序"))
HEAD = Column("topic_head", "事项类别", ("类别", "事项大类"))
HOME = Column("home", "住址编码", ("住址", "居住地", "home_area"), most=40)
COLUMNS = (CODE, NAME, PHONE, COMMUNITY, ROLE, AREA, FROM_ON, UNTIL_ON, TELEGRAM, RANK, HEAD, HOME)

ROLE_WORDS = {
    **{name: role for role, name in ROLE_NAMES.items()},
    **{role.value: role for role in Role},
    "社工": Role.COMMUNITY_WORKER,
    "管理员": Role.ADMINISTRATOR,
    "监督委员会委员": Role.SUPERVISOR,
}
DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
# Telegram's ids fit in 52 bits.
TELEGRAM_ID = re.compile(r"[1-9]\d{3,15}")
MOST_RANK = 999


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as read; empty where nothing stands or where the fault is noted already. `row` tells which columns the file has."""

    row: Row
    code: str
    name: str
    phone: str
    community: str
    role: Role | None
    area: str
    from_on: date | None
    until_on: date | None
    telegram: str
    rank: int
    topic_head: str | None
    home: str

    @property
    def number(self) -> int:
        return self.row.number


def read_entry(row: Row, faults: Faults) -> Entry:
    """The row with its faults noted; a role without an area, or the reverse, is one."""
    code = clean_code(row[CODE])
    if not code:
        faults.add(row.number, CODE, "required", what="每人一个、不会变的编号，如 W01")
    role = _role(row, faults)
    area = clean_code(row[AREA])
    if role is not None and not area:
        faults.add(row.number, AREA, "role_alone")
    from_on, until_on = _date(row, FROM_ON, faults), _date(row, UNTIL_ON, faults)
    if from_on and until_on and until_on < from_on:
        faults.add(row.number, UNTIL_ON, "ends_early")
    if not row[ROLE] and not area and (row[FROM_ON] or row[UNTIL_ON]):
        faults.add(row.number, FROM_ON if row[FROM_ON] else UNTIL_ON, "date_without_duty")
    return Entry(
        row=row,
        code=code,
        name=row[NAME],
        phone=_phone(row, faults),
        community=row[COMMUNITY],
        role=role,
        area=area,
        from_on=from_on,
        until_on=until_on,
        telegram=_telegram(row, faults),
        rank=_rank(row, faults),
        topic_head=_topic_head(row, faults),
        home=clean_code(row[HOME]),
    )


def _role(row: Row, faults: Faults) -> Role | None:
    words = row[ROLE]
    role = ROLE_WORDS.get(words)
    names = "、".join(ROLE_NAMES.values())
    if words and role is None:
        faults.add(row.number, ROLE, "bad_role", value=words, roles=names)
    elif not words and row[AREA]:
        faults.add(row.number, ROLE, "area_alone", roles=names)
    return role


def _phone(row: Row, faults: Faults) -> str:
    words = row[PHONE]
    digits = clean_phone(words) if words else ""
    if digits is None:
        # The number itself is not repeated: what is told about a file may be copied anywhere.
        faults.add(row.number, PHONE, "bad_phone", count=sum(letter.isdigit() for letter in words))
    return digits or ""


def _date(row: Row, column: Column, faults: Faults) -> date | None:
    words = row[column].replace(" ", "")
    if not words:
        return None
    found = DATE.fullmatch(words)
    if found:
        year, month, day = (int(part) for part in found.groups() if part)
        try:
            return datetime(year, month, day).date()  # noqa: DTZ001 - a day on the wall calendar has no zone
        except ValueError:
            pass
    faults.add(row.number, column, "bad_date", value=words)
    return None


def _telegram(row: Row, faults: Faults) -> str:
    words = row[TELEGRAM]
    if words and not TELEGRAM_ID.fullmatch(words):
        faults.add(row.number, TELEGRAM, "bad_telegram", value=words)
        return ""
    return words


def _rank(row: Row, faults: Faults) -> int:
    words = row[RANK]
    if not words:
        return 0
    if words.isascii() and words.isdigit() and int(words) <= MOST_RANK:
        return int(words)
    faults.add(row.number, RANK, "bad_rank", value=words)
    return 0


def _topic_head(row: Row, faults: Faults) -> str | None:
    words = row[HEAD]
    heads = list(dict.fromkeys(topic.head for topic in topics().values()))
    if words and words not in heads:
        faults.add(row.number, HEAD, "bad_head", value=words, heads="、".join(heads))
        return None
    return words or None

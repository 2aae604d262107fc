"""Numbers that people read out on the telephone: BX-20261121-0007. One counter row per community, day and prefix."""

from datetime import datetime
from typing import cast

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from core.clock import in_china
from core.messages import Kind
from storage.areas import Counter
from storage.base import Session

PREFIXES = {
    Kind.REPORT: "BX",
    Kind.WISH: "XY",
    Kind.COMPLAINT: "TS",
    Kind.DISPUTE: "JF",
    Kind.QUESTION: "ZX",
    Kind.REQUEST: "QZ",
    Kind.PROPOSAL: "JY",
}


COUNTER = (
    select(Counter)
    .where(
        Counter.community_id == bindparam("community_id"),
        Counter.day == bindparam("day"),
        Counter.prefix == bindparam("prefix"),
    )
    .with_for_update()
)


def next_number(session: Session, community_id: int, prefix: str, *, now: datetime) -> str:
    """The next number of the day. The counter row is locked until the commit, so no number is given twice."""
    day = in_china(now).strftime("%Y%m%d")
    counter = cast(Counter | None, session.memo.get((f"counter {prefix} {day}", community_id)))
    if counter is None:
        counter = _locked(session, community_id, day, prefix)
        session.memo[f"counter {prefix} {day}", community_id] = counter
    counter.last += 1
    return f"{prefix}-{day}-{counter.last:04d}"


def _locked(session: Session, community_id: int, day: str, prefix: str) -> Counter:
    """The counter row, made when the day is new, and ours until the commit."""
    key = {"community_id": community_id, "day": day, "prefix": prefix}
    counter = session.scalars(COUNTER, key).one_or_none()
    if counter is None:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(dialect.insert(Counter).values(**key, last=0).on_conflict_do_nothing())
        counter = session.scalars(COUNTER, key).one()
    return counter

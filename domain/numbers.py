"""Numbers that people read out on the telephone: BX-20261121-0007. One counter row per community, day and prefix."""

from datetime import datetime
from typing import cast

from sqlalchemy import select
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
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(Counter).values(community_id=community_id, day=day, prefix=prefix, last=0)
    session.execute(fresh.on_conflict_do_nothing())
    key = (Counter.community_id == community_id, Counter.day == day, Counter.prefix == prefix)
    return session.scalars(select(Counter).where(*key).with_for_update()).one()

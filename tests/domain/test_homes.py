"""Which communities somebody belongs to, by all that is known of them; looked up by indexes only."""

from datetime import datetime, timedelta

from sqlalchemy import event

from domain import homes
from domain.cases import joining
from storage.base import Session
from storage.messages import Received
from storage.people import Residence, Role
from tests import builders


def test_all_ways_of_belonging_count(session: Session, now: datetime) -> None:
    here, there = builders.community(session), builders.community(session, "别的社区")
    who, other = builders.person(session, "王阿姨"), builders.person(session, "李叔")
    sender = builders.private_chat(session, who, now).external_id

    def known() -> list[int]:
        session.flush()
        return list(homes.communities_of(session, builders.CHANNEL, sender, now=now))

    assert known() == []
    case = builders.case(session, here, now, reporter=other)
    group = builders.group(session, here, now)
    said = Received(
        channel=builders.CHANNEL,
        account=builders.ACCOUNT,
        external_id="1",
        kind="message",
        chat_id=group.id,
        sender=sender,
        text="早",
        sent_at=now,
        received_at=now,
    )
    session.add(said)
    assert known() == [here.id]
    builders.duty(session, who, Role.VOLUNTEER, there.grid.id)
    assert known() == [there.id]
    joining.join(session, case, who, said, said="我家也是", place="", has_own_words=False, now=now)
    assert known() == sorted([here.id, there.id])
    third = builders.community(session, "第三社区")
    session.memo.clear()
    session.add(Residence(community_id=third.id, person_id=who.id, area_id=third.building.id))
    assert known() == sorted([here.id, there.id, third.id])


def test_duty_that_has_ended_counts_no_more(session: Session, now: datetime) -> None:
    here, there = builders.community(session), builders.community(session, "别的社区")
    who = builders.person(session, "张伟")
    sender = builders.private_chat(session, who, now).external_id
    builders.duty(session, who, Role.GRID_WORKER, here.grid.id)
    builders.duty(session, who, Role.GRID_WORKER, there.grid.id).until_on = (now - timedelta(days=2)).date()
    session.flush()
    assert homes.communities_of(session, builders.CHANNEL, sender, now=now) == [here.id]


def test_only_community_is_everybodys(session: Session, now: datetime) -> None:
    here = builders.community(session)
    assert homes.communities_of(session, builders.CHANNEL, "nobody", now=now) == [here.id]


def test_no_look_up_reads_all_messages(session: Session, now: datetime) -> None:
    for name in ("和谐社区", "别的社区"):
        builders.community(session, name)
    sender = builders.private_chat(session, builders.person(session, "王阿姨"), now).external_id
    asked: list[tuple[str, object]] = []
    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    homes.communities_of(session, builders.CHANNEL, sender, now=now)
    plans, looked_up = [], list(asked)
    for statement, parameters in looked_up:
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
        plans += [str(row[-1]) for row in rows]
    grown = [plan for plan in plans if plan.startswith(("SCAN received", "SCAN case", "SCAN residence", "SCAN duty"))]
    assert (len(looked_up), grown) == (4, [])

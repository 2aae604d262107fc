"""Which wishes stand on the wall, and in which words."""

from datetime import datetime

import pytest

from core.messages import Kind
from domain.cases import claims, wishes
from domain.cases.life import State
from domain.cases.wish_words import for_wall
from storage.base import Session
from storage.claims import Claim
from tests import builders


@pytest.fixture
def place(session: Session) -> builders.Place:
    return builders.community(session)


def test_wall_has_what_staff_entered_or_accepted_and_nobody_has_taken_on(
    session: Session, place: builders.Place, now: datetime
) -> None:
    me, group = builders.person(session, "王阿姨"), builders.group(session, place, now)
    unseen, entered, accepted, taken, over = (
        builders.case(session, place, now, kind=Kind.WISH, chat=group) for _ in range(5)
    )
    builders.case(session, builders.community(session, "别的社区"), now, kind=Kind.WISH, chat=group).source = "visit"
    builders.case(session, place, now)
    entered.source = taken.source = "visit"
    accepted.state, over.state = State.ACCEPTED, State.CLOSED
    session.add(Claim(community_id=place.id, case_id=taken.id, person_id=me.id, at=now, due_at=now + claims.LIFE))
    unseen.reporter_id = me.id
    session.flush()
    assert list(wishes.wall(session, group, me.id, limit=9)) == [entered, accepted]
    assert list(wishes.wall(session, builders.private_chat(session, me, now), me.id, limit=9)) == []
    assert wishes.has_unread(session, group, me.id)
    assert not wishes.has_unread(session, group, builders.person(session, "李叔").id)
    assert [wishes.is_on_wall(case) for case in (unseen, entered, accepted, over)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("想给楼下90岁的张奶奶要一副老花镜", "想给一位奶奶要一副老花镜"),
        ("隔壁独居的李大爷想要个收音机", "独居的一位大爷想要个收音机"),
        ("给3号楼2单元502的奶奶要一个助行器，电话13812345678", "给3号楼2单元***的奶奶要一个助行器，电话138******78"),
        ("想给5岁的孙女要一套绘本", "想给5岁的孙女要一套绘本"),
        ("希望在楼下加一张长椅", "希望在楼下加一张长椅"),
        ("王小明想学电脑", "王**想学电脑"),
        ("想要一台二手收音机", "想要一台二手收音机"),
    ],
)
def test_wall_does_not_tell_whose_wish_it_is(told: str, shown: str) -> None:
    assert for_wall(told) == shown


def test_text_on_the_wall_is_short(session: Session, place: builders.Place, now: datetime) -> None:
    made = builders.case(session, place, now, text="想要一个助行器\n" + "越快越好" * 10)
    assert wishes.text_on_wall(made) == "想要一个助行器 越快越好越快越好越快越好越快越…"

"""A case in words: what the group, the worker and the resident read, and what none of them may."""

from datetime import UTC, datetime, timedelta

import pytest

from core.messages import Kind
from domain.cases import cards, words
from domain.cases.life import State
from storage.base import Session
from storage.cases import Case
from storage.people import Role
from tests import builders


@pytest.fixture
def place(session: Session) -> builders.Place:
    return builders.community(session)


def case(session: Session, here: builders.Place, now: datetime, **more: object) -> Case:
    """Assigned to 张伟, unless something else is said."""
    builders.person(session, "张伟", Role.GRID_WORKER, here.grid.id)
    made = builders.case(session, here, now)
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(-5, "0 分钟"), (0, "0 分钟"), (59, "59 分钟"), (60, "1 小时"), (2879, "47 小时"), (2880, "2 天"), (9999, "6 天")],
)
def test_time_left_is_said_in_one_unit(now: datetime, minutes: int, said: str) -> None:
    assert words.left(now, now + timedelta(minutes=minutes)) == said


def test_moment_is_on_the_chinese_wall_clock() -> None:
    assert words.moment(datetime(2026, 11, 21, 16, 5, tzinfo=UTC)) == "11月22日 00:05"


PROGRESS = {
    State.OPEN: "社区正在安排人员，11月23日 10:00 前处理。",
    State.ASSIGNED: "由张网格员负责，11月23日 10:00 前处理。",
    State.ACCEPTED: "张网格员已接单，11月23日 10:00 前处理。",
    State.ARRIVED: "张网格员已到现场。",
    State.FINISHED: "张网格员已办结。",
    State.CLOSED: "已销单，谢谢您的反馈。",
}


@pytest.mark.parametrize("state", State)
def test_receipt_tells_where_the_case_stands(
    session: Session, place: builders.Place, now: datetime, state: State
) -> None:
    made = case(session, place, now, state=state)
    made.rating = 5 if state == State.CLOSED else None
    text = words.receipt(session, made)
    if state == State.WITHDRAWN:
        assert text == f"{made.number} 已按您的意思撤回。"
    else:
        assert text == f"{made.number} 已登记：路灯 · 3号楼门口\n{PROGRESS[state]}"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Kind.WISH, "心愿收到啦，我们会替您保密，也会尽力帮它实现。"),
        (Kind.QUESTION, "您的问题已转给社区工作人员，有答复就在这里告诉您。"),
        (Kind.PROPOSAL, "您的建议已记下，社区研究后给您答复。"),
    ],
)
def test_receipt_of_a_wish_tells_nothing_of_it(
    session: Session, place: builders.Place, now: datetime, kind: Kind, said: str
) -> None:
    made = case(session, place, now, kind=kind, text="想要一个助行器")
    assert words.receipt(session, made) == f"{made.number} {said}"


def test_receipt_hides_the_door(session: Session, place: builders.Place, now: datetime) -> None:
    made = case(session, place, now, place="3号楼2单元502室")
    assert "502" not in words.receipt(session, made)
    assert "502" in cards.text_of(session, made, {})


def test_card_without_a_place_names_the_group_it_came_from(
    session: Session, place: builders.Place, now: datetime
) -> None:
    made = case(session, place, now, place="", area_id=place.grid.id)
    assert words.place_name(session, made) == "待确认（第一网格的群里说的）"
    made.area_id = place.id
    assert words.place_name(session, made) == "待确认"


def test_card_buttons_follow_state_and_kind(session: Session, place: builders.Place, now: datetime) -> None:
    made = case(session, place, now)

    def labels() -> list[str]:
        return [press.text for row in words.card_buttons(made) for press in row]

    seen = {}
    for state in State:
        made.state = state
        seen[state] = labels()
    assert {state: found for state, found in seen.items() if found} == {
        State.ASSIGNED: ["接单", "退单"],
        State.ACCEPTED: ["到场", "办结", "退单"],
        State.ARRIVED: ["办结", "退单"],
    }
    made.kind, made.state = Kind.QUESTION, State.ASSIGNED
    assert labels() == ["答复", "退单"]


def test_worker_is_named_by_surname_and_role_never_in_full(
    session: Session, place: builders.Place, now: datetime
) -> None:
    made = case(session, place, now)
    assert words.worker_name(session, made) == "张网格员"
    made.assignee_id = None
    assert words.worker_name(session, made) == "社区工作人员"


def test_matter_without_topic_is_called_by_its_kind(session: Session, place: builders.Place, now: datetime) -> None:
    made = case(session, place, now, topic=None, place="")
    assert words.what(made) == "报事"
    assert words.what_of(Kind.WISH, "elder_care", "") == "养老助老"


def test_all_kinds_have_a_name() -> None:
    assert set(words.KIND_NAMES) == set(Kind) - {Kind.CHATTER}


def test_groups_of_staff_do_not_learn_where_a_private_matter_is(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now, text="3号楼路灯不亮")
    assert words.what_for_staff(case) == words.what(case) == "路灯 · 3号楼门口"
    case.is_private = True
    assert words.what_for_staff(case) == "路灯"


def test_groups_of_staff_read_no_place_of_a_wish(session: Session, place: builders.Place, now: datetime) -> None:
    wish = builders.case(session, place, now, kind=Kind.WISH, topic=None, text="想要一个助行器", where="3号楼501")
    assert (words.what_for_staff(wish), words.place_for_staff(session, wish)) == ("心愿", "仅经办人可见")

"""Conventions: one is in force, its clauses take turns, and the one that fits a topic can be quoted."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from core.errors import Refused
from core.texts import say
from domain import conventions
from domain.conventions import Clause, ClauseWords, Convention
from storage.areas import Area, Community
from storage.base import Session

HERE, ELSEWHERE = 1, 2
WORDS = [
    ClauseWords("文明养犬，出门牵绳。", "dogs"),
    ClauseWords("楼道不堆杂物。"),
    ClauseWords("夜里十点后保持安静。"),
]


@pytest.fixture(autouse=True)
def communities(session: Session) -> None:
    for key in (HERE, ELSEWHERE):
        session.add(Area(id=key, community_id=key, level="community", code=f"c{key}", name="和谐里", path=f"/{key}/"))
        session.flush()
        session.add(Community(id=key, name="和谐里"))
        session.flush()


@pytest.fixture
def convention(session: Session, now: datetime) -> Convention:
    return conventions.adopt(session, HERE, "和谐里居民公约", WORDS, now)


def _said(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return say(refused.value.key, **refused.value.blanks)


def _post_next(session: Session, at: datetime) -> int:
    clause = conventions.next_clause(session, HERE)
    assert clause is not None
    clause.last_posted_at = at
    session.flush()
    return clause.number


def test_adopt_numbers_the_clauses(session: Session, convention: Convention) -> None:
    clauses = conventions.clauses_of(session, convention)
    assert [(each.number, each.text, each.topic, each.is_active) for each in clauses] == [
        (1, "文明养犬，出门牵绳。", "dogs", True),
        (2, "楼道不堆杂物。", None, True),
        (3, "夜里十点后保持安静。", None, True),
    ]
    assert (convention.title, f"{convention.adopted_on}") == ("和谐里居民公约", "2026-11-21")


def test_adopt_again_replaces_the_convention(session: Session, convention: Convention, now: datetime) -> None:
    later = conventions.adopt(session, HERE, "新公约", [ClauseWords("守望相助。")], now + timedelta(days=1))
    first = conventions.next_clause(session, HERE)
    assert first is not None
    assert conventions.post_text(session, first) == "《新公约》第 1 条：守望相助。"
    assert conventions.current(session, HERE) is later
    session.expire_all()
    assert [each.is_active for each in conventions.clauses_of(session, convention)] == [False, False, False]


def test_an_old_clause_stays_out_of_the_rotation(session: Session, convention: Convention, now: datetime) -> None:
    old = conventions.clauses_of(session, convention)[0]
    conventions.adopt(session, HERE, "新公约", [ClauseWords("守望相助。")], now)
    conventions.activate(session, old)
    assert [_post_next(session, now) for _ in range(2)] == [1, 1]
    assert conventions.clause_for_topic(session, HERE, "dogs") is None


@pytest.mark.parametrize(
    ("title", "clauses", "sentence"),
    [
        (" ", WORDS, "请写公约的名称，最多 60 个字，例如：和谐里居民公约。"),
        ("约" * 61, WORDS, "请写公约的名称，最多 60 个字，例如：和谐里居民公约。"),
        ("公约", [], "公约至少要有一条，请先写好条款再通过。"),
        ("公约", [ClauseWords("　\n")], "条款没有内容，请写上这一条的正文。"),
        ("公约", [ClauseWords("长" * 1001)], "一条条款最多 1000 字，现在有 1001 字；请缩短，或分成两条。"),
        ("公约", [ClauseWords("好。", "dragons")], "没有“dragons”这个事项，请从列表里选一个，或留空。"),
    ],
)
def test_adopt_refuses(session: Session, now: datetime, title: str, clauses: list[ClauseWords], sentence: str) -> None:
    assert _said(lambda: conventions.adopt(session, HERE, title, clauses, now)) == sentence
    assert conventions.current(session, HERE) is None


def test_rotation_gives_each_clause_its_turn(session: Session, convention: Convention, now: datetime) -> None:
    turns = [_post_next(session, now + timedelta(days=day)) for day in range(4)]
    assert turns == [1, 2, 3, 1]


def test_rotation_passes_over_what_is_not_active(session: Session, convention: Convention, now: datetime) -> None:
    second = conventions.clauses_of(session, convention)[1]
    conventions.deactivate(session, second)
    turns = [_post_next(session, now + timedelta(days=day)) for day in range(3)]
    conventions.activate(session, second)
    assert [*turns, _post_next(session, now + timedelta(days=3))] == [1, 3, 1, 2]


def test_rotation_without_active_clauses_has_no_next(session: Session, convention: Convention) -> None:
    assert conventions.next_clause(session, ELSEWHERE) is None
    for clause in conventions.clauses_of(session, convention):
        conventions.deactivate(session, clause)
    assert conventions.next_clause(session, HERE) is None


def test_clause_for_topic_is_the_one_that_waited_longest(
    session: Session, convention: Convention, now: datetime
) -> None:
    first = conventions.clauses_of(session, convention)[0]
    assert conventions.clause_for_topic(session, HERE, "dogs") is first
    first.last_posted_at = now
    added = conventions.add_clause(session, convention, ClauseWords("及时清理犬便。", "dogs"))
    assert added.number == 4
    session.memo.clear()  # as in a later transaction
    assert conventions.clause_for_topic(session, HERE, "dogs") is added
    assert conventions.clause_for_topic(session, HERE, "manhole") is None
    assert conventions.clause_for_topic(session, HERE, None) is None


def test_changed_clause_keeps_its_number(session: Session, convention: Convention) -> None:
    clause = conventions.clauses_of(session, convention)[1]
    conventions.change_clause(session, clause, ClauseWords(" 楼道不停车、不堆物。 ", " "))
    assert conventions.post_text(session, clause) == "《和谐里居民公约》第 2 条：楼道不停车、不堆物。"
    assert (
        _said(lambda: conventions.change_clause(session, clause, ClauseWords("")))
        == "条款没有内容，请写上这一条的正文。"
    )


def test_clause_of_another_community_is_not_there(session: Session, convention: Convention) -> None:
    clause: Clause = conventions.clauses_of(session, convention)[0]
    assert conventions.clause_of(session, HERE, clause.id) is clause
    refusals = {
        _said(lambda: conventions.clause_of(session, ELSEWHERE, clause.id)),
        _said(lambda: conventions.clause_of(session, HERE, 404)),
    }
    assert refusals == {"没有找到这一条，请刷新公约页面再试。"}

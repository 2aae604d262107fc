"""The worker's card: what was said after the case was opened stands on it, for whoever gets it."""

from datetime import datetime

from sqlalchemy import select

from core.messages import Urgency
from domain.cases import cards, desk, opening, work
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.messages import Outbox
from storage.people import Role
from tests import builders


def card_of(session: Session, case: Case, chat: Chat) -> list[str]:
    """The last card in a chat, by lines."""
    work.post_cards(session, [case], now=case.opened_at)
    session.flush()
    query = select(Outbox.text).where(Outbox.chat_id == chat.id).order_by(Outbox.id.desc())
    return session.scalars(query).first().splitlines()  # type: ignore[union-attr]  # one has just been posted


def test_card_of_an_emergency_is_marked(session: Session, now: datetime) -> None:
    case = builders.case(session, builders.community(session), now, urgency=Urgency.EMERGENCY)
    assert cards.text_of(session, case, {}).splitlines()[0] == f"【报事】{case.number} ⚠ 紧急"


def test_card_cuts_what_no_message_could_hold(session: Session, now: datetime) -> None:
    case = builders.case(session, builders.community(session), now, text="长" * 4096)
    notes = {case.id: [f"{number}{'长' * 4096}" for number in range(9)]}
    shown = cards.text_of(session, case, notes)
    assert len(shown) < cards.LONGEST_TEXT + cards.MOST_NOTES * (cards.LONGEST_NOTE + 4) + 200
    assert [line[:4] for line in shown.splitlines() if line.startswith("补充")] == [f"补充：{n}" for n in range(4, 9)]


def test_card_holds_what_was_said_before_it_went_out(session: Session, now: datetime) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    chat, resident = builders.private_chat(session, worker, now), builders.person(session, "王阿姨")
    case = builders.case(session, place, now, reporter=resident)
    for note in ("晚上看不见台阶", "（附照片）", "晚上看不见台阶"):
        opening.add_note(session, case, note, actor_id=resident.id, now=now, cause_id=None)
    assert card_of(session, case, chat)[3:5] == ["内容：3号楼门口路灯不亮", "补充：晚上看不见台阶"]


def test_who_gets_it_next_reads_what_was_wrong(session: Session, now: datetime) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    other = builders.person(session, "赵铁柱", Role.GRID_WORKER, place.other_grid.id)
    clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
    chat, resident = builders.private_chat(session, other, now), builders.person(session, "王阿姨")
    case = builders.case(session, place, now, reporter=resident)
    work.finish(session, case, worker, note="修好了", now=now)
    work.rate(session, case, resident.id, satisfied=False, note="还是不亮", now=now)
    opening.add_note(session, case, "物业说缺灯泡", actor_id=clerk.id, now=now, cause_id=None)
    desk.hand_over(session, case, clerk, other.id, now=now)
    assert card_of(session, case, chat)[3:6] == ["内容：3号楼门口路灯不亮", "补充：还是不亮", "补充：物业说缺灯泡"]

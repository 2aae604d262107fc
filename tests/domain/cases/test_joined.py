"""What those who joined a case are told, and what a group of staff reads when a matter for few becomes an emergency."""

from datetime import datetime

from sqlalchemy import select

from core.messages import Kind
from core.texts import Sentence
from domain.cases import desk, joining, outcomes, work, worsening
from domain.cases.life import Step
from storage.base import Session
from storage.chats import Chat, ChatPurpose
from storage.messages import Outbox
from storage.people import Role
from tests import builders


def texts(session: Session, chat: Chat) -> list[str]:
    session.flush()
    return list(session.scalars(select(Outbox.text).where(Outbox.chat_id == chat.id).order_by(Outbox.id)))


def test_who_joined_is_not_thanked_for_a_word_they_did_not_give(session: Session, now: datetime) -> None:
    place = builders.community(session)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    neighbour = builders.person(session, "李叔")
    chat = builders.private_chat(session, neighbour, now)
    case = builders.case(session, place, now)
    joining.join_by_staff(
        session, case, neighbour.id, said="我家也不亮", place="", source="telephone", entered_by=clerk.id, now=now
    )
    session.refresh(case)
    work.finish(session, case, clerk, note="已换灯", now=now)
    assert outcomes.of_step(session, case, Step.FINISH, actor_id=clerk.id) == Sentence("web.case_finish_joined")
    desk.close(session, case, clerk, is_satisfied=True, note="电话回访满意", now=now)
    assert [text.split("：")[1] for text in texts(session, chat)] == ["陈社工已办结。", "报告人说好了，已销单。"]


def test_groups_of_staff_read_no_words_of_a_wish_that_became_an_emergency(session: Session, now: datetime) -> None:
    place = builders.community(session)
    staff = builders.group(session, place, now, title="工作群", purpose=ChatPurpose.STAFF)
    builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    wish = builders.case(session, place, now, kind=Kind.WISH, topic=None, text="想要助行器", where="3号楼501")
    worsening.call_out(session, wish, "3号楼501老人摔倒了", actor_id=None, now=now, cause_id=None)
    assert [text for text in texts(session, staff) if "501" in text or "摔倒" in text] == []
    assert "位置：仅经办人可见" in texts(session, staff)[-1]

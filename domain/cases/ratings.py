"""The question whether the resident is satisfied: the words that answer it, where it was asked, and its end without buttons."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from core.messages import OutgoingAction
from domain import outbox
from domain.cases import claims, work
from domain.cases.life import State
from storage.base import Session
from storage.cases import Case
from storage.messages import Outbox

ACTION = "cases.satisfied"
RATEABLE = frozenset({State.FINISHED, State.CLOSED})
LONGEST = 20
# So many of our last messages in a chat are looked through for a question.
MOST_LOOKED_AT = 10
_SATISFIED = re.compile(r"满意|好评|五星")
# Said right after the question, or in reply to it; anywhere else it may mean anything.
_YES = re.compile(
    r"可以|好的|好了|[很挺]好|不错|没问题|解决了?|[修弄搞处理]+好了?|不(?:漏|堵|响|吵|臭|晃|闪)了|(?:灯|门|梯|水|电|网|都|又)?(?:亮|通|热|来水|来电|有水|有电|能用|能刷|正常)了|嗯|是的|行|对的|(?<![a-z])ok(?![a-z])",
    re.IGNORECASE,
)
_DISSATISFIED = re.compile(r"不(?:太|怎么|是很|是太|大|够)?满意|差评")
_AROUND = re.compile(
    r"[\W_]|谢谢|多谢|感谢|谢[啦了]|辛苦|麻烦|你们?|您|大家|师傅|社区|网格员|工作人员|五微|了|啦|哦|哈|啊|呀|的|我们?|这次|结果|"
    r"处理|都|已经|现在|非常|很|挺|十分|特别|比较|算|还|蛮|相当|总体|基本|就|评价"
)


def is_satisfied(text: str) -> bool:
    """满意, 很满意，谢谢: whether somebody says so and nothing else."""
    return _says_only(_SATISFIED, text)


def is_yes(text: str) -> bool:
    """可以了, 好的, 解决了: satisfied, where that has just been asked."""
    return _says_only(_YES, text)


def is_dissatisfied(text: str) -> bool:
    """不满意, 不太满意, and nothing else."""
    return _says_only(_DISSATISFIED, text)


def may_answer(text: str) -> bool:
    """Whether a line can be the answer."""
    return is_satisfied(text) or is_dissatisfied(text) or is_yes(text)


def _says_only(words: re.Pattern[str], text: str) -> bool:
    return len(text) <= LONGEST and words.search(text) is not None and not _AROUND.sub("", words.sub("", text))


def is_rated(case: Case) -> bool:
    """Closed by its reporter's good word, so that another changes nothing."""
    return case.state == State.CLOSED and case.rating == work.SATISFIED


def asks(row: Outbox) -> bool:
    """Whether a message of ours is the question."""
    return any(button.get("action") == ACTION for line in row.buttons for button in line)


def message(session: Session, chat_id: int, message_id: str) -> Outbox | None:
    """Our message of this id in the chat."""
    query = select(Outbox).where(
        Outbox.chat_id == chat_id, Outbox.external_id == message_id, Outbox.action == OutgoingAction.SEND
    )
    return session.scalars(query.order_by(Outbox.id.desc()).limit(1)).first()


def last_said(session: Session, chat_id: int) -> Sequence[Outbox]:
    """Our last messages in a chat that have arrived there, the newest first."""
    query = select(Outbox).where(
        Outbox.chat_id == chat_id, Outbox.external_id.is_not(None), Outbox.action == OutgoingAction.SEND
    )
    return session.scalars(query.order_by(Outbox.id.desc()).limit(MOST_LOOKED_AT)).all()


def settle(session: Session, case: Case, *, now: datetime) -> None:
    """Nothing is asked any more: the questions keep their words and lose their buttons. What says its answer already stays."""
    claims.settle(session, case, now=now)
    session.flush()
    edited = select(Outbox.edits_id).where(Outbox.case_id == case.id, Outbox.edits_id.is_not(None))
    query = select(Outbox).where(
        Outbox.case_id == case.id, Outbox.action == OutgoingAction.SEND, Outbox.id.not_in(edited)
    )
    for row in session.scalars(query.order_by(Outbox.id)).all():
        if asks(row):
            outbox.edit(session, row, row.text, now=now)

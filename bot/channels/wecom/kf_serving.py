"""People of staff in 微信客服: a session is put into the pool from which they take it, and ended when they have done.

States of a session: 0 new, 1 the bot's, 2 in the pool, 3 with a servicer, 4 ended. Only some moves are legal; what a move gives is a
code for one message, which works only while the session is in the state that it led to.
"""

import logging
from enum import IntEnum

from bot.channels.wecom.calls import Calls
from bot.channels.wecom.client import Json
from core.errors import Closed, DeliveryError, Rejected

log = logging.getLogger(__name__)


class State(IntEnum):
    NEW = 0
    BOT = 1
    POOL = 2
    SERVICER = 3
    ENDED = 4


WITH_STAFF = frozenset({State.POOL, State.SERVICER})


class KfServing:
    """Moves sessions. Every move is asked for only where the session stands otherwise, so that a second time does no harm."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def state(self, open_kfid: str, customer: str) -> State:
        asked: Json = {"open_kfid": open_kfid, "external_userid": customer}
        found = (await self._calls.post("kf/service_state/get", asked, is_repeatable=True)).get("service_state")
        return State(found) if found in set(State) else State.BOT

    async def hand_over(self, open_kfid: str, customer: str, text: str) -> None:
        """Into the pool. Raises Rejected where nobody can take it, Closed where the customer must write first."""
        before = await self.state(open_kfid, customer)
        if before in WITH_STAFF:
            return
        if before == State.ENDED:
            raise Closed("会话已结束，要等居民再来消息才能转人工")
        code = await self._move(open_kfid, customer, State.POOL, {State.POOL, State.SERVICER})
        await self._tell(code, text)

    async def hand_back(self, open_kfid: str, customer: str, text: str) -> None:
        """Ends the session with the servicer; the next words of the customer begin a new one, with the bot."""
        if await self.state(open_kfid, customer) not in WITH_STAFF:
            return
        code = await self._move(open_kfid, customer, State.ENDED, {State.NEW, State.BOT, State.ENDED})
        await self._tell(code, text)

    async def is_with_staff(self, open_kfid: str, customer: str) -> bool:
        return await self.state(open_kfid, customer) in WITH_STAFF

    async def _move(self, open_kfid: str, customer: str, to: State, as_good: set[State]) -> str:
        """The code for one message. A refusal that only says that somebody was quicker is none."""
        asked: Json = {"open_kfid": open_kfid, "external_userid": customer, "service_state": int(to)}
        try:
            found = await self._calls.post("kf/service_state/trans", asked, is_repeatable=True)
        except Rejected:
            if await self.state(open_kfid, customer) in as_good:
                return ""
            raise
        return str(found.get("msg_code") or "")

    async def _tell(self, code: str, text: str) -> None:
        """The session has moved: that the word about it does not arrive changes nothing of that."""
        if not code or not text:
            return
        try:
            await self._calls.post("kf/send_msg_on_event", {"code": code, "msgtype": "text", "text": {"content": text}})
        except DeliveryError as error:
            log.info("wecom kf: moved, not told, %s", error.reason)

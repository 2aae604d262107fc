"""Working again on a message that failed: it goes the same way as a new one. For the command line and for the console."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import msgspec

from bot.receiver import Receiver
from core.errors import Refused
from core.messages import Incoming, IncomingKind
from domain import inbox
from domain.inbox import Outcome, Received, Session
from storage.database import Database


@runtime_checkable
class Rereading(Protocol):
    """A channel that can read a kept body again."""

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> str: ...

    async def reread(self, raw: str) -> Incoming | None: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the message this time, and the number of its case."""

    outcome: str
    case_number: str | None


async def replay(database: Database, receiver: Receiver, channels: Iterable[object], received_id: int) -> Replayed:
    """Works a failed message again. When it fails again the error is let through and the message stays kept.

    A body that could not be read goes through its channel's reader once more; one that says nothing to us is done with.
    """
    row = await database.read(lambda session: _failed(session, received_id))
    incoming = await _incoming(row, channels)
    if incoming is None:
        await database.write(lambda session: inbox.forget_failed(session, received_id))
        return Replayed(Outcome.SILENT, None)
    await receiver.work_again(received_id, incoming)
    return await database.read(lambda session: _result(session, incoming))


def _failed(session: Session, received_id: int) -> Received:
    row = session.get(Received, received_id)
    if row is None or row.outcome != Outcome.FAILED:
        raise Refused("messages.not_failed")
    return row


async def _incoming(row: Received, channels: Iterable[object]) -> Incoming | None:
    if not row.raw:
        raise Refused("messages.not_kept")
    if row.kind != IncomingKind.UNREADABLE:
        try:
            return msgspec.json.decode(row.raw, type=Incoming)
        except msgspec.MsgspecError:
            raise Refused("messages.not_kept") from None
    for channel in channels:
        if isinstance(channel, Rereading) and (channel.name, channel.account) == (row.channel, row.account):
            incoming = await channel.reread(row.raw)
            if incoming is not None and incoming.kind == IncomingKind.UNREADABLE:
                raise Refused("messages.still_unreadable")
            return incoming
    raise Refused("messages.channel_off", channel=row.channel)


def _result(session: Session, incoming: Incoming) -> Replayed:
    row = inbox.recorded(session, incoming)
    if row is None:
        return Replayed(Outcome.SILENT, None)
    return Replayed(row.outcome, inbox.case_number(session, row))

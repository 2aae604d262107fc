"""The queue of what the bot has not yet confirmed, oldest first. It outlives a restart of either side."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from bot.simulator.store import Store
from core.ids import new_id
from core.messages import Incoming

NAME = "simulator"  # also our account there: the made-up platform knows one bot


def queue_update(store: Store, update: Incoming) -> None:
    """Queues the update under an id of its own."""
    identifier = new_id()
    named = replace(update, external_id=str(identifier))
    with store.transaction() as connection:
        body = msgspec.json.encode(named)
        connection.execute("INSERT INTO updates (id, body) VALUES (?, ?)", (identifier, body))


def pending_updates(store: Store, most: int) -> Sequence[Incoming]:
    """The oldest unconfirmed updates; each carries its own body for a replay."""
    rows = store.rows("SELECT body FROM updates ORDER BY id LIMIT ?", most)
    return [replace(msgspec.json.decode(row["body"], type=Incoming), raw=row["body"].decode()) for row in rows]


def confirm_updates(store: Store, last: str) -> None:
    """The update with this id and all before it are not offered again."""
    with store.transaction() as connection:
        connection.execute("DELETE FROM updates WHERE id <= ?", (int(last),))


def count_pending(store: Store) -> int:
    row = store.row("SELECT count(*) AS pending FROM updates")
    return 0 if row is None else int(row["pending"])

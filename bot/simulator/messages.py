"""Messages, their files and their buttons: plain functions over the platform's file."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.simulator.media import media_type_of
from bot.simulator.store import Store
from core.errors import Refused
from core.ids import new_id
from core.messages import AttachmentKind
from core.simulation import SimulatedButton, SimulatedFile, SimulatedMessage, SimulatedPress, Upload

BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be written down."""

    chat: str
    sender: str
    at: datetime
    text: str = ""
    uploads: Sequence[Upload] = ()
    buttons: Sequence[SimulatedButton] = ()
    reply_to: str | None = None
    album: str | None = None
    dedupe_key: str | None = None


def number_of(words: str) -> int:
    """The id as a number, 0 (which no row has) where the words are none."""
    if not (words.isascii() and words.isdigit() and len(words) <= 19):
        return 0
    number = int(words)
    return number if number <= BIGGEST_ID else 0


def write_message(store: Store, draft: Draft) -> str:
    """Writes the message with its files; its id."""
    message = new_id()
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO messages (id, chat, sender, text, buttons, reply_to, album, at, dedupe_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message,
                draft.chat,
                draft.sender,
                draft.text,
                buttons_as_json(draft.buttons),
                None if draft.reply_to is None else number_of(draft.reply_to),
                draft.album,
                draft.at.isoformat(),
                draft.dedupe_key,
            ),
        )
        write_files(connection, message, draft.uploads)
    return str(message)


def write_files(connection: sqlite3.Connection, message: int, uploads: Sequence[Upload]) -> None:
    connection.executemany(
        "INSERT INTO files (id, message, kind, media_type, name, size, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                new_id(),
                message,
                upload.kind.value,
                upload.media_type or media_type_of(upload.content),
                upload.name,
                len(upload.content),
                upload.content,
            )
            for upload in uploads
        ],
    )


def note_gone(connection: sqlite3.Connection, before: SimulatedMessage) -> None:
    """Keeps which buttons a message had: somebody may press what they still see."""
    connection.executemany(
        "INSERT OR IGNORE INTO gone_buttons (message, button) VALUES (?, ?)",
        [(int(before.id), button.id) for button in before.buttons if button.url is None],
    )


def had_button(store: Store, message: str, button: str) -> bool:
    """Whether the message had this button before it was edited."""
    gone = "SELECT 1 FROM gone_buttons WHERE message = ? AND button = ?"
    return store.row(gone, number_of(message), button) is not None


def message_with(store: Store, message: str) -> SimulatedMessage:
    row = store.row("SELECT * FROM messages WHERE id = ?", number_of(message))
    if row is None:
        raise Refused("simulator.no_message", message=message)
    return _with_files(store, [row])[0]


def message_sent_as(store: Store, dedupe_key: str) -> str | None:
    """The id of the bot's message that was made for this key, if there is one."""
    row = store.row("SELECT id FROM messages WHERE dedupe_key = ?", dedupe_key)
    return None if row is None else str(row["id"])


def messages_after(store: Store, chat: str, after: int) -> list[SimulatedMessage]:
    return _with_files(store, store.rows("SELECT * FROM messages WHERE chat = ? AND id > ? ORDER BY id", chat, after))


def latest_messages(store: Store) -> list[SimulatedMessage]:
    """The last message of each chat, newest first."""
    newest = "SELECT * FROM messages WHERE id IN (SELECT max(id) FROM messages GROUP BY chat) ORDER BY id DESC"
    return _with_files(store, store.rows(newest))


def file_with(store: Store, file: str) -> Upload:
    row = store.row("SELECT * FROM files WHERE id = ?", number_of(file))
    if row is None:
        raise Refused("simulator.no_photo")
    return Upload(AttachmentKind(row["kind"]), bytes(row["content"]), row["name"], row["media_type"])


def press_with(store: Store, press: str) -> SimulatedPress:
    row = store.row(
        "SELECT presses.*, messages.chat FROM presses JOIN messages ON messages.id = presses.message"
        " WHERE presses.id = ?",
        number_of(press),
    )
    if row is None:
        raise Refused("simulator.no_press")
    return SimulatedPress(str(row["id"]), row["chat"], str(row["message"]), row["person"], row["answer"])


def buttons_as_json(buttons: Sequence[SimulatedButton]) -> str:
    return json.dumps([[button.id, button.text, button.url] for button in buttons], ensure_ascii=False)


def _with_files(store: Store, rows: Sequence[sqlite3.Row]) -> list[SimulatedMessage]:
    files = _files_of(store, [row["id"] for row in rows])
    return [_message(row, files.get(row["id"], [])) for row in rows]


def _files_of(store: Store, messages: Sequence[int]) -> dict[int, list[SimulatedFile]]:
    found: dict[int, list[SimulatedFile]] = {}
    columns = "SELECT id, message, kind, media_type, name, size FROM files"
    chosen = "WHERE message IN (SELECT value FROM json_each(?)) ORDER BY id"
    for row in store.rows(f"{columns} {chosen}", json.dumps(messages)):
        file = SimulatedFile(str(row["id"]), AttachmentKind(row["kind"]), row["media_type"], row["name"], row["size"])
        found.setdefault(row["message"], []).append(file)
    return found


def _message(row: sqlite3.Row, files: Sequence[SimulatedFile]) -> SimulatedMessage:
    """The message as people see it: of a withdrawn one only the fact remains."""
    is_deleted = bool(row["is_deleted"])
    return SimulatedMessage(
        id=str(row["id"]),
        chat=row["chat"],
        sender=row["sender"],
        text="" if is_deleted else row["text"],
        files=() if is_deleted else tuple(files),
        buttons=() if is_deleted else tuple(SimulatedButton(*button) for button in json.loads(row["buttons"])),
        reply_to=None if row["reply_to"] is None else str(row["reply_to"]),
        at=datetime.fromisoformat(row["at"]),
        is_edited=bool(row["is_edited"]),
        is_deleted=is_deleted,
    )

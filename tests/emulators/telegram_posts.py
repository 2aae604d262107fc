"""How a test looks at what the bot posted."""

from dataclasses import dataclass

from tests.emulators.telegram_world import Json, StoredMessage

KINDS = ("photo", "video", "voice", "document")


@dataclass(frozen=True, slots=True)
class PostedButton:
    text: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A message of the bot. `text` is its text or caption, `kind` text, photo, video, voice or document."""

    id: int
    chat_id: int
    text: str
    kind: str = "text"
    buttons: tuple[tuple[PostedButton, ...], ...] = ()
    files: tuple[bytes, ...] = ()
    reply_to: int | None = None
    thread: int | None = None
    album_id: str | None = None
    is_edited: bool = False
    is_deleted: bool = False

    @property
    def all_buttons(self) -> tuple[PostedButton, ...]:
        return tuple(button for row in self.buttons for button in row)


def post_of(message: StoredMessage) -> Post:
    body: Json = message.body
    rows = body.get("reply_markup", {}).get("inline_keyboard", [])
    return Post(
        id=message.id,
        chat_id=message.chat_id,
        text=body.get("text") or body.get("caption") or "",
        kind=next((kind for kind in KINDS if kind in body), "text"),
        buttons=tuple(
            tuple(PostedButton(b["text"], b.get("callback_data"), b.get("url")) for b in row) for row in rows
        ),
        files=message.files,
        reply_to=body.get("reply_to_message", {}).get("message_id"),
        thread=body.get("message_thread_id"),
        album_id=body.get("media_group_id"),
        is_edited="edit_date" in body,
        is_deleted=message.is_deleted,
    )

"""The parts of Telegram's updates that we read, as msgspec structs: typed, checked while decoding, everything else skipped.

Reading them costs about a hundredth of the library's own objects, and the intake is the busiest line of the program.
"""

from typing import Annotated

from msgspec import Meta, Raw, Struct

# Telegram promises at most 52 significant bits; a larger number is no id but an attack on our columns.
Id = Annotated[int, Meta(ge=-(2**53), le=2**53)]
UnixTime = Annotated[int, Meta(ge=0, le=2**33)]


class Present(Struct, frozen=True, gc=False):
    """An object of which only its being there counts."""


class User(Struct, frozen=True, gc=False):
    id: Id
    is_bot: bool = False
    first_name: str = ""
    last_name: str | None = None
    username: str | None = None


class Chat(Struct, frozen=True, gc=False):
    id: Id
    type: str
    title: str | None = None


class Entity(Struct, frozen=True, gc=False):
    """`offset` and `length` count UTF-16 units."""

    type: str
    offset: Annotated[int, Meta(ge=0, le=2**20)]
    length: Annotated[int, Meta(ge=0, le=2**20)]
    user: User | None = None


class File(Struct, frozen=True, gc=False):
    file_id: str
    file_size: Id | None = None
    mime_type: str | None = None
    file_name: str | None = None
    width: int = 0
    height: int = 0


class Replied(Struct, frozen=True, gc=False, rename={"sender": "from"}):
    message_id: Id
    sender: User | None = None
    text: str | None = None
    caption: str | None = None


class Message(Struct, frozen=True, gc=False, rename={"sender": "from"}):
    message_id: Id
    date: UnixTime
    chat: Chat
    sender: User | None = None
    sender_chat: Chat | None = None
    via_bot: User | None = None
    edit_date: UnixTime | None = None
    is_automatic_forward: bool = False
    forward_origin: Present | None = None
    message_thread_id: Id | None = None
    is_topic_message: bool = False
    reply_to_message: Replied | None = None
    media_group_id: str | None = None
    text: str | None = None
    entities: tuple[Entity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[Entity, ...] = ()
    photo: tuple[File, ...] = ()
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    document: File | None = None
    # Content without words for us; its presence alone tells a message from a service notice.
    sticker: Present | None = None
    location: Present | None = None
    venue: Present | None = None
    contact: Present | None = None
    poll: Present | None = None
    dice: Present | None = None
    story: Present | None = None
    new_chat_title: str | None = None
    migrate_to_chat_id: Id | None = None
    migrate_from_chat_id: Id | None = None


class CallbackQuery(Struct, frozen=True, gc=False, rename={"sender": "from"}):
    id: str
    sender: User
    message: Message | None = None
    data: str | None = None


class Member(Struct, frozen=True, gc=False):
    status: str
    user: User
    is_member: bool = True


class MemberChange(Struct, frozen=True, gc=False, rename={"sender": "from"}):
    """`sender` is who made the change; whom it concerns is `new_chat_member.user`."""

    chat: Chat
    sender: User
    date: UnixTime
    old_chat_member: Member
    new_chat_member: Member


class Update(Struct, frozen=True, gc=False):
    update_id: Id
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: MemberChange | None = None
    chat_member: MemberChange | None = None


class Numbered(Struct, frozen=True, gc=False):
    """Just the number of an update, readable where the rest is not."""

    update_id: Id


class UpdateBatch(Struct, frozen=True, gc=False):
    """The answer of getUpdates, each update left as it came."""

    ok: bool
    result: tuple[Raw, ...]


# What we ask the platform to send: exactly what `Update` reads.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member", "chat_member")

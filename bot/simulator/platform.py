"""The made-up platform as its people see it: they join groups, write, edit, withdraw and press buttons.

What the bot's client may ask of it is in bot_side.py.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.simulator import messages, people
from bot.simulator.bot_side import BotSide
from bot.simulator.clock import KeptClock
from bot.simulator.feed import Feed
from bot.simulator.media import is_picture
from bot.simulator.store import Store
from bot.simulator.updates import NAME, queue_update
from core.clock import ShiftedClock
from core.errors import Refused
from core.ids import new_id
from core.messages import Attachment, AttachmentKind, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef
from core.simulation import (
    BOT_SENDER,
    FILE_LIMIT,
    PHOTO_COUNT_LIMIT,
    PRIVATE_PREFIX,
    TEXT_LIMIT,
    Change,
    ChangeKind,
    Persona,
    SimulatedGroup,
    SimulatedMessage,
    SimulatedPress,
    Upload,
)

BOT_NAME = "五微"
CALLED = f"@{BOT_NAME}"
NAME_LIMIT = 40
START_COMMAND = re.compile(r"/start(?:\s+(?P<payload>\S+))?\s*")


class SimulatedPlatform:
    """People, groups, messages and the clock, in the file at `path`. Used from the event loop's thread."""

    def __init__(self, path: Path, clock: ShiftedClock) -> None:
        self._store = Store(path)
        self.clock = KeptClock(self._store, clock)
        self.feed = Feed()
        self.bot = BotSide(self._store, self.clock, self.feed)

    def close(self) -> None:
        self.feed.close()
        self._store.close()

    # People and groups

    def people(self) -> list[Persona]:
        return people.all_people(self._store)

    def person(self, person: str) -> Persona:
        return people.person_with(self._store, person)

    def add_person(
        self, name: str, *, roles: Sequence[str] = (), area: str = "", person_id: str | None = None
    ) -> Persona:
        """The person exists afterwards. With the id of somebody who exists it renames them (a demo may be seeded twice)."""
        name = name.strip()
        if not name or len(name) > NAME_LIMIT:
            raise Refused("simulator.name_missing", most=NAME_LIMIT)
        persona = Persona(person_id or str(new_id()), name, tuple(roles), area)
        people.add_person(self._store, persona)
        self.feed.publish(Change(ChangeKind.MEMBERS))
        return persona

    def groups(self) -> list[SimulatedGroup]:
        return people.all_groups(self._store)

    def add_group(self, name: str, *, area: str = "", group_id: str | None = None) -> SimulatedGroup:
        """The group exists afterwards and the bot is in it; the bot is told once."""
        group = SimulatedGroup(group_id or str(new_id()), name, area)
        is_new = all(known.id != group.id for known in self.groups())
        with self._store.transaction():
            people.add_group(self._store, group)
            if is_new:
                where = people.chat_ref(self._store, group.id)
                self._tell(where, self._update(IncomingKind.BOT_ADDED, where, None))
        self.feed.publish(Change(ChangeKind.MEMBERS, chat=group.id))
        return group

    def join(self, chat: str, person: str) -> None:
        """The person is a member afterwards; who was one already stays one."""
        group, persona = self._group(chat), self.person(person)
        if people.is_member(self._store, chat, person):
            return
        with self._store.transaction():
            people.add_member(self._store, chat, person)
            self._tell(group, self._update(IncomingKind.MEMBER_JOINED, group, persona))
        self.feed.publish(Change(ChangeKind.MEMBERS, chat=chat))

    def leave(self, chat: str, person: str) -> None:
        group, persona = self._group(chat), self.person(person)
        if not people.is_member(self._store, chat, person):
            raise Refused("simulator.cannot_leave", name=persona.name)
        with self._store.transaction():
            people.remove_member(self._store, chat, person)
            self._tell(group, self._update(IncomingKind.MEMBER_LEFT, group, persona))
        self.feed.publish(Change(ChangeKind.MEMBERS, chat=chat))

    def remove_bot(self, chat: str) -> None:
        """The group drops the bot: it is told so, and nothing more."""
        group = self._group(chat)
        with self._store.transaction():
            self._tell(group, self._update(IncomingKind.BOT_REMOVED, group, None))
            people.set_bot_in_group(self._store, chat, has_bot=False)

    def block_bot(self, person: str) -> None:
        """The person stops the private chat; writing there again takes the block back."""
        persona = self.person(person)
        with self._store.transaction():
            where = people.chat_ref(self._store, f"{PRIVATE_PREFIX}{person}")
            self._tell(where, self._update(IncomingKind.BOT_BLOCKED, where, persona))
            people.set_bot_blocked(self._store, person, is_blocked=True)

    # Talk

    def say(
        self,
        chat: str,
        person: str,
        *,
        text: str = "",
        uploads: Sequence[Upload] = (),
        reply_to: str | None = None,
        album: str | None = None,
    ) -> str:
        """The message stands in the chat and waits for the bot; its id."""
        where, persona = self._speaker(chat, person)
        _check_content(text, uploads)
        if reply_to is not None and messages.message_with(self._store, reply_to).chat != chat:
            raise Refused("simulator.reply_elsewhere")
        album = None if album is None else f"{chat}/{album}"
        draft = messages.Draft(
            chat, person, self.clock.now(), text=text, uploads=uploads, reply_to=reply_to, album=album
        )
        with self._store.transaction():
            if where.kind is ChatKind.PRIVATE:
                people.set_bot_blocked(self._store, person, is_blocked=False)
            message = messages.write_message(self._store, draft)
            self._tell_message(IncomingKind.MESSAGE, where, persona, message, album=album)
        self.feed.publish(Change(ChangeKind.MESSAGE, chat=chat, message=message))
        return message

    def edit(self, message: str, person: str, text: str) -> None:
        before, where, persona = self._own(message, person)
        _check_text(text)
        if not text.strip() and not before.files:
            raise Refused("simulator.nothing_said")
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE messages SET text = ?, is_edited = 1 WHERE id = ?", (text, messages.number_of(message))
            )
            self._tell_message(IncomingKind.EDIT, where, persona, message)
        self.feed.publish(Change(ChangeKind.MESSAGE, chat=before.chat, message=message))

    def withdraw(self, message: str, person: str) -> None:
        """Of the message only the fact remains that there was one."""
        before, where, persona = self._own(message, person)
        with self._store.transaction() as connection:
            connection.execute("UPDATE messages SET is_deleted = 1 WHERE id = ?", (messages.number_of(message),))
            self._tell(where, replace(self._update(IncomingKind.WITHDRAWAL, where, persona), message_id=message))
        self.feed.publish(Change(ChangeKind.MESSAGE, chat=before.chat, message=message))

    def press(self, message: str, person: str, button: str) -> SimulatedPress:
        """Anybody in the chat may press what stands, or just stood, under a message there; whether it counts is the bot's matter."""
        pressed = messages.message_with(self._store, message)
        where, persona = self._speaker(pressed.chat, person)
        found = next((known for known in pressed.buttons if known.id == button), None)
        if found is None and (pressed.is_deleted or not messages.had_button(self._store, message, button)):
            raise Refused("simulator.no_button")
        if found is not None and found.url is not None:
            raise Refused("simulator.link_button")
        press = new_id()
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO presses (id, message, person, button, at) VALUES (?, ?, ?, ?, ?)",
                (press, messages.number_of(message), person, button, self.clock.now().isoformat()),
            )
            update = self._update(IncomingKind.PRESS, where, persona)
            self._tell(where, replace(update, message_id=message, button=button, press_id=str(press)))
        return messages.press_with(self._store, str(press))

    def message(self, message: str) -> SimulatedMessage:
        return messages.message_with(self._store, message)

    def messages(self, chat: str, after: int = 0) -> list[SimulatedMessage]:
        people.chat_ref(self._store, chat)
        return messages.messages_after(self._store, chat, after)

    def latest(self) -> list[SimulatedMessage]:
        return messages.latest_messages(self._store)

    def file(self, file: str) -> Upload:
        return messages.file_with(self._store, file)

    def press_made(self, press: str) -> SimulatedPress:
        return messages.press_with(self._store, press)

    # What all of the above stand on

    def _group(self, chat: str) -> ChatRef:
        where = people.chat_ref(self._store, chat)
        if where.kind is ChatKind.PRIVATE:
            raise Refused("simulator.private_chat_has_no_members")
        return where

    def _speaker(self, chat: str, person: str) -> tuple[ChatRef, Persona]:
        where, persona = people.chat_ref(self._store, chat), self.person(person)
        if where.kind is ChatKind.PRIVATE:
            if chat != f"{PRIVATE_PREFIX}{person}":
                raise Refused("simulator.not_own_chat")
        elif not people.is_member(self._store, chat, person):
            raise Refused("simulator.not_member", name=persona.name)
        return where, persona

    def _own(self, message: str, person: str) -> tuple[SimulatedMessage, ChatRef, Persona]:
        persona, found = self.person(person), messages.message_with(self._store, message)
        if found.sender != person:
            raise Refused("simulator.not_own_message")
        if found.is_deleted:
            raise Refused("simulator.already_withdrawn")
        return found, people.chat_ref(self._store, found.chat), persona

    def _tell_message(
        self, kind: IncomingKind, where: ChatRef, persona: Persona, message: str, *, album: str | None = None
    ) -> None:
        said = messages.message_with(self._store, message)
        replied = messages.message_with(self._store, said.reply_to) if said.reply_to else None
        is_to_bot = replied is not None and replied.sender == BOT_SENDER
        is_private = where.kind is ChatKind.PRIVATE
        start = START_COMMAND.fullmatch(said.text) if is_private and kind is IncomingKind.MESSAGE else None
        update = replace(
            self._update(IncomingKind.BOT_STARTED if start else kind, where, persona),
            message_id=message,
            # As the real platforms' bots hear it: without the name that called them.
            text=said.text.replace(CALLED, "").strip() if CALLED in said.text else said.text,
            payload=start["payload"] if start else None,
            attachments=tuple(
                Attachment(file.kind, file.id, file.size, file.media_type, file.name or None) for file in said.files
            ),
            reply_to=said.reply_to,
            reply_to_text=replied.text if replied else "",
            reply_to_bot=is_to_bot,
            is_addressed=is_private or is_to_bot or CALLED in said.text,
            album_id=album,
        )
        self._tell(where, update)

    def _update(self, kind: IncomingKind, where: ChatRef, persona: Persona | None) -> Incoming:
        sender = None if persona is None else SenderRef(external_id=persona.id, name=persona.name)
        return Incoming(NAME, NAME, "", kind, where, sender, self.clock.now())

    def _tell(self, where: ChatRef, update: Incoming) -> None:
        """Queues an update for the bot, if it is there to hear it."""
        if people.bot_reads(self._store, where):
            queue_update(self._store, update)
            self.bot.wake()


def _check_text(text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise Refused("simulator.text_too_long", most=TEXT_LIMIT, count=len(text))


def _check_content(text: str, uploads: Sequence[Upload]) -> None:
    _check_text(text)
    if not text.strip() and not uploads:
        raise Refused("simulator.nothing_said")
    photos = [upload for upload in uploads if upload.kind is AttachmentKind.PHOTO]
    if len(photos) > PHOTO_COUNT_LIMIT:
        raise Refused("simulator.too_many_photos", most=PHOTO_COUNT_LIMIT, count=len(photos))
    for upload in uploads:
        if not upload.content:
            raise Refused("simulator.file_is_empty")
        if len(upload.content) > FILE_LIMIT:
            raise Refused("simulator.file_too_large", most=FILE_LIMIT // 1024 // 1024)
    for number, photo in enumerate(photos, start=1):
        if not is_picture(photo.content):
            raise Refused("simulator.not_a_picture", number=number)

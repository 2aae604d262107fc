"""The made-up platform as a bot's client sees it: updates to read and confirm, messages to post, edit and delete."""

import asyncio
from collections.abc import Sequence

from bot.simulator import messages, people
from bot.simulator.clock import KeptClock
from bot.simulator.feed import Feed
from bot.simulator.store import Store
from bot.simulator.updates import NAME, confirm_updates, count_pending, pending_updates
from core.errors import Refused, Rejected, Undeliverable
from core.messages import ChatRef, Incoming, Outgoing
from core.simulation import (
    BOT_SENDER,
    TEXT_LIMIT,
    Change,
    ChangeKind,
    SimulatedButton,
    SimulatedMessage,
    Upload,
)

NOTICE_LIMIT = 200
FILE_COUNT_LIMIT = 10


class BotSide:
    """The platform's interface for its one bot."""

    name = NAME

    def __init__(self, store: Store, clock: KeptClock, feed: Feed) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed
        self._has_news = asyncio.Event()

    # Reading

    def wake(self) -> None:
        """There is something to read."""
        self._has_news.set()

    def pending(self, most: int) -> Sequence[Incoming]:
        """The oldest updates not yet confirmed, offered again until they are."""
        return pending_updates(self._store, most)

    def count_pending(self) -> int:
        return count_pending(self._store)

    def confirm(self, last: str) -> None:
        """The update with this id and all before it are done with."""
        confirm_updates(self._store, last)

    async def wait_for_news(self) -> None:
        """Returns when something may have been queued since the last call."""
        await self._has_news.wait()
        self._has_news.clear()

    def file(self, external_id: str) -> Upload:
        """The bytes of a file; Rejected where there is none."""
        try:
            return messages.file_with(self._store, external_id)
        except Refused as refusal:
            raise Rejected(f"no file {external_id}") from refusal

    # Writing

    def post(self, outgoing: Outgoing, uploads: Sequence[Upload]) -> str:
        """The message stands in the chat once, however often it is posted with the same `Outgoing.id`."""
        known = messages.message_sent_as(self._store, outgoing.id)
        if known is not None:
            return known
        self._check_reachable(outgoing.chat)
        _check_text(outgoing.text)
        if not outgoing.text.strip() and not uploads:
            raise Rejected("the message is empty")
        if len(uploads) > FILE_COUNT_LIMIT:
            raise Rejected(f"more than {FILE_COUNT_LIMIT} files")
        draft = messages.Draft(
            outgoing.chat.external_id,
            BOT_SENDER,
            self._clock.now(),
            text=outgoing.text,
            uploads=uploads,
            buttons=_buttons(outgoing),
            reply_to=outgoing.reply_to,
            dedupe_key=outgoing.id,
        )
        message = messages.write_message(self._store, draft)
        self._feed.publish(Change(ChangeKind.MESSAGE, chat=outgoing.chat.external_id, message=message))
        return message

    def edit(self, outgoing: Outgoing) -> None:
        """The bot's message has this text and these buttons; an empty text keeps the old one."""
        found = self._own(outgoing)
        _check_text(outgoing.text)
        text = outgoing.text or found.text
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE messages SET text = ?, buttons = ?, is_edited = (is_edited OR text <> ?) WHERE id = ?",
                (text, messages.buttons_as_json(_buttons(outgoing)), text, int(found.id)),
            )
            messages.note_gone(connection, found)
        self._feed.publish(Change(ChangeKind.MESSAGE, chat=found.chat, message=found.id))

    def delete(self, outgoing: Outgoing) -> None:
        """The bot's message is gone; deleting it again changes nothing."""
        found = self._find(outgoing)
        with self._store.transaction() as connection:
            connection.execute("UPDATE messages SET is_deleted = 1 WHERE id = ?", (int(found.id),))
        self._feed.publish(Change(ChangeKind.MESSAGE, chat=found.chat, message=found.id))

    def answer_press(self, press_id: str, text: str) -> None:
        """The person who pressed sees a small notice, or only that the press was taken when `text` is empty."""
        if len(text) > NOTICE_LIMIT:
            raise Rejected(f"a notice has at most {NOTICE_LIMIT} characters")
        with self._store.transaction() as connection:
            number = messages.number_of(press_id)
            done = connection.execute("UPDATE presses SET answer = ? WHERE id = ?", (text, number))
        if done.rowcount == 0:
            raise Rejected(f"no press {press_id}")
        press = messages.press_with(self._store, press_id)
        notice = Change(ChangeKind.NOTICE, chat=press.chat, message=press.message, person=press.person, text=text)
        self._feed.publish(notice)

    def _check_reachable(self, chat: ChatRef) -> None:
        try:
            where = people.chat_ref(self._store, chat.external_id)
        except Refused as refusal:
            raise Undeliverable(f"no chat {chat.external_id}") from refusal
        if not people.bot_reads(self._store, where):
            raise Undeliverable(f"the bot is blocked or removed in {chat.external_id}")

    def _find(self, outgoing: Outgoing) -> SimulatedMessage:
        try:
            found = messages.message_with(self._store, outgoing.message_id or "")
        except Refused as refusal:
            raise Rejected(f"no message {outgoing.message_id}") from refusal
        if found.sender != BOT_SENDER:
            raise Rejected(f"message {found.id} is not the bot's")
        return found

    def _own(self, outgoing: Outgoing) -> SimulatedMessage:
        found = self._find(outgoing)
        if found.is_deleted:
            raise Rejected(f"message {found.id} is deleted")
        return found


def _check_text(text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise Rejected(f"the text has more than {TEXT_LIMIT} characters")


def _buttons(outgoing: Outgoing) -> list[SimulatedButton]:
    """The buttons, flat; one with a link gets an id of its own, since it has no key."""
    flat = [button for row in outgoing.buttons for button in row]
    links = (f"link{number}" for number in range(1, len(flat) + 1))
    for button in flat:
        if button.url is None and not 1 <= len(button.key.encode()) <= 64:
            raise Rejected("a button's key has 1 to 64 bytes")
    return [SimulatedButton(button.key or next(links), button.text, button.url) for button in flat]

"""The platform's own doings: who joins, leaves, blocks, renames and migrates, and which of it the bot is told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.emulators.telegram_updates import UpdateQueue
from tests.emulators.telegram_world import Chat, Json, StoredMessage, User, World


class Platform:
    """Holds the world and the update queue; the emulator adds the wire and people's words."""

    def __init__(
        self, *, token: str, username: str, privacy: bool, now: Callable[[], float], retry_pause: float
    ) -> None:
        self.token = token
        self.privacy = privacy
        self.now = now
        self.bot = User(int(token.partition(":")[0]), "五微", username, is_bot=True, has_started=True)
        self.world = World(self.bot, now)
        self.queue = UpdateQueue(now, retry_pause=retry_pause)

    # People and chats

    def add_user(self, name: str, username: str | None = None, *, is_bot: bool = False, started: bool = False) -> User:
        """A person who has not opened the bot's private chat, unless `started`."""
        user = self.world.new_user(name, username, is_bot=is_bot)
        user.has_started = started
        return user

    def private(self, user: User) -> Chat:
        return self.world.chats[user.id]

    def add_group(
        self,
        title: str,
        members: Sequence[User] = (),
        *,
        is_supergroup: bool = True,
        is_forum: bool = False,
        with_bot: bool = True,
        bot_is_admin: bool = False,
    ) -> Chat:
        """A group whose first member is its creator. The bot is in it, silently, as if since long ago."""
        chat = self.world.new_group(title, is_supergroup=is_supergroup or is_forum, is_forum=is_forum)
        if is_forum:
            self.world.new_message_id(chat)  # number 1 is the General topic
        for at, member in enumerate(members):
            chat.members[member.id] = "creator" if at == 0 else "member"
        if with_bot:
            chat.members[self.bot.id] = "administrator" if bot_is_admin else "member"
            chat.bot_reads_all = not self.privacy
        return chat

    def add_topic(self, chat: Chat, name: str, by: User) -> int:
        """Opens a forum topic; its id is that of the notice that opens it."""
        fields = {"forum_topic_created": {"name": name, "icon_color": 7322096}, "is_topic_message": True}
        notice = self.world.new_message(chat, by, fields)
        notice.body["message_thread_id"] = notice.id
        chat.topics.add(notice.id)
        self._tell("message", chat, notice)
        return notice.id

    def add_bot(self, chat: Chat, by: User, *, as_admin: bool = False) -> None:
        """Somebody adds the bot; its sight is fixed by the privacy switch of this moment."""
        self._own_change(chat, by, "administrator" if as_admin else "member")

    def promote_bot(self, chat: Chat, by: User) -> None:
        self._own_change(chat, by, "administrator")

    def kick(self, chat: Chat, by: User) -> None:
        """Somebody removes the bot from the group."""
        self._own_change(chat, by, "kicked")

    def block(self, user: User) -> None:
        user.has_blocked = True
        self._private_change(user, "member", "kicked")

    def unblock(self, user: User) -> None:
        user.has_blocked = False
        self._private_change(user, "kicked", "member")

    def join(self, user: User, chat: Chat) -> None:
        """chat_member reaches the bot only as administrator; the notice in the group comes to every bot."""
        self._member_change(user, chat, "member", {"new_chat_members": [user.json()]})

    def leave(self, user: User, chat: Chat) -> None:
        self._member_change(user, chat, "left", {"left_chat_member": user.json()})

    def rename(self, chat: Chat, title: str, by: User) -> None:
        chat.title = title
        self._notice(chat, by, {"new_chat_title": title})

    def migrate(self, chat: Chat, by: User) -> Chat:
        """The group becomes a supergroup: both chats say so, and the old id is refused from now on."""
        new = self.world.new_group(chat.title, is_supergroup=True, is_forum=False)
        new.members, new.bot_reads_all = dict(chat.members), chat.bot_reads_all
        self._notice(chat, by, {"migrate_to_chat_id": new.id})
        chat.migrated_to = new.id
        self._notice(new, by, {"migrate_from_chat_id": chat.id})
        return new

    # What the bot is told

    def _speak(
        self, user: User, chat: Chat, fields: Mapping[str, Any], reply_to: int | None, thread: int | None
    ) -> StoredMessage:
        if chat.migrated_to is not None:
            raise ValueError("nobody can write to a group that was upgraded")
        if chat.is_group and user.id not in chat.members:
            raise ValueError(f"{user.first_name} is not in {chat.title}")
        if not chat.is_group and chat.id != user.id:
            raise ValueError("this private chat is somebody else's")
        if not chat.is_group:
            user.has_started = True
        shown: Json = dict(fields) | {"reply_to_message": self.world.replied(chat, reply_to)}
        if thread is not None:
            shown |= {"message_thread_id": thread, "is_topic_message": True}
            if reply_to is None:
                shown["reply_to_message"] = self.world.replied(chat, thread)
        message = self.world.new_message(chat, user, shown)
        if user.is_bot:
            chat.last_speaking_bot = user.id
        self._tell("message", chat, message)
        return message

    def _notice(self, chat: Chat, by: User, fields: Json) -> None:
        self._tell("message", chat, self.world.new_message(chat, by, fields), is_notice=True)

    def _tell(self, kind: str, chat: Chat, message: StoredMessage, *, is_notice: bool = False) -> None:
        if self._bot_sees(chat, message, is_notice=is_notice):
            self.queue.put(kind, message.body)

    def _bot_sees(self, chat: Chat, message: StoredMessage, *, is_notice: bool) -> bool:
        """Other bots' messages never; in groups with privacy on only notices and what is meant for the bot."""
        if not chat.is_group:
            return not self.world.users[chat.id].has_blocked
        status = chat.members.get(self.bot.id, "left")
        if status in ("left", "kicked"):
            return False
        sender = None if message.sender_id is None else self.world.users.get(message.sender_id)
        is_anonymous_admin = "sender_chat" in message.body
        if sender is not None and sender.is_bot and not is_anonymous_admin:
            return False
        is_service = is_notice or "forum_topic_created" in message.body
        return chat.bot_reads_all or status == "administrator" or is_service or self._is_meant_for_bot(chat, message)

    def _is_meant_for_bot(self, chat: Chat, message: StoredMessage) -> bool:
        body = message.body
        if body.get("reply_to_message", {}).get("from", {}).get("id") == self.bot.id:
            return True
        text = body.get("text") or body.get("caption") or ""
        ours = f"@{self.bot.username}".lower()
        for entity in body.get("entities") or body.get("caption_entities") or []:
            units = text.encode("utf-16-le")[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])]
            words = units.decode("utf-16-le").lower()
            if entity["type"] == "mention" and words == ours:
                return True
            if entity["type"] == "bot_command" and words.endswith(ours):
                return True
            if entity["type"] == "bot_command" and "@" not in words and chat.last_speaking_bot == self.bot.id:
                return True
        return False

    def _own_change(self, chat: Chat, by: User, status: str) -> None:
        old = self.world.member_json(chat, self.bot)
        was_in = old["status"] not in ("left", "kicked")
        chat.members[self.bot.id] = status
        if not was_in:
            chat.bot_reads_all = not self.privacy
        new = self.world.member_json(chat, self.bot)
        self.queue.put("my_chat_member", self._change_json(chat, by, old, new))

    def _bot_left(self, chat: Chat) -> None:
        self._own_change(chat, self.bot, "left")

    def _private_change(self, user: User, old: str, new: str) -> None:
        chat = self.private(user)
        before, after = (self.world.member_json(chat, self.bot, status) for status in (old, new))
        self.queue.put("my_chat_member", self._change_json(chat, user, before, after))

    def _member_change(self, user: User, chat: Chat, status: str, notice: Json) -> None:
        old = self.world.member_json(chat, user)
        chat.members[user.id] = status
        if chat.members.get(self.bot.id) == "administrator":
            new = self.world.member_json(chat, user)
            self.queue.put("chat_member", self._change_json(chat, user, old, new))
        self._notice(chat, user, notice)

    def _change_json(self, chat: Chat, by: User, old: Json, new: Json) -> Json:
        return {
            "chat": chat.json(),
            "from": by.json(),
            "date": int(self.now()),
            "old_chat_member": old,
            "new_chat_member": new,
        }

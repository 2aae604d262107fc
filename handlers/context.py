"""What a handler knows: the message, where it was said, who said it, what was understood. One typed object, passed along."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime

from core.clock import in_china
from core.messages import Allowance, Decision, Incoming, Understanding
from core.texts import say
from domain import dialogues, outbox, people
from domain.cases.splitting import Part
from domain.chats import Chat, ChatPurpose
from domain.inbox import Noted, Outcome, Session
from domain.outbox import Press, Rows

# What a greeting or a thanks speaks for (nlp/data/silence.toml, signals.toml).
COURTESIES = frozenset({"greeting", "thanks", "thanking", "ack", "praise"})
CALLS_BY_NAME = re.compile(r"(?:^|\s)@\S")


@dataclass(frozen=True, slots=True)
class Site:
    """What a handler may have to know of the channels, by (channel, account): the link into private chat ("…{payload}"), what may
    be sent after somebody's word, where people of staff can speak themselves, and which hear
    nothing. `public_url` is the console's address."""

    public_url: str = ""
    start_links: Mapping[tuple[str, str], str] = field(default_factory=dict)
    allowances: Mapping[tuple[str, str], Allowance] = field(default_factory=dict)
    with_servicers: Set[tuple[str, str]] = frozenset()
    deaf: Set[tuple[str, str]] = frozenset()

    def start_link(self, chat: Chat, payload: str) -> str | None:
        template = self.start_links.get((chat.channel, chat.account))
        return template.format(payload=payload) if template else None


@dataclass(slots=True)
class Context:
    """One message being worked, in one transaction."""

    session: Session
    incoming: Incoming
    chat: Chat
    now: datetime
    understanding: Understanding
    site: Site
    pressed: str = ""  # the words of the button that was pressed
    parts: tuple[Part, ...] = ()  # the matters of a message that tells of several
    before: Noted | None = None  # the line that this one completes: both are read as one
    received: Noted = field(init=False)  # itself in the inbox
    _person: people.Person | None = None

    @property
    def today(self) -> date:
        return in_china(self.now).date()

    @property
    def sender(self) -> str:
        return self.incoming.sender.external_id if self.incoming.sender else ""

    @property
    def is_private(self) -> bool:
        return self.chat.purpose == ChatPurpose.PRIVATE

    @property
    def is_to_neighbour(self) -> bool:
        """Said to somebody else of the group by name, @李叔, or in reply to their words."""
        incoming = self.incoming
        if self.is_private or incoming.is_addressed or incoming.reply_to_bot:
            return False
        return bool(incoming.reply_to) or CALLS_BY_NAME.search(incoming.text) is not None

    @property
    def is_courtesy(self) -> bool:
        """A greeting, a thanks, an "ok": answered kindly where it was said to us, and never about a matter."""
        understood = self.understanding
        return understood.decision != Decision.ACT and any(one.speaks_for in COURTESIES for one in understood.because)

    @property
    def person(self) -> people.Person:
        """Who speaks; a resident becomes a person of ours with the first message that matters, not with chatter."""
        if self._person is None:
            sender = self.incoming.sender
            assert sender is not None
            self._person = people.find_or_make_person(
                self.session,
                channel=self.incoming.channel,
                external_id=sender.external_id,
                name=sender.name,
                username=sender.username,
                now=self.now,
            )
        return self._person

    def reply(self, key: str, *, buttons: Rows = (), **blanks: object) -> None:
        """Answers in the chat, as a reply in a group, with a sentence of core/texts."""
        self.reply_text(say(key, **blanks), buttons=buttons)

    def reply_text(self, text: str, *, buttons: Rows = ()) -> None:
        outbox.post(
            self.session,
            self.chat,
            text,
            now=self.now,
            buttons=buttons,
            reply_to=None if self.is_private else self.incoming.message_id,
            thread=self.incoming.chat.thread,
            cause_id=self.received.id,
        )
        if self.received.outcome == Outcome.SILENT:
            self.received.outcome = Outcome.ANSWERED

    def post_to(self, chat: Chat, text: str, *, buttons: Rows = ()) -> None:
        """Says something in another chat: in private, what a group need not read."""
        outbox.post(self.session, chat, text, now=self.now, buttons=buttons, cause_id=self.received.id)

    def answer_press(self, key: str = "", **blanks: object) -> None:
        """Stops the client's waiting, with a small notice if there is something to say."""
        if self.incoming.press_id:
            text = say(key, **blanks) if key else ""
            outbox.answer_press(self.session, self.chat, self.incoming.press_id, text, now=self.now)

    def ask(self, step: str, data: dict[str, str]) -> None:
        """The next thing this person says here answers `step`."""
        dialogues.ask(self.session, self.chat.id, self.sender, step, data=data, now=self.now)


__all__ = ["Context", "Press", "Rows", "Site"]

"""The neutral messages: what they are without being told, that nobody changes them, and that they can be written down."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, datetime

import msgspec
import pytest

from core import messages
from core.messages import (
    Abilities,
    Attachment,
    AttachmentKind,
    Button,
    ChatKind,
    ChatRef,
    Decision,
    Incoming,
    IncomingKind,
    Kind,
    Outgoing,
    OutgoingAction,
    PlaceMention,
    SenderRef,
    Signal,
    Understanding,
    Urgency,
    Utterance,
)

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
GROUP = ChatRef("-100", ChatKind.GROUP)


def test_incoming_is_an_ordinary_message_unless_told() -> None:
    incoming = Incoming("telegram", "1", "u1", IncomingKind.MESSAGE, GROUP, SenderRef("7"), NOW)
    assert (incoming.text, incoming.attachments, incoming.raw) == ("", (), "")
    assert not (incoming.is_addressed or incoming.is_forwarded or incoming.reply_to_bot)
    assert incoming.sender is not None
    assert incoming.sender.is_person


def test_outgoing_is_plain_unless_told() -> None:
    outgoing = Outgoing("1", "telegram", "1", OutgoingAction.SEND, GROUP)
    assert (outgoing.text, outgoing.buttons, outgoing.files, dict(outgoing.keep)) == ("", (), (), {})


def test_understanding_names_its_best_topic() -> None:
    known = Understanding(Kind.REPORT, Decision.ACT, 0.9, topics=(("street_light", 0.8), ("road", 0.1)))
    assert known.topic == "street_light"
    assert Understanding(Kind.CHATTER, Decision.SILENT, 1.0).topic is None


def test_understanding_is_calm_unless_told() -> None:
    plain = Understanding(Kind.REPORT, Decision.ACT, 0.9)
    assert (plain.urgency, plain.signal, plain.places, plain.because) == (Urgency.NORMAL, Signal.NONE, (), ())


def test_defaults_promise_little() -> None:
    """A channel that forgets to say so cannot write first and has no key against repeats."""
    assert not (Abilities().can_write_first or Abilities().has_dedupe_key or Abilities().tells_withdrawals)
    assert PlaceMention("门口", 0, 2).area_id is None
    assert Button("办结").url is None
    assert (Utterance("x").reply_to_text, Utterance("x").has_photo) == ("", False)


@pytest.mark.parametrize(
    "kind", [each for each in vars(messages).values() if isinstance(each, type) and is_dataclass(each)]
)
def test_messages_cannot_be_changed(kind: type[object]) -> None:
    made: object = object.__new__(kind)
    name = fields(kind)[0].name  # type: ignore[arg-type]  # each is a dataclass
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, "other")


def test_incoming_can_be_written_down_and_read_again() -> None:
    """As it is kept for replay."""
    incoming = Incoming(
        "telegram",
        "1",
        "u1",
        IncomingKind.EDIT,
        ChatRef("-100", ChatKind.GROUP, "3号楼居民群", thread="5"),
        SenderRef("7", "李四", "lisi", is_person=False),
        NOW,
        text="路灯坏了 \u202e🙂\x00",
        attachments=(Attachment(AttachmentKind.PHOTO, "f", 10, "image/jpeg", "a.jpg", NOW),),
        is_addressed=True,
    )
    assert msgspec.json.decode(msgspec.json.encode(incoming), type=Incoming) == incoming

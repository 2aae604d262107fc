"""Every exception of ours.

    WuweiError
    ├── Refused            a person asked for something that cannot be; `key` is the sentence they get
    ├── DeliveryError      a channel could not send
    │   ├── TryLater       again after `seconds`
    │   │   └── LimitReached   so much has gone out that nothing may for so long; nothing is wrong with the message
    │   ├── Undeliverable  never to this address (blocked, kicked, chat gone)
    │   ├── Closed         not to this person until they write again, or a person of staff has done speaking with them
    │   ├── Rejected       the platform refuses this very message (too long, bad file)
    │   ├── Migrated       the chat goes on under another id
    │   └── Unknown        nobody knows whether it arrived (time-out in mid-send)
    ├── ConfigError        the configuration is wrong; `faults` lists all of it
    └── ImportFaults       an import file is wrong; `faults` lists all of it

Anything else is a bug and is let through to the edges, which are named in tests/test_architecture.py.
"""

from collections.abc import Sequence


class WuweiError(Exception):
    """Root of all our exceptions."""


class Refused(WuweiError):
    """Shown to the person: `key` names a sentence in core/texts, `blanks` fill it."""

    def __init__(self, key: str, **blanks: object) -> None:
        super().__init__(key)
        self.key = key
        self.blanks = blanks


class DeliveryError(WuweiError):
    """A channel could not do what it was asked to. The reason is for staff and never holds a secret."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class TryLater(DeliveryError):
    """Repeat after `seconds`; `whole_account` tells that everything of this account must wait."""

    def __init__(self, seconds: float, reason: str = "", *, whole_account: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.whole_account = whole_account


class LimitReached(TryLater):
    """So much has gone out that nothing more may for `seconds`. It is no try, and what waits behind it stays behind it."""


class Undeliverable(DeliveryError):
    """This address will never get anything: the bot was blocked, removed, or never started."""


class Closed(DeliveryError):
    """Nothing goes to this person for now. It ends when they write again; where `is_served`, when the person of staff who speaks
    with them has done."""

    def __init__(self, reason: str = "", *, is_served: bool = False) -> None:
        super().__init__(reason)
        self.is_served = is_served


class Rejected(DeliveryError):
    """The platform will never take this very message."""


class Migrated(DeliveryError):
    """The chat goes on under `new_chat_id`; send there."""

    def __init__(self, new_chat_id: str) -> None:
        super().__init__("chat migrated")
        self.new_chat_id = new_chat_id


class Unknown(DeliveryError):
    """The request may or may not have been carried out."""


class ConfigError(WuweiError):
    """The configuration cannot be used. `faults` are sentences, one for each fault, found all at once."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class ImportFaults(WuweiError):
    """An import file was refused whole. `faults` are sentences with row, column and what to write instead."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)

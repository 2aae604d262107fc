"""What the library raises → what the sender understands (core/errors)."""

import httpx
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, TelegramError

from bot.channels.telegram.requests import FloodControl, ServerTrouble
from core.errors import DeliveryError, Migrated, Rejected, TryLater, Undeliverable, Unknown

AGAIN = 5.0  # seconds; the sender lengthens its own pauses
MISCONFIGURED = 60.0

# The request left us whole; whether it was worked nobody knows.
AFTER_WRITING = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)
# Answers 400 that speak of the address, not of the message.
ADDRESS_IS_DEAD = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "chat_write_forbidden",
    "not enough rights to send",
    "have no rights to send a message",
    "group chat was deactivated",
)
# Answers 400 that say the wish is already fulfilled, or that fulfilling it has lost its meaning.
ALREADY_DONE = (
    "message is not modified",
    "message to delete not found",
    "query is too old",
    "query_id_invalid",
)


def says(error: TelegramError, *phrases: str) -> bool:
    sentence = error.message.lower()
    return any(phrase in sentence for phrase in phrases)


def is_already_done(error: TelegramError) -> bool:
    return isinstance(error, BadRequest) and says(error, *ALREADY_DONE)


def delivery_error(error: TelegramError, *, is_repeatable: bool, token: str) -> DeliveryError:
    """`is_repeatable` holds for what may be done twice without harm: then an unknown outcome is only a reason to repeat."""
    reason = without_token(str(error), token)
    match error:
        case FloodControl():
            return TryLater(error.seconds, reason, whole_account=True)
        case ChatMigrated():
            return Migrated(str(error.new_chat_id))
        case Forbidden():
            return Undeliverable(reason)
        case InvalidToken():
            return TryLater(MISCONFIGURED, "the platform does not accept the token", whole_account=True)
        case Conflict():
            return TryLater(AGAIN, reason)
        case BadRequest():
            return Undeliverable(reason) if says(error, *ADDRESS_IS_DEAD) else Rejected(reason)
        case _ if isinstance(error.__cause__, UnicodeEncodeError):
            return Rejected("the text holds half a character")
        case _ if is_repeatable or not may_have_been_done(error):
            return TryLater(AGAIN, reason)
        case _:
            return Unknown(reason)


def may_have_been_done(error: TelegramError) -> bool:
    """503 is a refusal at the door; other 5xx, a lost answer and an answer nobody can read leave it open."""
    if isinstance(error, ServerTrouble):
        return error.status != 503
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPError):
        return isinstance(cause, AFTER_WRITING)
    return not isinstance(cause, RuntimeError)  # RuntimeError: our own side is shut down, nothing left us


def without_token(sentence: str, token: str) -> str:
    return sentence.replace(token, "***") if token else sentence

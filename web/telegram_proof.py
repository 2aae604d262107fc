"""Who Telegram says somebody is: the checks of what its login page and its Mini Apps hand over, signed with the bot's token.

Pure: no clock, no table. That a proof counts only once is domain/accounts.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from core.errors import Refused

LIFE = timedelta(minutes=10)
SKEW = timedelta(minutes=1)
LONGEST = 4000
LONGEST_ID = 18  # digits
MINI_APP = b"WebAppData"

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody's id on Telegram, and the signature that says so: it is spent once, and worth nothing after `expires_at`."""

    user_id: str
    signature: str
    expires_at: datetime


def of_result(result: str, *, token: str, now: datetime) -> Proof:
    """From the login page: base64 of a JSON object, as it stands behind `#tgAuthResult=`."""
    text = result.strip().replace(" ", "+").replace("-", "+").replace("_", "/")
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise Refused("web.proof_wrong") from None
    if not isinstance(found, dict) or not all(_is_plain(value) for value in found.values()):
        raise Refused("web.proof_wrong")
    return _of_login([(name, str(value)) for name, value in found.items()], token=token, now=now)


def of_query(query: str, *, token: str, now: datetime) -> Proof:
    """From the login page, where it comes back with the fields in the address."""
    return _of_login(_pairs(query), token=token, now=now)


def of_init_data(init_data: str, *, token: str, now: datetime) -> Proof:
    """From a Mini App: its `initData`, untouched."""
    secret = hmac.digest(MINI_APP, token.encode(), hashlib.sha256)
    fields = _checked(_pairs(init_data), secret)
    try:
        user = json.loads(fields.get("user", ""))
    except (ValueError, RecursionError):
        raise Refused("web.proof_wrong") from None
    user_id = user.get("id") if isinstance(user, dict) else None
    if not isinstance(user_id, int) or isinstance(user_id, bool):
        raise Refused("web.proof_wrong")
    return _proof(fields, str(user_id), now)


def _of_login(pairs: Pairs, *, token: str, now: datetime) -> Proof:
    fields = _checked(pairs, hashlib.sha256(token.encode()).digest())
    return _proof(fields, fields.get("id", ""), now)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _pairs(query: str) -> Pairs:
    if len(query) > LONGEST:
        raise Refused("web.proof_wrong")
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Refused("web.proof_wrong") from None


def _checked(pairs: Pairs, secret: bytes) -> Mapping[str, str]:
    """The fields without their hash, when the hash is right.

    A field twice, or a line break in one, is refused: what is signed is the lines together, and another cut through them
    would make other fields of the same signature.
    """
    fields = dict(pairs)
    given = fields.pop("hash", "")
    has_breaks = any("\n" in name + value or "=" in name for name, value in pairs)
    if not secret or len(fields) + 1 != len(pairs) or has_breaks:
        raise Refused("web.proof_wrong")
    text = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    try:
        right = hmac.digest(secret, text.encode(), hashlib.sha256).hex()
    except UnicodeEncodeError:  # half a surrogate pair in JSON
        raise Refused("web.proof_wrong") from None
    if not hmac.compare_digest(given.encode("utf-8", "replace"), right.encode()):
        raise Refused("web.proof_wrong")
    return fields | {"hash": right}


def _proof(fields: Mapping[str, str], user_id: str, now: datetime) -> Proof:
    signed_at = fields.get("auth_date", "")
    if not _is_number(user_id) or not _is_number(signed_at) or len(signed_at) > len("9999999999"):
        raise Refused("web.proof_wrong")
    at = datetime.fromtimestamp(int(signed_at), UTC)
    if not at - SKEW <= now <= at + LIFE:
        raise Refused("web.proof_old")
    return Proof(user_id, fields["hash"], at + LIFE)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID

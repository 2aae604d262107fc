"""The id token of Telegram's login for websites (OpenID Connect): checked by the issuer's published keys, for us, fresh, and for this login.

Pure: no clock, no network. Who may come in with it is domain/accounts.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from core.errors import Refused

LIFE = timedelta(minutes=10)
SKEW = timedelta(minutes=1)
LONGEST = 8000
LONGEST_ID = 18  # digits
LEAST_BITS, MOST_BITS = 2048, 8192
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

Keys = Sequence[Mapping[str, object]]


class UnknownKey(Exception):
    """None of the keys is the one that the token names: the issuer may have a newer one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say: who made it, for whom, and for which login."""

    issuer: str
    audience: str
    nonce: str


def user_of(token: str, keys: Keys, expected: Expected, *, now: datetime) -> str:
    """The user's id on Telegram. Refused for whatever is not exactly right; UnknownKey where other keys may know it."""
    head, claims, signed, signature = _parts(token)
    check = ALGORITHMS.get(str(head.get("alg", "")))
    if check is None or "crit" in head:
        raise Refused("web.proof_wrong")
    kind, verify = check
    key = _key(keys, head, kind)
    if not verify(key, signature, signed):
        raise Refused("web.proof_wrong")
    _check(claims, expected, now)
    user = claims.get("id")
    text = str(user) if isinstance(user, int | str) and not isinstance(user, bool) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID) or not claims.get("sub"):
        raise Refused("web.proof_wrong")
    return text


def _parts(token: str) -> tuple[Mapping[str, object], Mapping[str, object], bytes, bytes]:
    """Header, claims, what is signed, and the signature."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        raise Refused("web.proof_wrong")
    return _object(parts[0]), _object(parts[1]), f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2])


def _bytes(text: object) -> bytes:
    """Base64 of an address, without its padding, in the one way to write it."""
    if not isinstance(text, str) or not text or not LETTERS.issuperset(text):
        raise Refused("web.proof_wrong")
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Refused("web.proof_wrong") from None
    if base64.urlsafe_b64encode(found).decode().rstrip("=") != text:
        raise Refused("web.proof_wrong")
    return found


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(_bytes(text))
    except (ValueError, RecursionError):
        raise Refused("web.proof_wrong") from None
    if not isinstance(found, dict):
        raise Refused("web.proof_wrong")
    return found


def _key(keys: Keys, head: Mapping[str, object], kind: str) -> Mapping[str, object]:
    """The one that is named; without a name the only one of its kind."""
    fitting = [key for key in keys if key.get("kty") == kind and key.get("use", "sig") == "sig"]
    fitting = [key for key in fitting if key.get("alg", head.get("alg")) == head.get("alg")]
    if "kid" in head:
        fitting = [key for key in fitting if key.get("kid") == head["kid"]]
    if not fitting:
        raise UnknownKey
    if len(fitting) > 1:
        raise Refused("web.proof_wrong")
    return fitting[0]


def _is_rsa(key: Mapping[str, object], signature: bytes, signed: bytes) -> bool:
    modulus, exponent = (int.from_bytes(_bytes(key.get(name))) for name in ("n", "e"))
    if not LEAST_BITS <= modulus.bit_length() <= MOST_BITS:
        return False
    try:
        rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_elliptic(key: Mapping[str, object], signature: bytes, signed: bytes) -> bool:
    x, y = (int.from_bytes(_bytes(key.get(name))) for name in ("x", "y"))
    if key.get("crv") != "P-256" or len(signature) != 64:
        return False
    both = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(both, signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


# Only these: "none" and whatever shares a secret would let anybody sign.
ALGORITHMS: dict[str, tuple[str, Callable[[Mapping[str, object], bytes, bytes], bool]]] = {
    "RS256": ("RSA", _is_rsa),
    "ES256": ("EC", _is_elliptic),
}


def _check(claims: Mapping[str, object], expected: Expected, now: datetime) -> None:
    audience = claims.get("aud")
    for_whom = audience if isinstance(audience, list) else [audience]
    nonce = claims.get("nonce")
    is_ours = [str(one) for one in for_whom] == [expected.audience] and claims.get("iss") == expected.issuer
    if not is_ours or not isinstance(nonce, str):
        raise Refused("web.proof_wrong")
    if not hmac.compare_digest(nonce.encode("utf-8", "replace"), expected.nonce.encode()):
        raise Refused("web.proof_wrong")
    made_at, ends_at = _moment(claims.get("iat")), _moment(claims.get("exp"))
    if not (made_at - SKEW <= now <= made_at + LIFE and now < ends_at + SKEW):
        raise Refused("web.proof_old")


def _moment(value: object) -> datetime:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 10**10:
        raise Refused("web.proof_wrong")
    return datetime.fromtimestamp(value, UTC)

"""Signs what Telegram's login page and its Mini Apps hand over, as Telegram does, for tests of the sign-in."""

import hashlib
import hmac
from urllib.parse import urlencode

TOKEN = "123456:TEST-TOKEN"


def signed_login(fields: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return fields | {"hash": hmac.digest(hashlib.sha256(token.encode()).digest(), text.encode(), "sha256").hex()}


def signed_mini_app(fields: dict[str, str], token: str = TOKEN) -> str:
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = hmac.digest(b"WebAppData", token.encode(), "sha256")
    return urlencode(fields | {"hash": hmac.digest(secret, text.encode(), "sha256").hex()})

"""The id token of Telegram's newer login: taken only when every part of it is right. With the vectors of RFC 7515."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Refused
from tests.emulators.telegram_login import encoded, published, signed
from web import telegram_token
from web.telegram_token import Expected, UnknownKey, user_of

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
EXPECTED = Expected("https://oauth.telegram.org", "123456", "a-nonce-of-this-login")
CLAIMS = {
    "iss": "https://oauth.telegram.org",
    "aud": "123456",
    "sub": "s1",
    "id": 42,
    "iat": AT,
    "exp": AT + 3600,
    "nonce": "a-nonce-of-this-login",
}
KEYS = [published("first"), published("second")]
# RFC 7515, appendices A.2 and A.3: the same claims by two algorithms.
PAYLOAD = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
RSA_KEY = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_"
    "YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3q"
    "Co5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
}
RSA_SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYN"
    "X4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOP"
    "qvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
EC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
EC_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
VECTORS = [("eyJhbGciOiJSUzI1NiJ9", RSA_KEY, RSA_SIGNATURE), ("eyJhbGciOiJFUzI1NiJ9", EC_KEY, EC_SIGNATURE)]


def refusal(work: Callable[[], str]) -> str:
    """Why it was not taken; empty when it was."""
    try:
        work()
    except Refused as refused:
        return refused.key
    except UnknownKey:
        return "unknown key"
    return ""


def judged(token: str) -> str:
    return refusal(lambda: user_of(token, KEYS, EXPECTED, now=NOW))


@pytest.mark.parametrize(("head", "key", "signature"), VECTORS)
def test_signatures_of_the_standard_hold_and_fall_with_any_bit(
    head: str, key: dict[str, str], signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their claims are of another login: what is refused after the signature shows that it held."""
    reached: list[object] = []
    monkeypatch.setattr(telegram_token, "_check", lambda claims, *_: reached.append(claims["iss"]))
    good = f"{head}.{PAYLOAD}.{signature}"
    assert refusal(lambda: user_of(good, [key], EXPECTED, now=NOW)) == "web.proof_wrong"
    assert reached == ["joe"]
    body = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    for place in range(0, len(body), 7):
        body[place] ^= 1
        wrong = f"{head}.{PAYLOAD}.{encoded(bytes(body))}"
        assert refusal(lambda: user_of(wrong, [key], EXPECTED, now=NOW)) == "web.proof_wrong"  # noqa: B023 - called at once
        body[place] ^= 1
    other = f"{head}.{PAYLOAD.replace('qb2Ui', 'qb2Vi')}.{signature}"
    assert refusal(lambda: user_of(other, [key], EXPECTED, now=NOW)) == "web.proof_wrong"
    assert reached == ["joe"]


def test_token_that_is_right_tells_the_user() -> None:
    for name in ("first", "second"):
        assert user_of(signed(CLAIMS, name), KEYS, EXPECTED, now=NOW) == "42"
    assert user_of(signed(CLAIMS | {"id": "42", "aud": ["123456"]}, "first"), KEYS, EXPECTED, now=NOW) == "42"
    assert user_of(signed(CLAIMS, "first", kid="first"), [published("first")], EXPECTED, now=NOW) == "42"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://oauth.telegram.org/"},
        {"iss": None},
        {"aud": "654321"},
        {"aud": ["123456", "654321"]},
        {"aud": []},
        {"aud": None},
        {"nonce": "of-another-login"},
        {"nonce": None},
        {"nonce": ["a-nonce-of-this-login"]},
        {"id": None},
        {"id": True},
        {"id": "42a"},
        {"id": "٤٢"},
        {"id": -42},
        {"id": 4.2},
        {"id": 10**20},
        {"sub": ""},
        {"iat": None},
        {"iat": "soon"},
        {"exp": None},
        {"exp": 10**12},
        {"exp": True},
    ],
)
def test_claims_that_are_not_of_this_login_are_refused(change: dict[str, object]) -> None:
    assert judged(signed(CLAIMS | change, "first")) == "web.proof_wrong"


@pytest.mark.parametrize(
    ("made", "ends", "expected"),
    [
        (0, 3600, ""),
        (-599, 1, ""),
        (-599, -59, ""),
        (59, 3600, ""),
        (-601, 3600, "web.proof_old"),
        (61, 3600, "web.proof_old"),
        (-100, -60, "web.proof_old"),
    ],
)
def test_token_lives_ten_minutes_and_no_longer_than_it_says(made: int, ends: int, expected: str) -> None:
    assert judged(signed(CLAIMS | {"iat": AT + made, "exp": AT + ends}, "first")) == expected


def test_header_decides_nothing_that_is_not_ours() -> None:
    """No algorithm without a key, none with a shared secret, no key of another kind, nothing critical that we do not know."""
    good = signed(CLAIMS, "first")
    head, claims, signature = good.split(".")

    def with_head(**changes: object) -> str:
        new = json.loads(base64.urlsafe_b64decode(head + "==")) | changes
        return f"{encoded(json.dumps(new).encode())}.{claims}.{signature}"

    for changes in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "RS512"}, {"alg": None}, {"crit": ["exp"]}):
        assert judged(with_head(**changes)) == "web.proof_wrong"
    assert judged(with_head(typ="other")) == "web.proof_wrong", "the header is signed too"
    assert judged(signed(CLAIMS, "third")) == "unknown key"
    assert judged(with_head(alg="ES256")) == "unknown key"
    assert judged(signed(CLAIMS, "second", kid="first")) == "web.proof_wrong"
    both = [{**KEYS[0], "kid": "same"}, {**KEYS[1], "kid": "same"}]
    assert refusal(lambda: user_of(signed(CLAIMS, "first", kid="same"), both, EXPECTED, now=NOW)) == "web.proof_wrong"
    for key in ({**KEYS[0], "use": "enc"}, {**KEYS[0], "alg": "RS512"}):
        assert refusal(lambda: user_of(good, [key], EXPECTED, now=NOW)) == "unknown key"  # noqa: B023 - called at once
    weak = {**KEYS[0], "n": encoded(bytes([255] * 128))}
    assert refusal(lambda: user_of(good, [weak], EXPECTED, now=NOW)) == "web.proof_wrong"


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c.d", "....", "é.é.é", "e30.e30.", "W10.e30.AA", "e30.W10.AA", "x" * 9000]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert judged(token) == "web.proof_wrong"


def test_token_cut_short_padded_or_written_otherwise_is_refused() -> None:
    good = signed(CLAIMS, "first")
    head, claims, signature = good.split(".")
    deep = encoded(b"[" * 5000)
    for wrong in (
        good[:-1],
        f"{good}=",
        f"{good}A",
        f"{head}=.{claims}.{signature}",
        f"{deep}.{claims}.{signature}",
        f" {good}",
    ):
        assert judged(wrong) == "web.proof_wrong"
    # The last letter of a signature has bits that say nothing: one way to write it is enough.
    assert len({judged(f"{good[:-1]}{letter}") for letter in "AQgw"}) <= 2
    assert timedelta(minutes=10) == telegram_token.LIFE

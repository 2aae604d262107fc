"""What Telegram signs is believed; whatever was changed, cut otherwise, signed by another bot or kept too long is not."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from tests.web.telegram_signer import TOKEN, signed_login, signed_mini_app
from web import telegram_proof as proofs
from web.telegram_proof import LIFE, SKEW, Proof

SIGNED_AT = datetime.fromtimestamp(1_700_000_000, UTC)
# Both signatures agree with those that another library makes of the same fields.
MINI_APP = {
    "auth_date": "1700000000",
    "query_id": "AAF1",
    "start_param": "case-42",
    "user": '{"id":42,"first_name":"测试"}',
}
MINI_APP_HASH = "542df584aed669d922a647f1b9a0b6d43ad5e2ace0a67c499e64bb75339b1653"
LOGIN = {"id": "42", "first_name": "测试", "username": "u42", "auth_date": "1700000000"}
LOGIN_HASH = "6b48f01de0fd7c026a775dc2910c1603f298b43bb997ccac0ff56cf3817ee0ed"


def as_result(fields: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields, ensure_ascii=False).encode()).decode().rstrip("=")


def refusal_of_query(query: str, *, token: str = TOKEN, now: datetime = SIGNED_AT) -> str:
    with pytest.raises(Refused) as caught:
        proofs.of_query(query, token=token, now=now)
    return caught.value.key


def refusal_of_init_data(init_data: str, *, token: str = TOKEN, now: datetime = SIGNED_AT) -> str:
    with pytest.raises(Refused) as caught:
        proofs.of_init_data(init_data, token=token, now=now)
    return caught.value.key


def test_a_login_is_believed_in_each_of_its_forms() -> None:
    right = Proof("42", LOGIN_HASH, SIGNED_AT + LIFE)
    numbers = LOGIN | {"id": 42, "auth_date": 1_700_000_000, "hash": LOGIN_HASH}
    assert proofs.of_query(urlencode(LOGIN | {"hash": LOGIN_HASH}), token=TOKEN, now=SIGNED_AT) == right
    assert proofs.of_result(as_result(numbers), token=TOKEN, now=SIGNED_AT) == right
    plain = base64.b64encode(json.dumps(numbers, ensure_ascii=False).encode()).decode()
    assert proofs.of_result(plain.replace("+", " "), token=TOKEN, now=SIGNED_AT) == right  # as an address decodes it


def test_a_mini_app_is_believed() -> None:
    init_data = urlencode(MINI_APP | {"hash": MINI_APP_HASH})
    assert proofs.of_init_data(init_data, token=TOKEN, now=SIGNED_AT) == Proof("42", MINI_APP_HASH, SIGNED_AT + LIFE)
    assert signed_mini_app(MINI_APP) == init_data
    # `signature`, for third parties, is among what is signed.
    more = signed_mini_app(MINI_APP | {"signature": "abc_-"})
    assert proofs.of_init_data(more, token=TOKEN, now=SIGNED_AT).user_id == "42"


def test_one_kind_is_no_proof_of_the_other() -> None:
    assert refusal_of_init_data(urlencode(signed_login(MINI_APP))) == "web.proof_wrong"
    assert refusal_of_query(signed_mini_app(LOGIN)) == "web.proof_wrong"


@pytest.mark.parametrize("token", ["123456:OTHER-TOKEN", "", "123457:TEST-TOKEN"])
def test_another_bots_signature_is_refused(token: str) -> None:
    assert refusal_of_query(urlencode(LOGIN | {"hash": LOGIN_HASH}), token=token) == "web.proof_wrong"
    assert refusal_of_init_data(urlencode(MINI_APP | {"hash": MINI_APP_HASH}), token=token) == "web.proof_wrong"


@pytest.mark.parametrize("name", sorted(LOGIN))
def test_a_login_with_a_field_changed_missing_or_twice_is_refused(name: str) -> None:
    whole = LOGIN | {"hash": LOGIN_HASH}
    assert refusal_of_query(urlencode(whole | {name: "7"})) == "web.proof_wrong"
    assert refusal_of_query(urlencode({key: whole[key] for key in whole if key != name})) == "web.proof_wrong"
    assert refusal_of_query(urlencode([*whole.items(), (name, LOGIN[name])])) == "web.proof_wrong"


@pytest.mark.parametrize("more", [{"role": "administrator"}, {"photo_url": ""}, {"": ""}])
def test_a_field_that_was_not_signed_is_refused(more: dict[str, str]) -> None:
    assert refusal_of_query(urlencode(LOGIN | {"hash": LOGIN_HASH} | more)) == "web.proof_wrong"
    assert refusal_of_init_data(urlencode(MINI_APP | {"hash": MINI_APP_HASH} | more)) == "web.proof_wrong"


@pytest.mark.parametrize("wrong", ["", "测试", LOGIN_HASH.upper(), LOGIN_HASH[:-1], LOGIN_HASH + "0"])
def test_a_wrong_signature_is_refused(wrong: str) -> None:
    assert refusal_of_query(urlencode(LOGIN | {"hash": wrong})) == "web.proof_wrong"
    assert refusal_of_query(urlencode(LOGIN)) == "web.proof_wrong"


def test_another_cut_through_the_signed_lines_is_refused() -> None:
    """Somebody whose name holds line breaks could make the fields of somebody else from their own signature."""
    mine = signed_login({"auth_date": "1700000000", "first_name": "A\nid=7\nlast_name=B", "id": "42"})
    forged = {"auth_date": "1700000000", "first_name": "A", "id": "7", "last_name": "B\nid=42", "hash": mine["hash"]}
    assert signed_login({key: forged[key] for key in forged if key != "hash"})["hash"] == mine["hash"]
    assert refusal_of_query(urlencode(forged)) == "web.proof_wrong"
    assert refusal_of_query(urlencode(mine)) == "web.proof_wrong"
    cut = {"auth_date": "1700000000", "first_name=A\nid": "42", "hash": ""}
    assert refusal_of_query(urlencode(cut)) == "web.proof_wrong"


@pytest.mark.parametrize(
    ("late", "is_good"),
    [
        (-SKEW, True),
        (-SKEW - timedelta(seconds=1), False),
        (LIFE, True),
        (LIFE + timedelta(seconds=1), False),
        (timedelta(days=365), False),
    ],
)
def test_a_proof_is_good_for_a_few_minutes(late: timedelta, is_good: bool) -> None:
    query, init_data = urlencode(LOGIN | {"hash": LOGIN_HASH}), urlencode(MINI_APP | {"hash": MINI_APP_HASH})
    now = SIGNED_AT + late
    if is_good:
        assert proofs.of_query(query, token=TOKEN, now=now).user_id == "42"
        assert proofs.of_init_data(init_data, token=TOKEN, now=now).user_id == "42"
    else:
        assert refusal_of_query(query, now=now) == "web.proof_old"
        assert refusal_of_init_data(init_data, now=now) == "web.proof_old"


@pytest.mark.parametrize("user_id", ["", "-42", "4.2", "４２", "9" * 19, "me"])
def test_a_signed_id_that_is_none_is_refused(user_id: str) -> None:
    assert refusal_of_query(urlencode(signed_login(LOGIN | {"id": user_id}))) == "web.proof_wrong"


@pytest.mark.parametrize("at", ["", "-1", "99999999999", "1e9", "now"])
def test_a_signed_moment_that_is_none_is_refused(at: str) -> None:
    assert refusal_of_query(urlencode(signed_login(LOGIN | {"auth_date": at}))) == "web.proof_wrong"


@pytest.mark.parametrize(
    "user", ["", "[]", "{}", "{", '{"id":"42"}', '{"id":true}', '{"id":-1}', '{"id":4.2}', "[" * 3000]
)
def test_a_mini_app_without_a_user_is_refused(user: str) -> None:
    assert refusal_of_init_data(signed_mini_app(MINI_APP | {"user": user})) == "web.proof_wrong"


@pytest.mark.parametrize(
    "result",
    [
        *("", "false", "bnVsbA", "e30", "W10", "测试", "===="),
        as_result({"id": 42, "hash": True}),
        as_result({"id": ["42"]}),
        base64.b64encode(b'{"id":"\\ud800","hash":"x"}').decode(),
    ],
)
def test_a_result_that_is_none_is_refused(result: str) -> None:
    """Telegram says `false` to somebody who declined."""
    with pytest.raises(Refused) as caught:
        proofs.of_result(result, token=TOKEN, now=SIGNED_AT)
    assert caught.value.key == "web.proof_wrong"


@given(st.text(max_size=300))
def test_any_text_is_refused_and_breaks_nothing(text: str) -> None:
    assert refusal_of_query(text) == refusal_of_init_data(text) == "web.proof_wrong"
    with pytest.raises(Refused):
        proofs.of_result(text, token=TOKEN, now=SIGNED_AT)

"""Keys: made once for their owner only, rotated without losing anything, and told apart from a lost or a wrong file."""

import base64
import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from core.keys import Keyring, add_key, load_or_make

PHONE = "13812345678"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "wuwei.key"


def test_key_file_is_made_once_and_for_its_owner_only(path: Path) -> None:
    sealed = load_or_make(path).seal(PHONE)
    written = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make(path).open(sealed) == PHONE
    assert path.read_bytes() == written
    assert [each.name for each in path.parent.iterdir()] == ["wuwei.key"]


@settings(deadline=None)
@given(st.text())
def test_any_text_opens_as_it_was_sealed(text: str) -> None:
    ring = Keyring([KEY])
    sealed = ring.seal(text)
    assert ring.open(sealed) == text
    assert ring.seal(text) != sealed  # nobody sees from outside that two numbers are the same


KEY = base64.urlsafe_b64encode(b"k" * 32).decode()  # a fixed one: parallel runs must collect the same tests


def test_sealed_text_does_not_show() -> None:
    assert PHONE.encode() not in Keyring([KEY]).seal(PHONE)


def test_rotation_goes_on_opening_and_finding(path: Path) -> None:
    old = load_or_make(path)
    sealed, found_by = old.seal(PHONE), old.fingerprint(PHONE)
    new = add_key(path)
    assert len(path.read_text().split()) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert (new.open(sealed), new.fingerprint(PHONE)) == (PHONE, found_by)
    assert old.open(new.seal(PHONE)) is None  # sealed with the newest


def test_resealed_text_opens_with_the_newest_key_alone(path: Path) -> None:
    sealed = load_or_make(path).seal(PHONE)
    fresh = add_key(path).reseal(sealed)
    assert fresh is not None
    newest = path.read_text().split()[0]
    assert Keyring([newest]).open(fresh) == PHONE
    assert Keyring([newest]).open(sealed) is None


def test_lost_key_is_told_by_none(path: Path) -> None:
    sealed = load_or_make(path).seal(PHONE)
    path.unlink()
    other = load_or_make(path)
    assert (other.open(sealed), other.reseal(sealed)) == (None, None)
    assert other.open(b"not sealed at all") is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "密钥文件是空的"),
        ("\n\n", "密钥文件是空的"),
        ("hello", "有一行不是密钥"),
        (f"{KEY}\nhello", "有一行不是密钥"),
    ],
)
def test_wrong_file_is_refused(path: Path, content: str, fault: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ConfigError, match=fault):
        load_or_make(path)
    assert path.read_text() == content


def test_file_that_is_no_text_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\xd8\xff a photo")
    with pytest.raises(ConfigError, match="有一行不是密钥"):
        load_or_make(path)


def test_repr_shows_no_key() -> None:
    assert repr(Keyring([KEY])) == "Keyring(***)"


def test_fingerprint_cannot_be_made_without_the_key() -> None:
    ring, other = Keyring([KEY]), Keyring([Fernet.generate_key().decode()])
    assert ring.fingerprint(PHONE) == ring.fingerprint(PHONE)
    assert ring.fingerprint(PHONE) != other.fingerprint(PHONE)
    assert ring.fingerprint(PHONE) != ring.fingerprint(PHONE[:-1])
    assert re.fullmatch(r"[0-9a-f]{64}", ring.fingerprint(PHONE))

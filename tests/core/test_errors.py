"""The family of our exceptions is as drawn, and what they say holds no secret."""

import pytest

from core import errors
from core.errors import (
    ConfigError,
    DeliveryError,
    ImportFaults,
    Migrated,
    Refused,
    Rejected,
    TryLater,
    Undeliverable,
    Unknown,
    WuweiError,
)


def test_family_is_as_drawn() -> None:
    """The tree at the head of the file names every exception there is, each under its parent."""
    drawn: dict[str, str] = {}
    parents = ["WuweiError"]
    for line in (errors.__doc__ or "").splitlines():
        if "──" not in line:
            continue
        depth = line.index("──") // 4
        name = line.split("── ")[1].split()[0]
        parents[depth:] = [name]
        drawn[name] = parents[depth - 1]
    actual = {
        each.__name__: each.__mro__[1].__name__
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, WuweiError) and each is not WuweiError
    }
    assert drawn == actual


def test_refused_carries_its_sentence() -> None:
    error = Refused("cases.not_found", number="BX-1")
    assert (error.key, error.blanks, str(error)) == ("cases.not_found", {"number": "BX-1"}, "cases.not_found")


def test_try_later_carries_its_seconds() -> None:
    error = TryLater(2.5, "flood", whole_account=True)
    assert (error.seconds, error.reason, error.whole_account) == (2.5, "flood", True)
    assert TryLater(1).whole_account is False


def test_migrated_carries_the_new_chat() -> None:
    assert Migrated("-100").new_chat_id == "-100"


@pytest.mark.parametrize("kind", [Undeliverable, Rejected, Unknown])
def test_delivery_errors_carry_a_reason(kind: type[DeliveryError]) -> None:
    assert (kind("blocked").reason, kind().reason) == ("blocked", "")


def test_faults_come_as_a_tuple_of_sentences() -> None:
    assert ConfigError(["one", "two"]).faults == ("one", "two")
    assert str(ConfigError(["one", "two"])) == "one; two"


def test_import_faults_do_not_say_their_rows_in_a_log() -> None:
    error = ImportFaults(["第 3 行：王小明的电话不对"])
    assert (error.faults, str(error)) == (("第 3 行：王小明的电话不对",), "1 faults")

"""What a form sent, read safely: trimmed words, keys, ticks and files; and the same words again for a form that comes back."""

import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from core.clock import CHINA
from core.errors import Refused

LONGEST_TEXT = 4000
# For fields whose rule says by itself how long they may be, and in its own words.
BY_RULE = 1_000_000
LONGEST_DAY = 20
TOO_LONG = "web.too_long"
LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Posted:
    """A form's fields. A field that is missing, or not what was asked for, is empty."""

    data: FormData

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """The words without blanks around them and without signs that no keyboard types. Too many are refused, never cut."""
        words = self._whole(name)
        if len(words) > longest:
            raise Refused(TOO_LONG, most=longest, count=len(words))
        return words

    def _whole(self, name: str) -> str:
        value = self.data.get(name)
        return _clean(value) if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        return [_clean(value) for value in self.data.getlist(name) if isinstance(value, str)]

    def key(self, name: str) -> int | None:
        """A row's key, or None."""
        return read_key(self._whole(name))

    def keys(self, name: str) -> list[int]:
        return [key for key in map(read_key, self.texts(name)) if key is not None]

    def is_checked(self, name: str) -> bool:
        return bool(self._whole(name))

    def moment(self, name: str) -> datetime | None:
        """A date-and-time field: the Chinese wall clock. None when it is empty; what is no time is refused."""
        return read_moment(self._whole(name))

    def day(self, name: str) -> date | None:
        """A date field. None when it is empty; a day that no calendar has is refused."""
        return read_day(self._whole(name))

    def uploads(self, name: str) -> Sequence[UploadFile]:
        """The files chosen; a field left empty sends a file without a name."""
        return [value for value in self.data.getlist(name) if isinstance(value, UploadFile) and value.filename]

    def values(self) -> dict[str, str]:
        """Every field of words as it came, so that a refused form can be shown filled again."""
        return {name: self._whole(name) for name in self.data if name != "csrf" and isinstance(self.data[name], str)}


def _clean(value: str) -> str:
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(sign for sign in lines if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs"))
    return clean.strip()


def read_key(text: str) -> int | None:
    """A row's key as it stands in forms and addresses."""
    if not (text.isascii() and text.isdecimal()):
        return None
    key = int(text) if len(text) < 20 else LARGEST_KEY + 1
    return key if key <= LARGEST_KEY else None


def read_day(text: str) -> date | None:
    """2026-11-22; None for no words at all."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("web.no_such_day", words=text[:LONGEST_DAY]) from None


def read_moment(text: str) -> datetime | None:
    """2026-11-22T09:30 by the Chinese wall clock; None for no words at all."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    except ValueError:
        raise Refused("web.no_such_moment", words=text[:LONGEST_DAY].replace("T", " ")) from None


async def posted(request: Request) -> AsyncIterator[Posted]:
    """The form of this request; its files are closed when the answer is made."""
    async with request.form() as form:
        yield Posted(form)


PostedForm = Annotated[Posted, Depends(posted)]

"""Lists that are too long for one page: which page is asked for, how many there are, and this page's own address."""

from dataclasses import dataclass

from fastapi import Request

PAGE_SIZE = 50
LAST_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class Paging:
    """Page `number`, counted from 1."""

    number: int
    address: str
    size: int = PAGE_SIZE

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def pages(self, total: int) -> int:
        return max(1, -(-total // self.size))


def paging(request: Request) -> Paging:
    """As the address says; nonsense is the first page."""
    words = request.query_params.get("page", "")
    number = int(words) if words.isascii() and words.isdecimal() and len(words) < 7 else 1
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Paging(min(max(number, 1), LAST_PAGE), address)

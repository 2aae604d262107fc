"""How a group stands that the bot is not in, as its platform tells."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group that the bot is not in, as the platform told of it at `at`.

    `owner` is the account of the member who alone can post there, empty while there is nobody; `residents` are the members from
    outside the office.
    """

    at: datetime
    owner: str = ""
    owner_name: str = ""
    members: int = 0
    residents: int = 0

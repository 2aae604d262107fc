"""Words for new members, with the link that opens the bot for their area: put where owners can choose them for their groups."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from core.ids import new_id
from core.texts import say
from storage.areas import Area
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.customer_groups import CustomerGroup, WelcomeMaterial

AGAIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words that are missing on the platform or no longer right there, and by which id the old ones are known."""

    area_id: int
    external_id: str | None
    text: str
    link: str
    digest: str


def link_for_groups(session: Session, chats: Sequence[str], channel: str, account: str, template: str) -> str:
    """The link for a post that goes to these groups: of their area, or where they have several, of their community."""
    if not template:
        return ""
    query = (
        select(Chat.area_id, Chat.community_id)
        .where(Chat.channel == channel, Chat.account == account, Chat.external_id.in_(chats))
        .distinct()
    )
    found = session.execute(query).all()
    areas = {area for area, _ in found} if len(found) == 1 else {community for _, community in found}
    (area_id,) = areas if len(areas) == 1 else (None,)
    return link_for(template, area_id) if area_id is not None else ""


def link_for(template: str, area_id: int) -> str:
    """The link that opens the private chat and tells which area somebody came from; empty where there is none."""
    return template.format(payload=f"area_{area_id}") if template else ""


def wanted(session: Session, channel: str, account: str, *, start_link: str, now: datetime) -> Wanted | None:
    """The next area whose customer groups have no words yet, or others than they should."""
    if not start_link:
        return None
    bound = (
        select(Chat.area_id)
        .join(CustomerGroup, CustomerGroup.chat_id == Chat.id)
        .where(Chat.channel == channel, Chat.account == account, Chat.state == ChatState.BOUND)
    )
    query = (
        select(Area.id, Area.name, WelcomeMaterial)
        .outerjoin(
            WelcomeMaterial,
            (WelcomeMaterial.area_id == Area.id)
            & (WelcomeMaterial.channel == channel)
            & (WelcomeMaterial.account == account),
        )
        .where(Area.id.in_(bound))
        .order_by(Area.id)
    )
    for area_id, name, row in session.execute(query):
        link = link_for(start_link, area_id)
        text = say("customer_groups.welcome", area=name, link=link)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        is_put_off = row is not None and row.due_at is not None and row.due_at > now
        if not is_put_off and (row is None or row.digest != digest):
            return Wanted(area_id, row.external_id if row else None, text, link, digest)
    return None


def mark_kept(session: Session, channel: str, account: str, found: Wanted, external_id: str) -> None:
    row = _row(session, channel, account, found.area_id)
    row.external_id, row.digest, row.due_at, row.error = external_id, found.digest, None, None
    session.flush()


def mark_failed(
    session: Session, channel: str, account: str, found: Wanted, *, reason: str, now: datetime, is_gone: bool
) -> None:
    """Tried again later; anew where the platform does not know the old ones any more."""
    row = _row(session, channel, account, found.area_id)
    row.due_at, row.error = now + AGAIN, reason
    if is_gone and row.external_id is not None:
        row.external_id, row.due_at = None, now
    session.flush()


def _row(session: Session, channel: str, account: str, area_id: int) -> WelcomeMaterial:
    query = select(WelcomeMaterial).where(
        WelcomeMaterial.channel == channel, WelcomeMaterial.account == account, WelcomeMaterial.area_id == area_id
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        row = WelcomeMaterial(id=new_id(), channel=channel, account=account, area_id=area_id)
        session.add(row)
    return row

"""The hander on the emulator: a community with two grids, groups of two owners in them, and a clock that is moved by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bot.channels.wecom.app import Corp
from bot.channels.wecom.customer_groups import CustomerGroupChannel
from bot.channels.wecom.customer_groups_reading import CHANNEL
from bot.handing import Hander
from core.groups import GroupFacts
from core.messages import ChatKind, ChatRef
from domain import announcements, chats
from domain.announcements import Announcement, AnnouncementRun
from domain.customer_groups import registry
from storage.areas import Area
from storage.chats import Chat, ChatPurpose
from storage.customer_groups import PostTask
from storage.database import Database
from storage.messages import Outbox
from tests import builders
from tests.emulators.wecom import AES_KEY, APP_SECRET, CORP, TOKEN, WeComEmulator
from tests.emulators.wecom_groups import Task

LINK = "https://work.weixin.qq.com/kfid/x?scene_param={payload}"


@dataclass
class MovedClock:
    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class HandingStage:
    """`groups` are the platform's ids by title."""

    wecom: WeComEmulator
    database: Database
    clock: MovedClock
    hander: Hander
    channel: CustomerGroupChannel
    place: builders.Place
    groups: dict[str, str]
    staff: int

    @property
    def account(self) -> str:
        return self.channel.account

    def add_group(self, title: str, owner: str, area_id: int | None) -> int:
        """A group of the platform, told of; with an area it is bound. The key of its chat."""
        self.groups[title] = self.wecom.add_group(title, owner, tells=False)
        facts = GroupFacts(self.clock.at, owner, self.wecom.world.members[owner].name if owner else "", 3, 2)
        with self.database.writing() as session:
            ref = ChatRef(self.groups[title], ChatKind.GROUP, title)
            chat = chats.find_or_make(session, CHANNEL, self.account, ref, now=self.clock.at)
            registry.note(session, chat, title, facts, now=self.clock.at)
            if area_id is not None:
                area = session.get_one(Area, area_id)
                registry.bind(session, self.place.id, chat.id, area, sees_unbound=True)
            return chat.id

    def announce(
        self, text: str = "周日停水，请储水。", title: str = "停水通知", *, areas: list[int] | None = None
    ) -> int:
        """An announcement for the areas, posted now. Its key."""
        now = self.clock.at
        with self.database.writing() as session:
            made = announcements.draft(
                session, community_id=self.place.id, title=title, text=text, area_ids=areas or [self.place.id],
                chat_ids=[], roles=[], file_ids=[], by=None, now=now,
            )  # fmt: skip
            announcements.schedule(session, made, at=now, recurrence=None, now=now)
            session.flush()
            announcements.post_due(session, now)
            return made.id

    def announcement(self, key: int) -> Announcement:
        with self.database.reading() as session:
            return session.get_one(Announcement, key)

    def run(self) -> AnnouncementRun:
        with self.database.reading() as session:
            return session.scalars(select(AnnouncementRun)).one()

    async def work(self) -> None:
        """Until nothing is due."""
        while await self.hander.work_due():
            pass

    async def pass_time(self, **span: float) -> None:
        self.clock.at += timedelta(**span)
        await self.work()

    def tasks(self) -> list[PostTask]:
        with self.database.reading() as session:
            return list(session.scalars(select(PostTask).order_by(PostTask.id)))

    def states(self) -> list[str]:
        return [task.state for task in self.tasks()]

    def rows(self) -> list[tuple[str, str, str | None]]:
        """Each post: the group, its state and why it did not come."""
        with self.database.reading() as session:
            query = select(Chat.title, Outbox.state, Outbox.error).join(Chat, Chat.id == Outbox.chat_id)
            found = session.execute(query.where(Chat.channel == CHANNEL).order_by(Outbox.id)).all()
            return [(title, state, error) for title, state, error in found]

    def told(self) -> list[str]:
        """What staff were told."""
        with self.database.reading() as session:
            return list(session.scalars(select(Outbox.text).where(Outbox.chat_id == self.staff).order_by(Outbox.id)))

    @property
    def on_platform(self) -> list[Task]:
        return self.wecom.groups.tasks


@asynccontextmanager
async def handing_stage(
    database: Database, now: datetime, folder: Path, *, link: str = ""
) -> AsyncIterator[HandingStage]:
    clock = MovedClock(now)

    def seconds() -> float:
        return clock.at.timestamp()

    async with WeComEmulator(now=seconds) as wecom:
        wecom.add_member("zhang", "张伟")
        wecom.add_member("li", "李娜")
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url)
        channel = CustomerGroupChannel(corp, start_link=lambda: link, now=seconds)
        channels = {(channel.name, channel.account): channel}
        hander = Hander(database, channels, clock, media_folder=folder)
        with database.writing() as session:
            place = builders.community(session)
            staff = builders.group(session, place, now, title="工作群", purpose=ChatPurpose.STAFF).id
        yield HandingStage(wecom, database, clock, hander, channel, place, {}, staff)
        await channel.stop()


def china(hour: int, minute: int = 0, *, day: int = 21) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)

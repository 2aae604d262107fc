"""Files come from the platform into the media folder, a few at a time; what fails is refused with a sentence or tried again."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import event, select

from bot import fetcher as fetching
from bot.fetcher import AT_ONCE, Fetcher
from core.clock import FixedClock
from core.config import MediaSettings
from core.errors import DeliveryError, Rejected, TryLater, Undeliverable, Unknown
from core.media import path_of
from core.messages import Attachment, AttachmentKind
from core.texts import say
from domain import files
from storage.chats import Chat
from storage.database import Database
from storage.messages import File, Outbox, Received
from tests.patience import PATIENCE

CASE = 7
SETTINGS = MediaSettings()
Answer = bytes | Exception | Callable[[], Awaitable[bytes]]


class FakeChannel:
    """A platform that gives out what it was told to, and counts. Only what a fetcher asks of a channel is there."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []
        self.at_once = 0
        self.most_at_once = 0

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        self.asked.append((attachment.external_id, most))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            answer = self.answers[attachment.external_id]
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, bytes) else await answer()
        finally:
            self.at_once -= 1


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


@pytest.fixture
def media_folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def make(database: Database, clock: FixedClock, media_folder: Path) -> Callable[..., Fetcher]:
    def fetcher(channel: FakeChannel, settings: MediaSettings = SETTINGS) -> Fetcher:
        return Fetcher(database, {("simulator", "bot"): channel}, clock, settings, media_folder)

    return fetcher


@pytest.fixture(autouse=True)
def a_message(database: Database, now: datetime) -> None:
    """A group, and the message 11 in it."""
    with database.writing() as session:
        session.add(
            Chat(
                id=1, channel="simulator", account="bot", external_id="g1", kind="group", state="bound", created_at=now
            )
        )
        session.add(
            Received(
                id=11,
                channel="simulator",
                account="bot",
                external_id="11",
                kind="message",
                chat_id=1,
                message_id="m11",
                sent_at=now,
                received_at=now,
            )
        )


def want(database: Database, now: datetime, *names: str, size: int | None = None, account: str = "bot") -> None:
    with database.writing() as session:
        for name in names:
            files.want(
                session,
                Attachment(AttachmentKind.PHOTO, name, size),
                channel="simulator",
                account=account,
                community_id=1,
                received_id=11,
                case_id=CASE,
                now=now,
            )


def states(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return {row.external_id: row.state for row in files.of_case(session, CASE)}


def only(database: Database) -> File:
    with database.reading() as session:
        (row,) = files.of_case(session, CASE)
        return row


def answers(database: Database) -> list[tuple[str, str | None]]:
    with database.reading() as session:
        return [(row.text, row.reply_to) for row in session.scalars(select(Outbox).order_by(Outbox.id))]


def photo(size: tuple[int, int] = (60, 40), format: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "gray").save(out, format)
    return out.getvalue()


@asynccontextmanager
async def running(fetcher: Fetcher) -> AsyncIterator[None]:
    task = asyncio.create_task(fetcher.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


async def test_wanted_photo_ends_in_the_media_folder(
    make: Callable[..., Fetcher], database: Database, now: datetime, media_folder: Path
) -> None:
    want(database, now, "p1")
    channel = FakeChannel(p1=photo())
    assert await make(channel).fetch_due() == 1
    row = only(database)
    assert row.sha256 is not None
    lies = path_of(media_folder, row.sha256).read_bytes()
    with Image.open(io.BytesIO(lies)) as found:
        assert (found.format, found.size) == ("JPEG", (60, 40))
    assert (row.state, row.media_type, row.size) == ("stored", "image/jpeg", len(lies))
    assert channel.asked == [("p1", 20 * 1024 * 1024)]
    assert answers(database) == []


async def test_photo_of_twenty_megabytes_is_stored_and_a_larger_one_refused(
    make: Callable[..., Fetcher], database: Database, now: datetime, media_folder: Path
) -> None:
    most = 20 * 1024 * 1024
    # Telephones put the full photo and then other things (a film, a depth map) into one file.
    full = photo((4000, 3000)).ljust(most, b"\0")
    want(database, now, "full", "over")
    assert await make(FakeChannel(full=full, over=full + b"\0")).fetch_due() == 2
    assert states(database) == {"full": "stored", "over": "refused"}
    assert answers(database) == [(say("files.too_large", most="20"), "m11")]
    (lies,) = (path for path in media_folder.rglob("*") if path.is_file())
    assert lies.stat().st_size < 1024 * 1024


async def test_photo_known_to_be_too_large_is_not_even_asked_for(
    make: Callable[..., Fetcher], database: Database, now: datetime
) -> None:
    want(database, now, "p1", size=20 * 1024 * 1024 + 1)
    channel = FakeChannel(p1=photo())
    assert await make(channel).fetch_due() == 1
    assert (only(database).state, channel.asked) == ("refused", [])
    assert answers(database) == [(say("files.too_large", most="20"), "m11")]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (photo()[:300], "files.broken_picture"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "files.broken_picture"),
        (b"", "files.empty"),
        (b"<svg onload='alert(1)'/>", "files.dangerous"),
        (b"%PDF-1.7", "files.not_a_photo"),
    ],
)
async def test_bad_photo_is_refused_and_its_sender_told_what_to_do(
    make: Callable[..., Fetcher], database: Database, now: datetime, media_folder: Path, data: bytes, key: str
) -> None:
    want(database, now, "p1")
    assert await make(FakeChannel(p1=data)).fetch_due() == 1
    assert (only(database).state, only(database).reason) == ("refused", say(key))
    assert answers(database) == [(say(key), "m11")]
    assert not media_folder.exists()


async def test_photo_with_too_many_pixels_is_refused(
    make: Callable[..., Fetcher], database: Database, now: datetime
) -> None:
    want(database, now, "p1")
    fetcher = make(FakeChannel(p1=photo((200, 101))), MediaSettings(largest_pixels=20_000))
    assert await fetcher.fetch_due() == 1
    assert answers(database) == [(say("files.too_many_pixels", most=2), "m11")]


@pytest.mark.parametrize("error", [Rejected("gone"), Undeliverable("kicked")])
async def test_file_the_platform_will_not_give_is_refused(
    make: Callable[..., Fetcher], database: Database, now: datetime, error: DeliveryError
) -> None:
    want(database, now, "p1")
    assert await make(FakeChannel(p1=error)).fetch_due() == 1
    assert only(database).state == "refused"
    assert answers(database) == [(say("files.rejected", most="20"), "m11")]


@pytest.mark.parametrize(
    ("error", "seconds"), [(TryLater(40), 40), (TryLater(1), 5), (Unknown("cut off"), 5), (TimeoutError(), 5)]
)
async def test_file_out_of_reach_is_fetched_later(
    make: Callable[..., Fetcher], database: Database, clock: FixedClock, error: Exception, seconds: int
) -> None:
    want(database, clock.now(), "p1")
    channel = FakeChannel(p1=error)
    fetcher = make(channel)
    assert await fetcher.fetch_due() == 1
    assert (only(database).state, only(database).due_at) == ("wanted", clock.now() + timedelta(seconds=seconds))
    assert await fetcher.fetch_due() == 0
    channel.answers["p1"] = photo()
    clock.advance(timedelta(seconds=seconds))
    assert await fetcher.fetch_due() == 1
    assert only(database).state == "stored"
    assert answers(database) == []


async def test_file_of_a_channel_that_is_not_set_up_waits(
    make: Callable[..., Fetcher], database: Database, now: datetime
) -> None:
    want(database, now, "p1", account="another")
    assert await make(FakeChannel()).fetch_due() == 1
    assert (only(database).state, only(database).due_at) == ("wanted", now + timedelta(seconds=60))


async def test_download_that_hangs_is_cut_off_and_tried_later(
    make: Callable[..., Fetcher], database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    monkeypatch.setattr(fetching, "DOWNLOAD_SECONDS", 0.05)
    want(database, now, "p1")
    assert await make(FakeChannel(p1=never)).fetch_due() == 1
    assert (only(database).state, only(database).attempts) == ("wanted", 1)


async def test_poisonous_file_keeps_nobody_from_coming_and_is_tried_again_after_its_lease(
    make: Callable[..., Fetcher], database: Database, clock: FixedClock
) -> None:
    want(database, clock.now(), "p1", "p2")
    channel = FakeChannel(p1=ZeroDivisionError("a bug"), p2=photo())
    fetcher = make(channel)
    assert await fetcher.fetch_due() == 2
    assert states(database) == {"p1": "wanted", "p2": "stored"}
    assert await fetcher.fetch_due() == 0
    clock.advance(timedelta(seconds=fetching.LEASE_SECONDS))
    channel.answers["p1"] = photo()
    assert await fetcher.fetch_due() == 1
    assert states(database) == {"p1": "stored", "p2": "stored"}


async def test_folder_that_cannot_be_written_loses_nothing(
    make: Callable[..., Fetcher], database: Database, clock: FixedClock, media_folder: Path
) -> None:
    media_folder.write_text("a file where the folder should be")
    want(database, clock.now(), "p1")
    fetcher = make(FakeChannel(p1=photo()))
    assert await fetcher.fetch_due() == 1
    assert (only(database).state, answers(database)) == ("wanted", [])
    media_folder.unlink()
    clock.advance(timedelta(seconds=fetching.LEASE_SECONDS))
    assert await fetcher.fetch_due() == 1
    assert only(database).state == "stored"


async def test_at_most_four_are_fetched_at_once(
    make: Callable[..., Fetcher], database: Database, now: datetime
) -> None:
    gate = asyncio.Event()

    async def behind_gate() -> bytes:
        await gate.wait()
        return photo()

    names = [f"p{number}" for number in range(6)]
    want(database, now, *names)
    channel = FakeChannel(**dict.fromkeys(names, behind_gate))
    fetching_all = asyncio.create_task(make(channel).fetch_due())
    await until(lambda: channel.at_once == AT_ONCE)
    await asyncio.sleep(0.05)
    assert len(channel.asked) == AT_ONCE
    gate.set()
    assert await fetching_all == 6
    assert (channel.most_at_once, set(states(database).values())) == (AT_ONCE, {"stored"})


async def test_new_file_does_not_wait_for_a_slow_one(
    make: Callable[..., Fetcher], database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FILL_SECONDS", 0.02)
    gate = asyncio.Event()

    async def slow() -> bytes:
        await gate.wait()
        return photo()

    want(database, now, "slow")
    channel = FakeChannel(slow=slow, quick=photo())
    fetching_all = asyncio.create_task(make(channel).fetch_due())
    await until(lambda: channel.at_once == 1)
    want(database, now, "quick")
    await until(lambda: states(database)["quick"] == "stored")
    assert states(database)["slow"] == "wanted"
    gate.set()
    assert await fetching_all == 2


async def test_loop_fetches_what_it_is_woken_for(
    make: Callable[..., Fetcher], database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "IDLE_SECONDS", 3600)
    channel = FakeChannel(p1=photo(), p2=photo())
    fetcher = make(channel)
    async with running(fetcher):
        for name in ("p1", "p2"):
            want(database, now, name)
            fetcher.wake()
            await until(lambda name=name: states(database)[name] == "stored")  # type: ignore[misc]


async def test_loop_notices_by_itself_what_became_due(
    make: Callable[..., Fetcher], database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "IDLE_SECONDS", 0.02)
    want(database, clock.now(), "p1")
    channel = FakeChannel(p1=TryLater(30))
    async with running(make(channel)):
        await until(lambda: only(database).attempts == 1 and only(database).lease_until is None)
        channel.answers["p1"] = photo()
        clock.advance(timedelta(seconds=30))
        await until(lambda: only(database).state == "stored")


async def test_loop_outlives_a_database_that_is_away(
    make: Callable[..., Fetcher], database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "IDLE_SECONDS", 0.02)
    failures = []

    def fail(*_: object) -> None:
        failures.append(1)
        raise OSError("away")

    event.listen(database.engine, "before_cursor_execute", fail)
    fetcher = make(FakeChannel(p1=photo()))
    async with running(fetcher):
        await until(lambda: len(failures) >= 1)
        event.remove(database.engine, "before_cursor_execute", fail)
        want(database, now, "p1")
        await until(lambda: only(database).state == "stored")


async def test_stopping_in_mid_download_leaves_the_file_for_the_next_start(
    make: Callable[..., Fetcher], database: Database, clock: FixedClock
) -> None:
    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    want(database, clock.now(), "p1")
    channel = FakeChannel(p1=never)
    async with running(make(channel)):
        await until(lambda: channel.at_once == 1)
    assert (channel.at_once, only(database).state) == (0, "wanted")
    clock.advance(timedelta(seconds=fetching.LEASE_SECONDS))
    assert await make(FakeChannel(p1=photo())).fetch_due() == 1
    assert only(database).state == "stored"

"""A bad backup changes nothing; what was restored repeats no number and no notice, and lets nobody in by an old door."""

import io
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.app import open_database
from bot.backup import backup
from bot.restore import restore
from core.config import DatabaseSettings, Settings
from core.errors import ConfigError
from core.messages import Kind, OutgoingAction
from domain import accounts, due, numbers, outbox, restoring, sealing
from storage.access import AuditEntry, SignInLink, WebSession
from storage.announcements import Announcement, AnnouncementRun, AnnouncementState
from storage.base import Session
from storage.cases import Case
from storage.database import Database
from storage.messages import Outbox, OutboxState
from storage.people import Person
from tests import builders
from tests.bot.backup_stage import (
    LATER,
    NOW,
    PHOTO_NAME,
    bring_key,
    installation,
    members,
    other,
    restored,
    settings_in,
)
from tests.fixtures import start_anew


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def database(settings: Settings, sqlite_template: Path) -> Iterator[Database]:
    start_anew(sqlite_template, settings.data_folder)
    with installation(settings) as made:
        yield made


def test_restore_gives_no_number_twice(database: Database, settings: Settings, tmp_path: Path) -> None:
    target, report = restored(database, settings, tmp_path)
    given: list[str] = []
    with database.writing() as session:  # what went on after the backup was made, and is lost
        community_id = session.scalars(select(Case.community_id)).first() or 0
        given += session.scalars(select(Case.number))
        given += [
            numbers.next_number(session, community_id, prefix, now=LATER) for prefix in ("BX", "XY") for _ in range(40)
        ]
    again = open_database(target)
    with again.writing() as session:
        fresh = [numbers.next_number(session, community_id, prefix, now=LATER) for prefix in ("BX", "XY", "TS")]
    again.close()
    assert fresh == ["BX-20261121-1002", "XY-20261121-1001", "TS-20261121-1001"]
    assert set(fresh) & set(given) == set()
    assert report.restored.ahead == restoring.AHEAD


def test_restore_holds_what_was_not_sent(database: Database, settings: Settings, tmp_path: Path) -> None:
    def queue(session: Session) -> None:
        chat = builders.group(session, builders.community(session, "光明社区"), NOW)
        outbox.post(session, chat, "queued", now=NOW)
        outbox.post(session, chat, "later", now=NOW, due_at=LATER + timedelta(days=2))
        sending = builders.posted(session, chat, "sending", now=NOW)
        sending.state, sending.lease_until = OutboxState.SENDING, NOW + timedelta(minutes=1)
        sent = builders.posted(session, chat, "sent", now=NOW)
        sent.state = OutboxState.SENT
        press = builders.posted(session, chat, "press", now=NOW)
        press.action = OutgoingAction.ANSWER_PRESS
        session.flush()

    target, report = restored(database, settings, tmp_path, queue)
    again = open_database(target)
    with again.reading() as session:
        texts = select(Outbox.text, Outbox.state, Outbox.error, Outbox.lease_until)
        found = {text: (state, error, lease) for text, state, error, lease in session.execute(texts)}
        states = set(session.scalars(select(Outbox.state)))
        held = session.scalar(select(func.count()).where(Outbox.state == OutboxState.HELD))
    again.close()
    assert {name: found[name] for name in ("queued", "later", "sending", "sent", "press")} == {
        "queued": ("held", "restored", None),
        "later": ("held", "restored", None),
        "sending": ("held", "restored", None),
        "sent": ("sent", None, None),
        "press": ("dropped", "restored", None),
    }
    assert states == {"held", "sent", "dropped"}
    assert report.restored.held == held


def test_restore_says_nothing_that_fell_due_meanwhile(database: Database, settings: Settings, tmp_path: Path) -> None:
    """A case's reminders since the backup may have gone out; the case goes on, its notices are held for a look."""
    long_after = NOW + timedelta(days=30)
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    target = other(tmp_path)
    bring_key(settings, target)
    restore(target, tmp_path / "b.tar", now=long_after)
    again = open_database(target)
    with again.writing() as session:
        assert session.scalars(select(Outbox).where(Outbox.state == OutboxState.QUEUED)).all() == []
        assert session.scalar(select(func.count()).where(Outbox.state == OutboxState.HELD)) != 0
        assert due.run_due(session, now=long_after) == 0
    again.close()


def test_restore_moves_announcements_to_the_future(database: Database, settings: Settings, tmp_path: Path) -> None:
    def schedule(session: Session) -> None:
        community_id = builders.community(session, "光明社区").id
        for title, rule, due_at in (
            ("每天", "每天 18:00", NOW + timedelta(hours=8)),
            ("一次", None, NOW + timedelta(hours=1)),
            ("将来", None, LATER + timedelta(days=1)),
        ):
            session.add(
                Announcement(
                    community_id=community_id,
                    title=title,
                    text=title,
                    recurrence=rule,
                    state=AnnouncementState.SCHEDULED,
                    next_due_at=due_at,
                    created_at=NOW,
                )
            )

    target, report = restored(database, settings, tmp_path, schedule)
    again = open_database(target)
    with again.reading() as session:
        plan = select(Announcement.title, Announcement.state, Announcement.next_due_at)
        found = {title: (state, due_at) for title, state, due_at in session.execute(plan)}
        runs = session.scalars(select(AnnouncementRun)).all()
    again.close()
    assert found == {
        "每天": ("scheduled", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        "一次": ("done", None),
        "将来": ("scheduled", LATER + timedelta(days=1)),
    }
    assert runs == []
    assert report.restored.announcements == 2


def test_restore_lets_nobody_in_by_an_old_door(database: Database, settings: Settings, tmp_path: Path) -> None:
    def come_in(session: Session) -> None:
        (admin,) = session.scalars(select(Person).where(Person.name == "周倩"))
        token = accounts.make_link(session, admin.id, now=NOW, life=timedelta(days=2))
        session.flush()
        accounts.spend_link(session, token, now=NOW, life=timedelta(days=2))
        accounts.make_link(session, admin.id, now=NOW, life=timedelta(days=2))

    target, _ = restored(database, settings, tmp_path, come_in)
    again = open_database(target)
    with again.reading() as session:
        assert session.scalars(select(WebSession).where(WebSession.revoked_at.is_(None))).all() == []
        assert session.scalars(select(SignInLink).where(SignInLink.used_at.is_(None))).all() == []
    again.close()


def test_restore_is_written_down(database: Database, settings: Settings, tmp_path: Path) -> None:
    target, report = restored(database, settings, tmp_path)
    again = open_database(target)
    with again.reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "backup.restore"))
    again.close()
    figures = {"held": report.restored.held, "announcements": 0, "ahead": 1000}
    assert (entry.at, entry.detail) == (LATER, {"made_at": NOW.isoformat(), **figures})


def test_restore_refuses_a_folder_with_data_unless_told(database: Database, settings: Settings, tmp_path: Path) -> None:
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    database.close()
    with pytest.raises(ConfigError, match="不是空的"):
        restore(settings, tmp_path / "b.tar", now=LATER)
    report = restore(settings, tmp_path / "b.tar", now=LATER, is_forced=True)
    assert report.aside is not None
    assert sorted(path.name for path in report.aside.iterdir()) == ["media", "wuwei.sqlite3"]
    assert report.aside.parent == settings.data_folder
    assert report.sealed.lost == 0  # the key stayed where it was
    # A second time: what lies aside already stays where it is.
    second = restore(settings, tmp_path / "b.tar", now=LATER + timedelta(hours=1), is_forced=True)
    assert second.aside is not None
    assert report.aside.is_dir()


def test_restore_refuses_while_the_program_runs(database: Database, settings: Settings, tmp_path: Path) -> None:
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    assert database.is_alive()
    with pytest.raises(ConfigError, match="程序还在运行"):
        restore(settings, tmp_path / "b.tar", now=LATER, is_forced=True)


def test_restore_without_the_key_says_what_is_lost(database: Database, settings: Settings, tmp_path: Path) -> None:
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    report = restore(other(tmp_path), tmp_path / "b.tar", now=LATER)
    assert report.sealed == sealing.Sealed(open=0, lost=1)


def tampered(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    found = members(source)
    change(found)
    with tarfile.open(target, "w") as tar:
        for name, content in found.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def drop(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        del found[name]

    return change


def put(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda found: found.update({name: content})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("../evil.sh", b"rm -rf"), "不该有的内容"),
        (put("/etc/cron.d/evil", b"rm -rf"), "不该有的内容"),
        (put("media/../../evil", b"rm -rf"), "不该有的内容"),
        (put("media/aa/..", b"rm -rf"), "不该有的内容"),
        (put("wuwei.key", b"another key"), "不该有的内容"),
        (put("wuweixsqlite3", b""), "不该有的内容"),
        (put(f"media/{PHOTO_NAME[:2]}/{PHOTO_NAME[2:]}", b"another photo"), "1 处与清单不符"),
        (put(f"media/00/{'0' * 62}", b"one more"), "1 处与清单不符"),
        (drop("wuwei.sqlite3"), "1 处与清单不符"),
        (drop("manifest.json"), "不是五微的备份"),
        (put("manifest.json", b"[]"), "清单读不懂"),
        (put("manifest.json", b"\xff"), "清单读不懂"),
    ],
)
def test_restore_of_a_bad_backup_changes_nothing(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    reason: str,
) -> None:
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    tampered(tmp_path / "b.tar", tmp_path / "bad.tar", change)
    target = other(tmp_path)
    bring_key(settings, target)
    with pytest.raises(ConfigError, match=reason):
        restore(target, tmp_path / "bad.tar", now=LATER)
    assert [path.name for path in target.data_folder.iterdir()] == ["wuwei.key"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "bad.tar", "data", "other"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_restore_refuses_anything_but_files(settings: Settings, tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        member = tarfile.TarInfo("wuwei.sqlite3")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ConfigError, match="不该有的内容"):
        restore(settings, tmp_path / "bad.tar", now=LATER)
    assert list(settings.data_folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a tar file at all" * 100, None])
def test_restore_of_a_broken_file_says_so(settings: Settings, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "bad.tar.gz").write_bytes(content)
    with pytest.raises(ConfigError, match="找不到备份文件" if content is None else "读不出来|不是五微的备份"):
        restore(settings, tmp_path / "bad.tar.gz", now=LATER)


def test_restore_of_a_cut_off_file_says_so(database: Database, settings: Settings, tmp_path: Path) -> None:
    backup(database, settings, tmp_path / "b.tar.gz", now=NOW)
    whole = (tmp_path / "b.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="读不出来"):
        restore(other(tmp_path), tmp_path / "cut.tar.gz", now=LATER)


def test_restore_refuses_a_backup_of_a_newer_program(database: Database, settings: Settings, tmp_path: Path) -> None:
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    target = other(tmp_path)
    with pytest.raises(ConfigError, match="比程序新"):
        restore(target, tmp_path / "b.tar", now=LATER)
    assert [path.name for path in target.data_folder.iterdir()] == ["wuwei.key"]


def test_restore_refuses_the_other_kind_of_database(database: Database, settings: Settings, tmp_path: Path) -> None:
    backup(database, settings, tmp_path / "b.tar", now=NOW)
    target = other(tmp_path).model_copy(
        update={"database": DatabaseSettings.model_validate({"url": "postgresql+psycopg://x/y"})}
    )
    with pytest.raises(ConfigError, match="备份里是 sqlite 数据库"):
        restore(target, tmp_path / "b.tar", now=LATER)


def test_kinds_of_cases_all_have_a_counter() -> None:
    """A prefix that is missing from the table would start anew after a restore."""
    assert set(numbers.PREFIXES) == set(Kind) - {Kind.CHATTER}

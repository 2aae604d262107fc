"""PostgreSQL's own tools for copying a database, where they are installed: pg_dump and pg_restore."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import ConfigError

LONGEST_SECONDS = 6 * 3600


def dump(url: str, file: Path) -> None:
    """A consistent copy of the database in PostgreSQL's own format."""
    _call("pg_dump", url, ["--format=custom", "--no-owner", "--no-privileges", f"--file={file}"])


def restore(url: str, file: Path) -> None:
    """Fills an empty database from such a copy, all or nothing."""
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _call("pg_restore", url, [*options, str(file)])


def _call(tool: str, url: str, options: list[str]) -> None:
    program = shutil.which(tool)
    if program is None:
        raise ConfigError(
            [f"这台机器上没有 {tool}；请安装 PostgreSQL 的客户端工具（Debian/Ubuntu：postgresql-client）"]
        )
    address, password = for_libpq(url)
    done = subprocess.run(  # noqa: S603 - a fixed program, no shell
        [program, "--no-password", f"--dbname={address}", *options],
        # The password goes by the environment: the list of processes is open to everybody on the machine.
        env=os.environ | ({"PGPASSWORD": password} if password else {}),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["没有说明原因"])[-1]
        raise ConfigError([f"{tool} 没有成功：{said}"])


def for_libpq(url: str) -> tuple[str, str]:
    """The address as PostgreSQL's own programs read it, without the password, and the password."""
    parts = urlsplit(url)
    who, at, where = parts.netloc.rpartition("@")
    netloc = who.partition(":")[0] + at + where
    query = f"?{parts.query}" if parts.query else ""
    return f"postgresql://{netloc}{parts.path}{query}", unquote(parts.password or "")

"""The first minute on somebody's machine: what ./run says when something is missing, and what it would install."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent
# Each lock and what it is made from. That of the benchmark's peers is put beside the others.
LOCKS = {
    "requirements.lock": [("project", "dependencies")],
    "requirements-test.lock": [("project", "dependencies"), ("dependency-groups", "test")],
    "requirements-bench.lock": [("dependency-groups", "bench")],
}
# What a POSIX system always has; Python is not among it.
TOOLS = ("cat", "cksum", "cut", "dirname", "rm", "touch")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def run(folder: Path, *words: str, python: str | None = None) -> subprocess.CompletedProcess[str]:
    """A fresh copy of ./run where the machine has only TOOLS and, if given, this script as python3."""
    shutil.copy(ROOT / "run", folder / "run")
    tools = folder / "tools"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (tools / name).symlink_to(found)
    if python is not None:
        (tools / "python3").write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
        (tools / "python3").chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(folder / "run"), *words],
        env={"PATH": str(tools), "LC_ALL": "C.UTF-8"},
        cwd="/",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_run_is_a_posix_script_that_may_be_executed() -> None:
    assert os.access(ROOT / "run", os.X_OK)
    assert (ROOT / "run").read_text(encoding="utf-8").startswith("#!/bin/sh\n")


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",)])
def test_run_alone_says_what_it_can_do_and_makes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()[1:3]] == ["demo", "test"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "tools"]


@pytest.mark.parametrize("command", ["demo", "test", "check", "run"])
def test_without_python_it_says_in_chinese_how_to_get_it(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "需要 Python 3.11 或更新的版本。Debian/Ubuntu：sudo apt install python3 python3-venv；macOS：brew install python@3.12"
    ]


def test_python_that_is_too_old_counts_as_none(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", python="exit 1")
    assert (done.returncode, done.stderr.startswith("需要 Python 3.11 或更新的版本。")) == (1, True)


def test_python_without_venv_is_told_which_package_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", python='[ "$1" = -c ]')  # new enough, but `-m venv` fails
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "不能建立虚拟环境。Debian/Ubuntu 请先运行：sudo apt install python3-venv"
    assert not (tmp_path / ".venv").exists()


def pins(lock: str) -> dict[str, Version]:
    """Package → pinned version, by the name as registries compare it."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    found = [match for line in lines if (match := PINNED.match(line))]
    return {_plain(match[1]): Version(match[2]) for match in found}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pyproject(*path: str) -> list[str]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name in path[:-1]:
        table = table[name]
    lines: list[str] = table[path[-1]]
    return lines


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text) if not entry.startswith("#")]
    assert entries
    assert [entry.split()[0] for entry in entries if not (PINNED.match(entry) and HASH.search(entry))] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_what_the_project_asks_for(lock: str) -> None:
    pinned = pins(lock)
    asked = [Requirement(line) for group in LOCKS[lock] for line in _pyproject(*group)]
    assert asked
    wrong = [
        f"{one} is pinned at {pinned.get(_plain(one.name))}"
        for one in asked
        if _plain(one.name) not in pinned or pinned[_plain(one.name)] not in one.specifier
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_agree_on_what_runs(lock: str) -> None:
    """Tests and figures speak of the versions that people get."""
    ours, theirs = pins("requirements.lock"), pins(lock)
    shared = ours.keys() & theirs.keys()
    assert {name: theirs[name] for name in shared} == {name: ours[name] for name in shared}
    assert lock != "requirements-test.lock" or shared == ours.keys()


def test_every_lock_of_the_tree_is_looked_at() -> None:
    assert {path.name for path in ROOT.glob("requirements*.lock")} <= LOCKS.keys()

"""The command line as people meet it: a real process, its output, its exit code, and how it stops."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import structlog

from bot.cli import main
from bot.commands.running import DemoSettings
from core.keys import load_or_make
from storage.database import Database
from tests.nursery import Nursery
from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent.parent
AREAS = """社区,级别,编码,名称,上级编码
,社区,HX,和谐里社区,
,网格,G1,第一网格,HX
,楼栋,B1,1号楼,G1
"""
PEOPLE = """编号,姓名,电话,角色,负责区域(编码)
p1,王建国,13000000001,网格员,G1
"""
LINK = re.compile(r"http://\S+/sign-in/([A-Za-z0-9_-]+)")


def environment() -> dict[str, str]:
    """Nothing of the machine's own settings, and no proxy between us and ourselves."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return {name: value for name, value in kept.items() if not name.startswith("WUWEI_")} | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
    }


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


Wuwei = Callable[..., Done]


@pytest.fixture
def wuwei(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Wuwei]:
    """Runs a command to its end, in this process: a start of Python for each would take most of the time."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WUWEI_")]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def call(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["wuwei", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    yield call
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "bot", *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config(folder: Path, port: int, more: str = "") -> Path:
    file = folder / "config.toml"
    file.write_text(f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n{more}', encoding="utf-8")
    return file


def wait_for(address: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                return client.get(address, timeout=PATIENCE)
            except httpx.TransportError:
                time.sleep(0.05)
    raise AssertionError(f"{address} does not answer")


def test_help_names_every_command(wuwei: Wuwei) -> None:
    done = wuwei("--help")
    assert done.returncode == 0
    named = set(re.findall(r"[a-z]+", done.stdout))
    assert {"run", "demo", "check", "db", "import", "nlp", "replay", "admin", "key", "bench"} <= named


def test_help_imports_none_of_the_parts() -> None:
    code = "import sys, bot.cli; print([m for m in ('sqlalchemy', 'fastapi', 'telegram', 'rjieba', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_run_stops_cleanly_on_a_signal(tmp_path: Path) -> None:
    port = free_port()
    config(tmp_path, port)
    with started(tmp_path, "run") as process:
        assert wait_for(f"http://127.0.0.1:{port}/healthz").text == "ok"
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in errors.splitlines()]
    assert events[-1] == "stopped"
    assert "Traceback" not in errors


async def test_run_stops_even_while_a_platform_does_not_answer(nursery: Nursery, tmp_path: Path) -> None:
    """The start waits for the platform's first word; a signal must not wait for that."""
    port = free_port()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        telegram = f'[telegram]\ntoken = "1:a"\nbase_url = "http://127.0.0.1:{silent.getsockname()[1]}"\n'
        config(tmp_path, port, telegram)
        async with nursery.program("wuwei", "run", folder=tmp_path, environment=environment()) as program:
            await program.live()
            silent.settimeout(PATIENCE)
            connection, _ = silent.accept()
            program.signal(signal.SIGTERM)
            assert await program.ended() == 0
            connection.close()


def test_run_tells_all_faults_of_the_configuration(tmp_path: Path, wuwei: Wuwei) -> None:
    (tmp_path / "bad.toml").write_text('[web]\nport = 99999\ncolour = 1\n[log]\nlevel = "loud"\n', encoding="utf-8")
    done = wuwei("run", "--config", "bad.toml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert sorted(done.stderr.splitlines()) == [
        "log.level：只能是 'debug', 'info', 'warning' or 'error' 之一",
        "web.colour：没有这一项，请删去，或对照 config.example.toml 改正拼写",
        "web.port：太大，最大是 65535",
    ]


def test_run_refuses_an_unknown_role(wuwei: Wuwei) -> None:
    done = wuwei("run", "--role", "web,cook")
    assert (done.returncode, done.stderr) == (
        2,
        "没有 cook 这种角色；可以写 clock、intake、sender、web，用逗号分开\n",
    )


def test_run_refuses_a_port_in_use(tmp_path: Path, wuwei: Wuwei) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config(tmp_path, port)
        done = wuwei("run")
    assert done.returncode == 2
    assert f"不能在 127.0.0.1 的端口 {port} 上打开网页" in done.stderr
    assert "请换一个端口" in done.stderr


async def test_demo_opens_a_community_on_loopback(nursery: Nursery, tmp_path: Path) -> None:
    words = ("wuwei", "demo", "--port", "0")
    async with nursery.program(*words, folder=tmp_path, environment=environment()) as program:
        await program.live()
        said = await program.told(lines=5)
        (simulator,) = re.findall(r"http://127\.0\.0\.1:\d+/simulator", "".join(said))
        assert wait_for(simulator).status_code == 200
        people = wait_for(f"{simulator}/api/people").json()
        link = LINK.search("".join(said))
        assert link is not None
        assert wait_for(link.group()).status_code == 200  # the button that spends it
        program.signal(signal.SIGINT)  # Ctrl-C
        assert await program.ended() == 0
    assert program.errors.read_text(encoding="utf-8") == ""
    assert len(people) >= 30
    assert (tmp_path / "data" / "demo" / "simulator.sqlite3").is_file()


def test_demo_never_takes_real_settings(tmp_path: Path) -> None:
    """A real token or database in the environment or in config.toml here has no part in it."""
    (tmp_path / "config.toml").write_text("this is not even TOML", encoding="utf-8")
    os.environ["WUWEI_TELEGRAM__TOKEN"] = "1:a"
    try:
        settings = DemoSettings(data_folder=tmp_path)
    finally:
        del os.environ["WUWEI_TELEGRAM__TOKEN"]
    assert settings.telegram.token.get_secret_value() == ""
    assert settings.database_url == f"sqlite:///{tmp_path}/wuwei.sqlite3"


def test_demo_fresh_throws_away_only_a_demo(tmp_path: Path, wuwei: Wuwei) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "wedding.jpg").write_bytes(b"dear")
    done = wuwei("demo", "--port", "0", "--data", "photos", "--fresh")
    assert (done.returncode, done.stderr) == (
        2,
        "文件夹 photos 里不像是演示数据，没有删除；请换一个文件夹，或自己清空它\n",
    )
    assert (tmp_path / "photos" / "wedding.jpg").read_bytes() == b"dear"


def test_import_then_admin_gives_a_way_in(tmp_path: Path, wuwei: Wuwei) -> None:
    (tmp_path / "areas.csv").write_text(AREAS, encoding="utf-8")
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    refused = wuwei("admin", "王建国")
    assert (refused.returncode, refused.stderr) == (1, "还没有社区；请先导入网格：wuwei import areas 文件。\n")

    areas = wuwei("import", "areas", "areas.csv")
    assert (areas.returncode, areas.stdout) == (0, "导入完成：新增 3，更改 0，没有变化 0。\n")
    people = wuwei("import", "people", "people.csv")
    assert (people.returncode, people.stdout) == (0, "导入完成：新增 1，更改 0，没有变化 0。\n")
    again = wuwei("import", "people", "people.csv")
    assert again.stdout == "导入完成：新增 0，更改 0，没有变化 1。\n"

    admin = wuwei("admin", "王建国")
    assert admin.returncode == 0
    first, second = admin.stdout.splitlines()
    assert first == "王建国 是和谐里社区的系统管理员。"
    assert second.startswith("登录链接（只能用一次，15 分钟内有效）：http://127.0.0.1:8600/sign-in/")


def test_import_tells_every_fault_and_changes_nothing(tmp_path: Path, wuwei: Wuwei) -> None:
    (tmp_path / "areas.csv").write_text(AREAS + ",楼栋,B2,2号楼,G9\n,殿堂,B3,3号楼,G1\n", encoding="utf-8")
    done = wuwei("import", "areas", "areas.csv")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert all("行" in line for line in done.stderr.splitlines())
    assert wuwei("admin", "王建国").stderr.startswith("还没有社区")


def test_nlp_commands_read_and_judge_lines(tmp_path: Path, wuwei: Wuwei) -> None:
    rows = [
        {"text": "3号楼门口井盖坏了", "kind": "report", "topic": "城乡建设", "urgent": False},
        {"text": "早上好", "kind": "chatter", "topic": "无", "urgent": False},
    ]
    file = tmp_path / "lines.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    predicted = [json.loads(line) for line in wuwei("nlp", "predict", "lines.jsonl").stdout.splitlines()]
    assert [(row["case"], row["kind"]) for row in predicted] == [(True, "report"), (False, "chatter")]
    assert set(predicted[0]) == {"case", "kind", "topic", "urgent", "place", "confidence", "because"}

    figures = json.loads(wuwei("nlp", "evaluate", "lines.jsonl", "--json").stdout)
    assert (figures["lines"], figures["recall"]["value"], figures["precision"]["value"]) == (2, 1.0, 1.0)
    assert "recall: 100.0%" in wuwei("nlp", "evaluate", "lines.jsonl").stdout

    told = wuwei("nlp", "explain", "3号楼门口井盖坏了").stdout
    assert told.startswith("判断为报事")
    assert json.loads(wuwei("nlp", "explain", "早上好", "--json").stdout)["case"] is False


def test_nlp_predict_tells_every_line_that_is_no_object(tmp_path: Path, wuwei: Wuwei) -> None:
    (tmp_path / "lines.jsonl").write_text('{"text": "好"}\nnot json\n{"words": 1}\n', encoding="utf-8")
    done = wuwei("nlp", "predict", "lines.jsonl")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ['第 2 行不是带 "text" 的 JSON 对象', '第 3 行不是带 "text" 的 JSON 对象']
    assert wuwei("nlp", "predict", "gone.jsonl").stderr == "找不到文件 gone.jsonl\n"


def test_db_upgrade_says_where_it_stands(wuwei: Wuwei) -> None:
    first, second = wuwei("db", "upgrade"), wuwei("db", "upgrade")
    assert re.fullmatch(r"数据库已升级到 \w+（原来是 空的）。\n", first.stdout)
    assert re.fullmatch(r"数据库已经是最新版本（\w+）。\n", second.stdout)


def test_key_add_seals_anew_and_refuses_while_running(tmp_path: Path, wuwei: Wuwei) -> None:
    (tmp_path / "areas.csv").write_text(AREAS, encoding="utf-8")
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    wuwei("import", "areas", "areas.csv")
    wuwei("import", "people", "people.csv")
    key_file = tmp_path / "data" / "wuwei.key"
    running = Database(f"sqlite:///{tmp_path}/data/wuwei.sqlite3", load_or_make(key_file))
    assert running.is_alive()
    refused = wuwei("key", "add")
    running.close()
    assert (refused.returncode, refused.stderr) == (2, "程序还在运行；请先停下它，再运行这个命令\n")
    assert len(key_file.read_text().split()) == 1

    done = wuwei("key", "add")
    assert done.returncode == 0
    assert done.stdout.startswith("已换上新密钥，1 项敏感信息用它重新加密。")
    assert len(key_file.read_text().split()) == 2


def test_bench_refuses_rows_that_are_no_numbers(wuwei: Wuwei) -> None:
    done = wuwei("bench", "--rows", "1,two")
    assert (done.returncode, done.stderr) == (2, "--rows 要写数字，用逗号分开，例如 1,3；读不懂“two”\n")

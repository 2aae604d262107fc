"""Holds the documents to the truth: every command, path, link, setting, noun, ability and figure named in them exists as named."""

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel

from bot.channels.console import ConsoleChannel
from bot.channels.simulator import SimulatorChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.wecom.aibot import ABILITIES as BOT_ABILITIES
from bot.channels.wecom.app import ABILITIES as APP_ABILITIES
from bot.channels.wecom.customer_groups import ABILITIES as GROUP_ABILITIES
from bot.channels.wecom.kf import ABILITIES as KF_ABILITIES
from bot.channels.wecom.robot import ABILITIES as ROBOT_ABILITIES
from bot.cli import app
from core.config import Settings
from core.messages import Abilities, Allowance, AttachmentKind, IncomingKind, Limit
from domain.announcements import STATE_NAMES as ANNOUNCEMENT_STATES
from domain.cases.life import STATE_NAMES, STEP_NAMES
from domain.cases.words import KIND_NAMES
from domain.people import ROLE_NAMES
from nlp.evaluate import evaluate

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "nlp", "storage", "domain", "handlers", "web", "bot", "tests", "docs", "changes", "deploy")
ROOT_FILES = re.compile(r"`((?:[A-Z]+\.md|LICENSE|run|\.ci/run|pyproject\.toml|[\w.-]+\.lock|config\.example\.toml))`")
MOST_PICTURE_BYTES = 200_000
# TODO: goes when it is written; until then links to it lead nowhere.
AWAITED = frozenset({ROOT / "docs" / "performance.md"})
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def sheaves() -> dict[str, tuple[Path, ...]]:
    """Each page by itself, and the many short notes of changes together."""
    notes = tuple(path for path in documents() if path.parent.name == "changes")
    return {name_of(path): (path,) for path in documents() if path not in notes} | {"changes": notes}


every_document = pytest.mark.parametrize("paths", sheaves().values(), ids=sheaves())


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def codes(text: str) -> Iterator[str]:
    """What stands in code: spans of a line, and the lines of blocks."""
    for _, block in FENCE.findall(text):
        yield from block.splitlines()
    yield from CODE.findall(FENCE.sub("", text))


# Commands


CALL = re.compile(
    r"(?:^\s*(?:\$ )?|(?:&&|;|\|)\s*)(?:sudo (?:-u \w+ )?)?(?:[A-Z_]+=\S+ )*"
    r"(\./run|(?:\S*/)?wuwei|(?:\S*/)?python -m bot) (?=\S)"
)


def commands(text: str) -> Iterator[list[str]]:
    """Each call of the program in a document, as the words after its name; `./run` keeps its own."""
    for code in codes(text):
        for found in CALL.finditer(code):
            rest = re.split(r"\s{2,}|\s#|\s?[|>&;]", code[found.end() :])[0]
            yield [found[1], *rest.split()]


RUN_ITSELF = {"test", "check", "help"}


def faults_of_command(words: list[str]) -> str | None:
    program, *rest = words
    if program == "./run" and rest[0] in RUN_ITSELF:
        return None
    command = typer.main.get_command(app)
    while rest:
        word = rest.pop(0)
        choices = getattr(command, "commands", None)
        if word.startswith("-"):
            if word.split("=")[0] not in {name for option in command.params for name in option.opts} | {"--help"}:
                return f"no option {word}"
        elif choices is not None:
            if word not in choices:
                return f"no command {word}"
            command = choices[word]
    return None


@every_document
def test_commands_exist(paths: Sequence[Path]) -> None:
    said = [(name_of(path), words) for path in paths for words in commands(read(path))]
    assert [(name, words, fault) for name, words in said if (fault := faults_of_command(words))] == []


def test_command_check_sees_faults() -> None:
    text = "`wuwei replay 3` `./run demo --port 0` `useradd -d x wuwei y` `wuwei db restart`\n```\n./run tset\nsudo -u wuwei a/wuwei run --fast\n```\n"
    faults = [faults_of_command(words) for words in commands(text)]
    assert faults == ["no command tset", "no option --fast", None, None, "no command restart"]


# Paths and links


def paths_in(text: str) -> set[str]:
    words = re.findall(rf"(?<![\w/.-])((?:{'|'.join(FOLDERS)})/[\w./*-]*)", text)
    return {word.rstrip(".") for word in words} | set(ROOT_FILES.findall(text))


@every_document
def test_paths_exist(paths: Sequence[Path]) -> None:
    named = [(name_of(path), word) for path in paths for word in sorted(paths_in(read(path)))]
    lost = [(name, word) for name, word in named if not list(ROOT.glob(word.rstrip("/")))]
    assert [(name, word) for name, word in lost if ROOT / word not in AWAITED] == []


def slugs(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@every_document
def test_links_lead_somewhere(paths: Sequence[Path]) -> None:
    assert [(name_of(path), target) for path in paths for target in lost_links(path)] == []


def lost_links(path: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(path)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        goal = (path.parent / file) if file else path
        if goal.resolve() in AWAITED and not goal.exists():
            continue
        if not goal.exists() or (anchor and anchor not in slugs(read(goal))):
            yield target


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = re.findall(r"\]\(([^)#\s]+\.md)", read(page))
        waiting += [goal.resolve() for target in targets if (goal := page.parent / target).is_file()]
    assert [name_of(page) for page in documents() if page.parent.name != "changes" and page not in reached] == []


def test_pictures_are_used_small_and_described() -> None:
    shown: dict[Path, str] = {}
    for path in documents():
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", read(path)):
            shown[(path.parent / target).resolve()] = words
    pictures = set((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures
    assert pictures == set(shown)
    assert [name_of(picture) for picture in pictures if picture.stat().st_size >= MOST_PICTURE_BYTES] == []
    assert [name_of(picture) for picture, words in shown.items() if len(words) < 4] == []


@every_document
def test_names_no_machine(paths: Sequence[Path]) -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|root|tmp|home|Users)/\S*")
    assert [(name_of(path), place) for path in paths for place in machine.findall(read(path))] == []


# Settings


def is_setting(name: str) -> bool:
    model: type[BaseModel] = Settings
    for part in name.split("."):
        field = model.model_fields.get(part)
        if field is None:
            return False
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    return True


def settings_named(text: str) -> Iterator[str]:
    sections = "|".join(
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    )
    for code in codes(text):
        found = re.fullmatch(rf"((?:{sections})\.[a-z_]+)(?:\s*=.*)?", code.strip())
        if found and not found[1].endswith((".py", ".toml", ".md", ".css", ".js")):
            yield found[1]
    for name in re.findall(r"\bWUWEI_([A-Z_]+[A-Z])\b", text):
        yield name.lower().replace("__", ".")
    for language, block in FENCE.findall(text):
        if language == "toml":
            for key, value in tomllib.loads(block).items():
                yield from [f"{key}.{item}" for item in value] if isinstance(value, dict) else [key]


@every_document
def test_settings_exist(paths: Sequence[Path]) -> None:
    named = [(name_of(path), name) for path in paths for name in settings_named(read(path))]
    assert [(where, name) for where, name in named if not is_setting(name)] == []


def test_setting_check_sees_faults() -> None:
    text = "`telegram.token` `web.prot = 1` WUWEI_KEEP__SENT_DAYS\n```toml\n[log]\nlevle = 1\n```\n"
    assert [name for name in settings_named(text) if not is_setting(name)] == ["web.prot", "log.levle"]


# Channels


def table(text: str, head: str) -> dict[str, dict[str, str]]:
    """A table's cells by the code in the first column and the words over the others."""
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    start = next(place for place, row in enumerate(cells) if row[0] == head)
    names, found = cells[start], {}
    for row in cells[start + 2 :]:
        if not row[0].startswith("`"):
            break
        found[row[0].strip("`")] = dict(zip(names[1:], row[1:], strict=True))
    return found


def abilities() -> dict[str, Abilities]:
    telegram = TelegramChannel(token="1:made-up")
    telegram._username, telegram._hears_all = "made_up_bot", True  # as Telegram tells at the start
    return {
        "telegram": telegram.abilities,
        "simulator": SimulatorChannel.abilities,
        "console": ConsoleChannel.abilities,
        "wecom": APP_ABILITIES,
        "wecom_kf": replace(KF_ABILITIES, start_link="https://work.weixin.qq.com/kfid/made-up"),  # as WeCom tells
        "wecom_bot": replace(BOT_ABILITIES, bot_name="made up"),  # as it is set
        "wecom_robot": ROBOT_ABILITIES,
        "wecom_group": replace(GROUP_ABILITIES, start_link="https://work.weixin.qq.com/kfid/made-up"),
    }


def limit_words(limits: tuple[Limit, ...]) -> str:
    return ", ".join(f"{one.count} in {one.per // timedelta(seconds=1)} s ({one.scope})" for one in limits)


VERDICT = re.compile(r"^(done|(?:cannot|exempt): \S.+)(?:: .+)?$")


def test_channel_table_equals_abilities() -> None:
    rows = table(read(ROOT / "docs" / "channels.md"), "ability")
    assert set(rows) == set(Abilities.__dataclass_fields__)
    wrong = [
        (ability, channel, cells[channel])
        for ability, cells in rows.items()
        for channel, able in abilities().items()
        if not tells(cells[channel], getattr(able, ability))
    ]
    assert wrong == []


def tells(cell: str, value: object) -> bool:
    """Whether a cell says what the channel's ability is: done or not, and where it is a number or limits, which."""
    if not VERDICT.match(cell) or cell.startswith("done") != bool(value):
        return False
    if not value:
        return True
    if isinstance(value, Allowance):
        return cell.startswith(f"done: {value.count} in {value.within // timedelta(seconds=1)} s ") and all(
            str(figure) in cell for figure in (value.text_bytes, value.menu_bytes)
        )
    if isinstance(value, tuple):
        return cell == f"done: {limit_words(value)}"
    return isinstance(value, bool | str | tuple | None) or cell.split(",", maxsplit=1)[0] == f"done: {value}"


SOURCES_OF_CHANNEL = {
    "telegram": ["bot/channels/telegram/*.py"],
    "simulator": ["bot/simulator/*.py", "web/simulator*.py"],
    "console": ["bot/channels/console.py"],
    "wecom": ["bot/channels/wecom/app*.py"],
    "wecom_kf": ["bot/channels/wecom/kf*.py"],
    "wecom_bot": ["bot/channels/wecom/aibot*.py"],
    "wecom_robot": ["bot/channels/wecom/robot.py"],
    "wecom_group": ["bot/channels/wecom/customer_groups*.py"],
}


@pytest.mark.parametrize(("head", "kind"), [("event", IncomingKind), ("file", AttachmentKind)])
def test_channel_tables_equal_what_the_channels_make(head: str, kind: type[StrEnum]) -> None:
    rows = table(read(ROOT / "docs" / "channels.md"), head)
    assert set(rows) == {f"{kind.__name__}.{one.name}" for one in kind}
    wrong = []
    for channel, patterns in SOURCES_OF_CHANNEL.items():
        source = "".join(read(path) for pattern in patterns for path in ROOT.glob(pattern))
        for name, cells in rows.items():
            is_made = re.search(rf"\b{re.escape(name)}\b", source) is not None
            if not VERDICT.match(cells[channel]) or cells[channel].startswith("done") != is_made:
                wrong.append((name, channel, cells[channel]))
    assert wrong == []


# The glossary


@cache
def classes() -> dict[str, set[str]]:
    """Every class of ours with the names that its body gives a value or a type."""
    found: dict[str, set[str]] = {}
    for folder in ("core", "nlp", "storage", "domain", "handlers", "web", "bot"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(read(path))):
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, set()).update(_members(node))
    return found


def _members(node: ast.ClassDef) -> Iterator[str]:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id
        elif isinstance(line, ast.Assign):
            yield from (target.id for target in line.targets if isinstance(target, ast.Name))


def glossary() -> list[tuple[str, list[str]]]:
    rows = [line.split("|") for line in read(ROOT / "docs" / "glossary.md").splitlines() if line.startswith("|")]
    return [(row[1].strip(), CODE.findall(row[2])) for row in rows if CODE.search(row[2])]


def test_glossary_nouns_exist() -> None:
    lost = []
    for chinese, nouns in glossary():
        for noun in nouns:
            holder, _, member = noun.partition(".")
            is_there = (
                (ROOT / noun).exists()
                if "/" in noun
                else member in classes().get(holder, ()) or (not member and holder in classes())
            )
            if not is_there:
                lost.append((chinese, noun))
    assert lost == []


def test_glossary_says_what_the_pages_say() -> None:
    said = {noun: chinese for chinese, nouns in glossary() for noun in nouns}
    tables = (KIND_NAMES, STATE_NAMES, STEP_NAMES, ROLE_NAMES, ANNOUNCEMENT_STATES)
    names = {f"{type(one).__name__}.{one.name}": words for each in tables for one, words in each.items()}
    assert {noun: said.get(noun) for noun in names} == names


# Figures


MEASURED = (
    "lines",
    "aside",
    "held_back",
    "untouched",
    "fresh_one",
    "fresh_two",
    "fresh_three",
    "fresh_four",
    "fresh_five",
    "fresh_six",
    "fresh_seven",
    "fresh_eight",
)


def test_readme_tells_the_measured_figures() -> None:
    told = re.findall(
        r"\| (\d+) lines.*?`tests/nlp/data/(\w+)\.tsv`\) \| (\d+)% \| (\d+)% \| (\d+)% \| (\d+)% \| (\d+)% \| (\d+)% \|",
        read(ROOT / "README.md"),
    )
    assert [(name, int(lines), *map(int, rest)) for lines, name, *rest in told] == [
        (name, *_figures(ROOT / "tests" / "nlp" / "data" / f"{name}.tsv")) for name in MEASURED
    ]


def _figures(path: Path) -> list[int]:
    """Of lines with kind and urgency in the first two cells and the text in the last."""
    lines = [line.split("\t") for line in read(path).splitlines() if line and not line.startswith("#")]
    figures = evaluate(
        [{"kind": kind, "urgent": urgent == "yes", "text": rest[-1], "topic": "无"} for kind, urgent, *rest in lines]
    )
    percent = []
    for name in ("precision", "recall", "kind_accuracy", "false_alarms", "urgent_recall", "urgent_precision"):
        rate = figures[name]
        assert isinstance(rate, dict)
        percent.append(round(100 * float(rate["value"])))
    return [len(lines), *percent]


# Changes


def test_changes_follow_their_rule() -> None:
    changes = [path for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    form = re.compile(r"(?:New|Changed|Mended|Removed): [^\n]+\.\n\n(?:[^\n]*[\u4e00-\u9fff][^\n]*。\n)+")
    assert [path.name for path in changes if not form.fullmatch(read(path))] == []
    assert [path.name for path in changes if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+\.md", path.name)] == []

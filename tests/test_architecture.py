"""Holds the shape of the house: the import rule, no cycles, what stays where, small files, and a home for every test."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.dealing import TOGETHER, lane_of

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "nlp", "storage", "domain", "handlers", "web", "bot")

# Folder → what it may import of ours. The longest matching folder decides.
MAY_IMPORT = {
    "core": {"core"},
    "nlp": {"nlp", "core"},
    "storage": {"storage", "core"},
    "domain": {"domain", "core", "nlp", "storage"},
    "handlers": {"handlers", "core", "domain"},
    "web": {"web", "core", "domain", "nlp"},
    "bot.channels": {"bot.channels", "core"},
    "bot.simulator": {"bot.simulator", "core"},
    "bot": set(FOLDERS),
}

# A library → the folders that may use it.
STAYS_IN = {
    "sqlalchemy": ("storage", "domain"),
    "alembic": ("storage",),
    "telegram": ("bot.channels", "bot.bench.peers"),
    "websockets": ("bot.channels",),
    "wechatpy": ("bot.channels",),
    "apscheduler": ("bot",),
    "httpx": ("bot",),
    "fastapi": ("web", "bot"),
    "starlette": ("web", "bot"),
    "uvicorn": ("bot",),
    "jieba": ("nlp",),
    "rjieba": ("nlp",),
    "socket": ("bot",),
    "requests": ("bot.channels.wecom",),
    "urllib.request": ("bot",),
}

MOST_LINES_IN_FILE = 400
MOST_LINES_IN_FUNCTION = 50


def sources() -> list[Path]:
    return sorted(
        path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
    )


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[str]:
    return list(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file; of `from a import b` both a and a.b."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def folder_of(module: str) -> str:
    return max((folder for folder in MAY_IMPORT if is_in(module, folder)), key=len)


def test_imports_follow_the_arrows() -> None:
    wrong = []
    for path in sources():
        module = module_name(path)
        allowed = MAY_IMPORT[folder_of(module)]
        for name in imports(path):
            if name.split(".")[0] in FOLDERS and not any(is_in(name, one) for one in allowed):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_imports_have_no_cycle() -> None:
    modules = {module_name(path): path for path in sources()}
    graph = {
        module: {name for name in imports(path) if name in modules and name != module}
        for module, path in modules.items()
    }
    # A package's __init__ that gathers its own parts is no cycle by itself: its parts must not import the package.
    assert find_cycle(graph) is None


def find_cycle(graph: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str] | None:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return None
        for other in sorted(graph[module]):
            found = visit(other, [*trail, module])
            if found:
                return found
        done.add(module)
        return None

    for module in sorted(graph):
        found = visit(module, [])
        if found:
            return found
    return None


def test_cycle_finder_finds_a_cycle() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert find_cycle({"a": {"b"}, "b": set()}) is None


def test_libraries_stay_where_they_belong() -> None:
    wrong = []
    for path in sources():
        module = module_name(path)
        for name in imports(path):
            for library, homes in STAYS_IN.items():
                if is_in(name, library) and not any(is_in(module, home) for home in homes):
                    wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_rules_do_not_read_the_clock_or_the_configuration() -> None:
    wrong = []
    for path in sources():
        module = module_name(path)
        if folder_of(module) not in ("domain", "handlers", "nlp", "storage"):
            continue
        text = path.read_text(encoding="utf-8")
        wrong += [f"{module}: {word}" for word in (".now(", "utcnow", "time.time(", "time.sleep") if word in text]
    assert wrong == []


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_file_is_small_and_says_what_it_is(path: Path) -> None:
    text, tree = path.read_text(encoding="utf-8"), tree_of(path)
    assert ast.get_docstring(tree), "the first line says what is in the file"
    assert text.count("\n") <= MOST_LINES_IN_FILE
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_LINES_IN_FUNCTION
    ]
    assert long == []


# Where a fault nobody foresaw ends: loops and doors that must outlive it. Each says beside it why. What is caught to be raised
# again, once something has been put back, is no edge.
EDGES = {
    "bot/channels/console.py",
    "bot/channels/simulator.py",
    "bot/checking.py",
    "bot/colleagues.py",
    "bot/fetcher.py",
    "bot/handing.py",
    "bot/receiver.py",
    "bot/scheduler.py",
    "bot/sender.py",
    "web/app.py",
}


def test_only_the_edges_catch_everything() -> None:
    caught = {path.relative_to(ROOT).as_posix() for path in sources() if _catches_everything(path)}
    assert caught == EDGES


def _catches_everything(path: Path) -> bool:
    handlers = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ExceptHandler)]
    broad = [one for one in handlers if one.type is None or ast.unparse(one.type) in ("Exception", "BaseException")]
    return any(not isinstance(one.body[-1], ast.Raise) or one.body[-1].exc is not None for one in broad)


def test_no_junk_drawers() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert [module_name(path) for path in sources() if path.stem in banned] == []


def test_no_machine_paths_or_registries_in_the_tree() -> None:
    words = ("files.pythonhosted" + ".org", "registry.npmjs" + ".org", "/root" + "/", "pypi" + ".org/simple")
    kept = [
        path
        for pattern in ("*.lock", "*.toml", "run", ".ci/run", "**/*.py", "**/*.md")
        for path in ROOT.glob(pattern)
        if not {".venv", "node_modules", ".git"} & set(path.parts)
    ]
    assert kept
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in kept
        for word in words
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


def test_lanes_hold_tests_that_there_are() -> None:
    starts = [start for several in TOGETHER.values() for start in several]
    assert [start for start in starts if not (ROOT / start).exists()] == []
    assert lane_of("tests/browser/test_talking.py::test_one") == lane_of("tests/web/test_simulator_page.py::test_two")
    assert lane_of("tests/web/test_app.py::test_one") != lane_of("tests/web/test_app.py::test_two")

"""Every act that the program can write down has a name on the page of the log."""

import ast
from collections.abc import Iterator
from pathlib import Path

from web.acts import ACT_NAMES
from web.case_steps import STEPS

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("domain", "handlers", "web", "bot")
# What writes an act down, and the act that its argument stands for; and where it stands when it is not named.
WRITERS = {"audit": "{}", "note": "{}", "_note": "{}", "acting": "case.{}"}
PLACES = {("web", "note"): 3, ("domain", "_note"): 2}
# Where the act is no word that stands there: what it can be.
WORKED_OUT = {
    ("domain/cases/desk.py", "f'case.{act}'"): (),  # `acting`, whose callers are looked at
    ("domain/colleagues/taking.py", "act"): (),  # `_note`, too
    ("web/acts.py", "act"): (),  # `note`, too
    ("web/case_steps.py", "step"): tuple(f"case.{step}" for step in STEPS),
    ("web/serving.py", "act"): ("case.hand_over", "case.hand_back"),
    ("web/announcements.py", "f'announcement.{name}'"): (
        "announcement.pause",
        "announcement.resume",
        "announcement.cancel",
    ),
    ("web/post_tasks.py", "f'post_task.{name}'"): ("post_task.remind", "post_task.cancel"),
    ("web/areas.py", "f'import.{kind}'"): ("import.areas", "import.people"),
    ("bot/commands/importing.py", "f'import.{what}'"): ("import.areas", "import.people"),
}


def calls(tree: ast.AST, folder: str) -> Iterator[tuple[str, ast.expr]]:
    """Each call of a writer, with the expression of the act."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in WRITERS:
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "act"]
        place = PLACES.get((folder, name), len(node.args))
        for act in named or node.args[place : place + 1]:
            yield WRITERS[name], act


def words(act: ast.expr) -> list[str] | None:
    """The words that an expression may be, where they stand in it."""
    if isinstance(act, ast.Constant):
        return [str(act.value)]
    if isinstance(act, ast.IfExp):
        parts = [words(part) for part in (act.body, act.orelse)]
        return [one for part in parts if part for one in part] if all(parts) else None
    return None


def test_every_act_that_can_be_written_has_a_name() -> None:
    written: set[str] = set()
    worked_out = set()
    for path in sorted(one for folder in FOLDERS for one in (ROOT / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for pattern, act in calls(ast.parse(path.read_text(encoding="utf-8")), name.partition("/")[0]):
            found = words(act)
            if found is None:
                place = name, ast.unparse(act)
                assert place in WORKED_OUT
                worked_out.add(place)
                written |= set(WORKED_OUT[place])
            else:
                written |= {pattern.format(one) for one in found}
    assert worked_out == set(WORKED_OUT)
    assert written == set(ACT_NAMES)

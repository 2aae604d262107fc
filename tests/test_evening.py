"""An evening in a residents' group through the whole program: 223 lines by 25 people, eleven troubles among the talk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stage import PRIVATE, Stage, bind_group, raise_stage

LINES = Path(__file__).parent / "nlp" / "data" / "evening.tsv"
GROUP = "晚间邻里群"
NAMES = [f"居民{number}" for number in range(1, 26)]
TALK = "-"
BETWEEN = 25  # seconds from one line to the next
MOST_ALARMS = 2


def script() -> list[tuple[str, str]]:
    lines = [
        line.partition("\t") for line in LINES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    return [(label, text) for label, _, text in lines]


@pytest.fixture
async def evening(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    """The program with a group of 25 neighbours."""
    stage = await raise_stage("simulator", tmp_path / "evening", sqlite_template)
    for name in NAMES:
        stage.add_person(name, has_started=True)
    stage.add_group(GROUP, NAMES)
    with stage.app.database.writing() as session:
        bind_group(stage, session, GROUP, stage.place.grid.id)
    yield stage
    await stage.close()


async def take_what_is_urgent(stage: Stage) -> None:
    """The worker on duty answers an emergency at once; what comes of one that nobody takes is in handlers/test_emergencies.py."""
    for card in stage.posts("张伟"):
        if "⚠ 紧急" in card.text and "接单" in card.buttons:
            await stage.press("张伟", PRIVATE, "接单", of=card)


@pytest.mark.slow
async def test_evening_is_heard_and_left_in_peace(evening: Stage) -> None:
    """Every trouble opens a case, the bot speaks in the group at most once for each, and seldom out of turn."""
    stage, lines = evening, script()
    assert len(lines) >= 200
    opened: dict[str, int] = {}
    spoken: dict[str, int] = {}
    alarms: list[str] = []
    cases = posts = 0
    for number, (label, text) in enumerate(lines):
        # Seven goes round all 25, so that no two lines on end are one person's.
        await stage.say(NAMES[number * 7 % len(NAMES)], GROUP, text)
        await take_what_is_urgent(stage)
        await stage.pass_time(seconds=BETWEEN)
        before = (cases, posts)
        cases, posts = len(stage.numbers()), len(stage.posts(GROUP))
        new_cases, new_posts = cases - before[0], posts - before[1]
        if label != TALK:
            opened[label], spoken[label] = new_cases, new_posts
        elif new_cases or new_posts:
            alarms.append(text)
    await stage.pass_time(minutes=10)
    assert opened == dict.fromkeys(opened, 1)
    assert {label: count for label, count in spoken.items() if count > 1} == {}
    assert len(stage.posts(GROUP)) <= len(opened) + len(alarms)
    assert len(alarms) <= MOST_ALARMS, alarms

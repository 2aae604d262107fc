"""A group robot beside another platform: its group is bound by a code that nobody could say there, and hears of what went wrong."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.app import CLOCK, INTAKE, SENDER, App
from bot.channels.base import Channel
from bot.channels.wecom.robot import Robot, RobotChannel
from core.clock import ShiftedClock
from core.texts import say
from domain import chats
from domain.chats import ChatPurpose
from tests import stage as stages
from tests.emulators.wecom_robot import KEY, RobotEmulator
from tests.stage import GROUP, Stage, raise_stage
from tests.wires import SimulatorWire

NUMBER = "BX-20261121-0001"


class RobotWire(SimulatorWire):
    """The simulated platform, and one robot on WeCom; its code is set before it starts."""

    def __init__(self, clock: ShiftedClock, folder: Path) -> None:
        super().__init__(clock, folder)
        self.wecom = RobotEmulator(now=lambda: clock.now().timestamp())
        self._clock = clock
        self.code = ""
        self.robot: RobotChannel

    @property
    def channels(self) -> Sequence[Channel]:
        return (self.channel, self.robot)

    async def open(self) -> None:
        await self.wecom.__aenter__()
        self.set_code("")

    def set_code(self, code: str) -> None:
        robot = Robot(KEY, "社区工作群", code, ("@all",), self.wecom.base_url)
        self.robot = RobotChannel(robot, now=lambda: self._clock.now().timestamp())

    async def close(self) -> None:
        await self.wecom.__aexit__()
        await super().close()


@asynccontextmanager
async def with_robot(
    folder: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Stage, RobotWire]]:
    monkeypatch.setattr(stages, "make_wire", lambda _, clock, where: RobotWire(clock, where))
    stage = await raise_stage("simulator", folder / "stage", template, starts=False)
    wire = stage.wire
    assert isinstance(wire, RobotWire)
    with stage.app.database.writing() as session:
        code = chats.make_code(
            session,
            community_id=stage.place.id,
            now=stage.clock.now(),
            by_id=None,
            area_id=stage.place.id,
            purpose=ChatPurpose.STAFF,
        )
    wire.set_code(code)
    await restart(stage, wire)
    yield stage, wire
    await stage.close()


async def restart(stage: Stage, wire: RobotWire) -> None:
    await stage.app.stop()
    stage.app = App(stage.app.settings, stage.clock, channels=wire.channels, roles=frozenset({INTAKE, SENDER, CLOCK}))
    await stage.app.start()
    await stage.settle()


async def test_staff_group_is_bound_and_hears_of_an_overdue_case(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with with_robot(tmp_path, sqlite_template, monkeypatch) as (stage, wire):
        bound = [body["content"] for _, body in wire.wecom.posts]
        assert bound == [say("chats.bound_one_way", area="和谐社区")]
        await restart(stage, wire)
        assert len(wire.wecom.posts) == len(bound)
        await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
        await stage.pass_time(hours=9)
        (told,) = [body for _, body in wire.wecom.posts[len(bound) :]]
        assert told == {
            "content": f"超时：{NUMBER}（井盖 · 3号楼）的时限 11月21日 18:00 已过，经办人张网格员，当前已派单。",
            "mentioned_list": ["@all"],
        }
        assert stage.unsettled() == []

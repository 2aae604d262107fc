"""What nobody should send, from the wire to the person: the exact sentence or the silence, and the bot goes on working."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.channels.telegram import TelegramChannel
from bot.replay import replay
from core.errors import Refused
from domain.cases.life import STEPS, State, Step, take_step
from handlers import cases
from handlers.context import Context
from storage.base import Session
from storage.cases import CaseEvent
from storage.messages import Outcome, Received
from tests import builders
from tests import stage as stages
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, photo, raise_stage
from tests.wires import QUICK, TelegramWire
from web.hooks import HookDoor

TELEGRAM = pytest.mark.parametrize("stage", ["telegram"], indirect=True)
WORDS = "3号楼门口的井盖坏了"
FIRST = "BX-20261121-0001"
RECEIPT = f"{FIRST} 已登记：井盖 · 3号楼\n由张网格员负责，11月21日 18:00 前处理。"
LIFT = "已登记：电梯 · 8号楼\n由周网格员负责，11月21日 14:00 前处理。"
NOT_UNDERSTOOD = "我没太明白。请直接说是什么事、在哪里，例如“3 号楼电梯坏了”；发“帮助”看用法。"
TOO_LARGE = "这个文件太大了，最大 20 MB。请压缩一下，或拍一张普通大小的照片再发。"
NOT_FETCHED = "您发的文件没有取到，可能太大或已经过期。请压缩到 20 MB 以内，重新发一次。"
BROKEN = "这张照片打不开，可能没有传完整。请重新拍一张，或从相册里再发一次。"
GONE_BUTTON = "这个按钮已经失效，请用最新的那条消息。"
NOT_YOURS = "这个按钮是给别人的，您不能操作。"
APOLOGY = "抱歉，我这边出了点问题，您的消息已经留存，社区会处理。"
UNKNOWN_GROUP = (
    "机器人被拉进了一个还没有绑定的群“生群”，在绑定前不会说话。请在工作台“群组”里生成编码，在群里发“绑定 编码”。"
)
TWENTY_MB = 20 * 1024 * 1024
SECRET, HEADER = "hook_secret", "X-Telegram-Bot-Api-Secret-Token"


def telegram(stage: Stage) -> TelegramWire:
    assert isinstance(stage.wire, TelegramWire)
    return stage.wire


async def goes_on(stage: Stage) -> None:
    """A neighbour's report still opens a case with its receipt, and nothing hangs in the outbox."""
    before = stage.numbers()
    await stage.say("小吴", GROUP, "8号楼电梯坏了")
    (number,) = stage.numbers()[len(before) :]
    assert stage.last(GROUP).text == f"{number} {LIFT}"
    assert stage.unsettled() == []


# Words


@TELEGRAM
@pytest.mark.parametrize(
    "text",
    ["   ", "😀😭🔥", "啊" * 4096, "שלום לכולם", "\x00\x01\x02\x1b"],
    ids=["empty", "emoji", "4096", "right-to-left", "control"],
)
async def test_words_without_a_matter_are_silent_in_the_group_and_answered_in_private(stage: Stage, text: str) -> None:
    await stage.start("王阿姨")
    await stage.say("王阿姨", GROUP, text)
    await stage.say("王阿姨", PRIVATE, text)
    assert (stage.posts(GROUP), stage.numbers()) == ([], [])
    assert stage.texts("王阿姨")[1:] == [NOT_UNDERSTOOD]
    await goes_on(stage)


@TELEGRAM
async def test_message_without_any_content_is_no_message(stage: Stage) -> None:
    await stage.start("王阿姨")
    await stage.say("王阿姨", GROUP)
    await stage.say("王阿姨", PRIVATE)
    assert (stage.posts(GROUP), len(stage.posts("王阿姨")), stage.outcomes()) == ([], 1, ["answered"])
    await goes_on(stage)


@TELEGRAM
@pytest.mark.parametrize(
    "text",
    [WORDS + "啊" * (4096 - len(WORDS)), f"\u202e{WORDS}\u202c", "3号楼门口的\x00井盖\x07坏了\x1b[31m"],
    ids=["4096", "right-to-left", "control"],
)
async def test_matter_in_odd_clothes_is_registered_and_its_card_goes_out(stage: Stage, text: str) -> None:
    await stage.say("王阿姨", GROUP, text)
    await stage.pass_time(seconds=10)
    assert stage.texts(GROUP) == [RECEIPT]
    assert stage.card("张伟").text.startswith(f"【报事】{FIRST}\n位置：3号楼\n事项：井盖\n内容：")
    await goes_on(stage)


@TELEGRAM
async def test_half_a_character_is_kept_as_unreadable_and_stops_nobody(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, f"{WORDS}\ud83d")
    (kept,) = failed(stage)
    assert (stage.posts(GROUP), kept.error) == ([], "unreadable")
    assert "\\ud83d" in (kept.raw or "")
    await goes_on(stage)


# Photos


@TELEGRAM
@pytest.mark.parametrize(
    ("body", "claimed", "sentence"),
    [
        (photo(), TWENTY_MB + 1, TOO_LARGE),
        (b"\xff\xd8\xff" + bytes(TWENTY_MB), 1000, NOT_FETCHED),
        (photo()[:300], None, BROKEN),
    ],
    ids=["too large", "larger than it says", "broken"],
)
async def test_photo_that_cannot_be_taken_is_told_to_its_sender(
    stage: Stage, body: bytes, claimed: int | None, sentence: str
) -> None:
    wire = telegram(stage)
    who, where = wire.user(stage.people["王阿姨"]), wire.chat(stage.groups[GROUP])
    said = wire.telegram.say(who, where, WORDS, photo=body, claimed_size=claimed)
    await stage.settle()
    assert [(post.text, post.reply_to) for post in stage.posts(GROUP)] == [(RECEIPT, str(said)), (sentence, str(said))]
    await stage.pass_time(seconds=10)
    assert (stage.stored(), stage.card("张伟").files) == ([], ())
    await goes_on(stage)


# Buttons


@TELEGRAM
async def test_forged_and_foreign_keys_press_nothing(stage: Stage) -> None:
    wire = telegram(stage)
    await stage.say("王阿姨", GROUP, WORDS)
    await stage.pass_time(seconds=10)
    card = next(post for post in wire.telegram.posts(wire.chat(stage.people["张伟"])) if post.all_buttons)
    stolen = card.all_buttons[0].data
    assert stolen is not None
    receipt = stage.last(GROUP).id
    keys = ("forged", "cases.accept:1", "' OR 1=1 --", "键", stolen)
    notices = [wire.forge_press(stage.people["李叔"], stage.groups[GROUP], receipt, key) for key in keys]
    await stage.settle()
    assert [notice() for notice in notices] == [GONE_BUTTON] * len(keys)
    assert (stage.case(FIRST).state, stage.steps(FIRST)) == ("assigned", ["open", "assign"])
    await goes_on(stage)


@TELEGRAM
async def test_button_pressed_by_the_wrong_person_does_nothing(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, WORDS)
    assert await stage.press("李叔", GROUP, "撤销登记") == NOT_YOURS
    assert (stage.texts(GROUP), stage.steps(FIRST)) == ([RECEIPT], ["open", "assign"])
    await goes_on(stage)


@TELEGRAM
async def test_button_pressed_twice_is_done_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, WORDS)
    await stage.pass_time(seconds=10)
    card = stage.card("张伟")
    notices = [stage.tap("张伟", PRIVATE, "接单", of=card) for _ in range(2)]
    await stage.settle()
    assert [notice() for notice in notices] == ["已接单。", GONE_BUTTON]
    assert stage.steps(FIRST) == ["open", "assign", "accept"]
    await goes_on(stage)


# The wire


class HookedWire(TelegramWire):
    """Telegram that calls a webhook: nothing is polled, the test posts the updates itself."""

    async def open(self) -> None:
        await self.telegram.__aenter__()
        self.channel = TelegramChannel(
            token=self.telegram.token,
            base_url=self.telegram.base_url,
            mode="webhook",
            webhook_secret=SECRET,
            public_url="https://bot.example/hooks/telegram",
            pace=QUICK,
        )

    def is_drained(self) -> bool:
        return True

    async def post(self, body: bytes, secret: str) -> int:
        """What the caller at the door for hooks is answered."""
        transport = httpx.ASGITransport(HookDoor({"telegram": self.channel.take_hook}))
        async with httpx.AsyncClient(transport=transport, base_url="https://bot.example") as caller:
            return (await caller.post("/hooks/telegram", content=body, headers={HEADER: secret})).status_code


async def test_webhook_refuses_a_wrong_secret_and_what_is_no_json(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "TelegramWire", HookedWire)
    stage = await raise_stage("telegram", tmp_path / "stage", sqlite_template)
    wire = stage.wire
    assert isinstance(wire, HookedWire)
    try:
        wire.say(stage.people["王阿姨"], stage.groups[GROUP], WORDS)
        update = json.dumps(wire.telegram.queue.pending[-1]).encode()
        assert await wire.post(update, "wrong") == 403
        assert await wire.post(b"{not json", SECRET) == 400
        await stage.settle()
        assert (stage.outcomes(), stage.posts(GROUP)) == ([], [])
        assert await wire.post(update, SECRET) == 200
        await stage.settle()
        assert stage.texts(GROUP) == [RECEIPT]
    finally:
        await stage.close()


@TELEGRAM
async def test_unknown_group_hears_nothing_and_staff_are_told_once(stage: Stage) -> None:
    wire = telegram(stage)
    owner = wire.user(stage.people["李叔"])
    strange = wire.telegram.add_group("生群", [owner], is_supergroup=False, with_bot=False)
    stage.groups["生群"] = wire.note_chat(strange)
    wire.telegram.add_bot(strange, owner)
    await stage.settle()
    await stage.say("李叔", "生群", WORDS)
    await stage.say("李叔", "生群", WORDS, photo=photo())
    assert (stage.posts("生群"), stage.numbers(), stage.texts(STAFF_GROUP)) == ([], [], [UNKNOWN_GROUP])
    await goes_on(stage)


@TELEGRAM
async def test_updates_of_an_unknown_kind_and_shape_are_passed_over(stage: Stage) -> None:
    """A kind that says nothing to us leaves nothing; a message of the wrong shape is kept."""
    telegram(stage).telegram.push_raw(
        {"business_connection": {"id": "x"}}, {"of_next_year": [1]}, {"message": {"text": 1}}
    )
    await stage.settle()
    (kept,) = failed(stage)
    assert (stage.outcomes(), kept.error) == (["failed"], "unreadable")
    assert json.loads(kept.raw or "")["message"] == {"text": 1}
    await goes_on(stage)


# Poison


def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler of reports fails on one text."""
    report = cases.report

    def fails(ctx: Context) -> None:
        if ctx.incoming.text == WORDS:
            raise RuntimeError("poison")
        report(ctx)

    monkeypatch.setattr(cases, "report", fails)


def failed(stage: Stage) -> Sequence[Received]:
    with stage.app.database.reading() as session:
        return session.scalars(select(Received).where(Received.outcome == Outcome.FAILED)).all()


@TELEGRAM
async def test_poison_message_is_kept_for_replay_and_the_rest_of_its_batch_survives(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = telegram(stage)
    with monkeypatch.context() as patched, capture_logs() as logs:
        poisoned(patched)
        wire.telegram.queue.hold()
        for who, text in (("李叔", "8号楼电梯坏了"), ("王阿姨", WORDS), ("小吴", "3号楼楼道灯不亮")):
            wire.say(stage.people[who], stage.groups[GROUP], text)
        wire.telegram.queue.release()
        await stage.settle()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["message_failed"]
    assert stage.outcomes() == ["opened", "failed", "opened"]
    assert stage.texts(GROUP) == [
        f"{FIRST} {LIFT}",
        "BX-20261121-0002 已登记：楼道灯 · 3号楼\n由张网格员负责，11月23日 10:00 前处理。",
    ]
    (kept,) = failed(stage)
    assert (kept.error, msgspec.json.decode(kept.raw or "")["text"]) == ("RuntimeError", WORDS)
    done = await replay(stage.app.database, stage.app.receiver, [], kept.id)
    await stage.settle()
    assert (done.outcome, done.case_number) == ("opened", "BX-20261121-0003")
    assert stage.last(GROUP).text == RECEIPT.replace(FIRST, "BX-20261121-0003")
    await goes_on(stage)


@TELEGRAM
async def test_poison_message_in_private_gets_one_apology(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch)
    await stage.start("王阿姨")
    with capture_logs():
        await stage.say("王阿姨", PRIVATE, WORDS)
    assert (stage.texts("王阿姨")[1:], len(failed(stage))) == ([APOLOGY], 1)
    await goes_on(stage)


# A case's life


def test_random_steps_never_leave_the_table_and_leave_one_event_each(session: Session, now: datetime) -> None:
    place = builders.community(session)

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.sampled_from(list(STEPS)), max_size=15))
    def walk(steps: list[Step]) -> None:
        case = builders.case(session, place, now)
        state, told = State(case.state), len(history(session, case.id))
        accepted: list[tuple[str, str | None, str]] = []
        for step in steps:
            sources, target = STEPS[step]
            if state in sources:
                take_step(session, case, step, now=now)
                accepted.append((step, state, target or state))
                state = target or state
            else:
                with pytest.raises(Refused, match="step_not_allowed"):
                    take_step(session, case, step, now=now)
            assert case.state == state
            assert history(session, case.id)[told:] == accepted

    walk()


def history(session: Session, case_id: int) -> list[tuple[str, str | None, str]]:
    """Step, state before and state after of each event."""
    session.flush()
    query = select(CaseEvent.step, CaseEvent.before, CaseEvent.after).where(CaseEvent.case_id == case_id)
    return [(step, before, after) for step, before, after in session.execute(query.order_by(CaseEvent.id))]

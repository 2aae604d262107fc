"""The simulator's JSON interface over the real made-up platform: every address, taken and refused."""

import asyncio
import base64
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bot.channels.simulator import SimulatorChannel
from bot.simulator.interface import SimulatorInterface
from bot.simulator.platform import SimulatedPlatform
from core.clock import ShiftedClock, in_china
from core.errors import Refused
from core.messages import AttachmentKind, Button, ChatKind, ChatRef, Outgoing, OutgoingAction
from web.simulator import Simulation, simulator_routes

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 24
API = "/simulator/api"
Answer = tuple[int, object]


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass
class Program:
    """Stands for the running program: notes what the simulator asks of it."""

    platform: SimulatedPlatform
    steps: list[str] = field(default_factory=list)
    due: datetime | None = None

    async def settle(self) -> None:
        self.steps.append("settle")

    async def advance_to(self, moment: datetime) -> None:
        self.steps.append("advance")
        if self.due is not None and self.due <= moment:
            self.platform.clock.move_to(self.due)

    def why(self, chat: str, message: str) -> Mapping[str, object] | None:
        return {"kind": "report", "chat": chat} if self.platform.message(message).text == "井盖坏了" else None

    async def next_due(self) -> datetime | None:
        return self.due


@dataclass
class Client:
    """A caller on this machine."""

    http: httpx.AsyncClient
    platform: SimulatedPlatform
    program: Program
    interface: SimulatorInterface

    async def ask(self, method: str, path: str, body: object = None, **more: str) -> Answer:
        answer = await self.http.request(method, API + path, json=body, headers=more)
        return answer.status_code, answer.json()

    async def say(self, text: str, **more: object) -> str:
        status, body = await self.ask("POST", "/messages", {"chat": "g3", "person": "wang", "text": text, **more})
        assert status == 201
        assert isinstance(body, dict)
        return str(body["id"])

    async def post(self, *buttons: Button) -> str:
        """A message of the bot; its id."""
        chat = ChatRef("g3", ChatKind.GROUP)
        channel = SimulatorChannel(self.platform)
        outgoing = Outgoing("1", "simulator", "simulator", OutgoingAction.SEND, chat, text="收到", buttons=(buttons,))
        return (await channel.send(outgoing)).external_id or ""


def app_over(interface: Simulation) -> FastAPI:
    app = FastAPI()
    app.include_router(simulator_routes(interface))
    return app


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    platform = SimulatedPlatform(tmp_path / "simulator.sqlite3", ShiftedClock())
    platform.add_person("王秀英", roles=["居民"], area="3号楼", person_id="wang")
    platform.add_person("李强", person_id="li")
    platform.add_group("和谐家园3号群", area="第三网格", group_id="g3")
    platform.join("g3", "wang")
    program = Program(platform)
    interface = SimulatorInterface(
        platform, settle=program.settle, advance_to=program.advance_to, why=program.why, next_due=program.next_due
    )
    transport = httpx.ASGITransport(app=app_over(interface))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield Client(http, platform, program, interface)
    platform.close()


async def test_people_and_groups_are_listed(client: Client) -> None:
    assert await client.ask("GET", "/people") == (
        200,
        [
            {"id": "wang", "name": "王秀英", "roles": ["居民"], "area": "3号楼"},
            {"id": "li", "name": "李强", "roles": [], "area": ""},
        ],
    )
    assert await client.ask("GET", "/chats") == (
        200,
        [{"id": "g3", "name": "和谐家园3号群", "area": "第三网格", "members": ["wang"]}],
    )


async def test_added_person_can_join_and_leave(client: Client) -> None:
    status, person = await client.ask("POST", "/people", {"name": "新来的", "roles": ["志愿者"], "area": "1号楼"})
    assert isinstance(person, dict)
    assert (status, person | {"id": "?"}) == (
        201,
        {"id": "?", "name": "新来的", "roles": ["志愿者"], "area": "1号楼"},
    )
    member = {"person": person["id"]}
    assert await client.ask("POST", "/chats/g3/join", member) == (200, {"chat": "g3", **member})
    assert client.platform.groups()[0].members == ("wang", person["id"])
    assert await client.ask("POST", "/chats/g3/leave", member) == (200, {"chat": "g3", **member})
    assert client.platform.groups()[0].members == ("wang",)


async def test_message_is_shown_as_it_was_sent(client: Client) -> None:
    first = await client.say("井盖坏了", photos=[packed(PNG)], album="a")
    second = await client.say(
        "在3号楼", reply_to=first, voice=packed(b"OggS"), file={"data": packed(b"1"), "name": "a/b.txt"}
    )
    status, shown = await client.ask("GET", f"/messages?chat=g3&after={first}")
    assert isinstance(shown, list)
    at = in_china(client.platform.message(second).at).isoformat()
    files = [(file.pop("url"), file)[1] for file in shown[0]["files"]]
    assert (status, shown) == (
        200,
        [
            {
                "id": second,
                "chat": "g3",
                "sender": "wang",
                "text": "在3号楼",
                "photos": [],
                "files": files,
                "buttons": [],
                "reply_to": first,
                "at": at,
                "edited": False,
                "deleted": False,
            }
        ],
    )
    assert files == [{"kind": "voice", "name": "", "size": 4}, {"kind": "file", "name": "b.txt", "size": 1}]
    assert [update.album_id for update in client.platform.bot.pending(10)][-2:] == ["g3/a", None]


async def test_photo_comes_back_as_it_was(client: Client) -> None:
    await client.say("", photos=["data:image/png;base64," + packed(PNG)])
    _, shown = await client.ask("GET", "/messages?chat=g3")
    assert isinstance(shown, list)
    answer = await client.http.get(shown[0]["photos"][0])
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PNG, "image/png")


async def test_unknown_bytes_are_only_downloaded(client: Client) -> None:
    page = b"<html><script>alert(1)</script>"
    await client.say("看附件", file=packed(page))
    _, shown = await client.ask("GET", "/messages?chat=g3")
    assert isinstance(shown, list)
    answer = await client.http.get(shown[0]["files"][0]["url"])
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_edit_and_withdrawal_are_shown(client: Client) -> None:
    message = await client.say("3号楼")
    assert await client.ask("PATCH", f"/messages/{message}", {"person": "wang", "text": "5号楼"}) == (
        200,
        {"id": message},
    )
    _, edited = await client.ask("GET", "/messages?chat=g3")
    assert await client.ask("DELETE", f"/messages/{message}?person=wang") == (200, {"id": message})
    _, withdrawn = await client.ask("GET", "/latest")
    assert isinstance(edited, list)
    assert isinstance(withdrawn, list)
    assert [(line["text"], line["edited"], line["deleted"]) for line in edited + withdrawn] == [
        ("5号楼", True, False),
        ("", True, True),
    ]


async def test_button_is_pressed_and_answered(client: Client) -> None:
    message = await client.post(Button("撤销", "undo:1"), Button("台账", url="http://127.0.0.1/desk"))
    _, shown = await client.ask("GET", "/messages?chat=g3")
    assert isinstance(shown, list)
    assert (shown[0]["sender"], shown[0]["buttons"]) == (
        "bot",
        [{"id": "undo:1", "text": "撤销"}, {"id": "link1", "text": "台账", "url": "http://127.0.0.1/desk"}],
    )
    press = {"person": "wang", "message": message, "button": "undo:1"}
    status, made = await client.ask("POST", "/press", press)
    assert isinstance(made, dict)
    expected = {"id": made["id"], "chat": "g3", "message": message, "person": "wang", "answered": False, "text": ""}
    assert (status, made) == (201, expected)
    client.platform.bot.answer_press(made["id"], "已撤销")
    assert await client.ask("GET", f"/press/{made['id']}") == (200, expected | {"answered": True, "text": "已撤销"})


async def test_button_that_was_just_replaced_can_still_be_pressed(client: Client) -> None:
    """Whoever has not seen the edit yet gets the bot's answer, as on any platform."""
    message = await client.post(Button("撤销", "undo:1"))
    channel, chat = SimulatorChannel(client.platform), ChatRef("g3", ChatKind.GROUP)
    edit = Outgoing(
        "2", "simulator", "simulator", OutgoingAction.EDIT, chat, text="已办结", message_id=message, buttons=()
    )
    await channel.send(edit)
    press = {"person": "wang", "message": message, "button": "undo:1"}
    status, made = await client.ask("POST", "/press", press)
    assert isinstance(made, dict)
    assert (status, made["answered"]) == (201, False)
    told = client.platform.bot.pending(100)[-1]
    assert (told.kind, told.button, told.message_id, told.press_id) == ("press", "undo:1", message, made["id"])
    assert (await client.ask("POST", "/press", press | {"button": "forged"}))[0] == 404
    await channel.send(replace(edit, id="3", action=OutgoingAction.DELETE))
    assert (await client.ask("POST", "/press", press))[0] == 404


async def test_why_tells_what_the_program_noted(client: Client) -> None:
    message = await client.say("井盖坏了")
    assert await client.ask("GET", f"/messages/{message}/why") == (200, {"kind": "report", "chat": "g3"})


async def test_settle_waits_for_the_program(client: Client) -> None:
    assert await client.ask("POST", "/settle") == (200, {"settled": True})
    assert client.program.steps == ["settle"]


async def test_clock_goes_forward_through_what_is_due(client: Client) -> None:
    before = client.platform.clock.now()
    client.program.due = before + timedelta(hours=2)
    status, clock = await client.ask("POST", "/clock", {"advance": "PT8H"})
    assert isinstance(clock, dict)
    assert status == 200
    now = datetime.fromisoformat(clock["now"])
    assert timedelta(hours=8) <= now - before < timedelta(hours=8, minutes=1)
    assert now.utcoffset() == timedelta(hours=8)
    assert datetime.fromisoformat(clock["next_due"]) == client.program.due
    assert client.program.steps == ["settle", "advance", "settle"]


async def test_clock_goes_to_a_time_and_stays_there_after_a_restart(client: Client, tmp_path: Path) -> None:
    goal = (in_china(client.platform.clock.now()) + timedelta(days=1)).replace(microsecond=0)
    for words in (goal.isoformat(), (goal + timedelta(hours=1)).replace(tzinfo=None).isoformat()):
        status, _ = await client.ask("POST", "/clock", {"to": words})
        assert status == 200
    client.platform.close()
    again = SimulatedPlatform(tmp_path / "simulator.sqlite3", ShiftedClock())
    assert timedelta(hours=1) <= again.clock.now() - goal < timedelta(hours=1, minutes=1)
    again.close()


async def test_offset_is_kept_when_the_program_fails_on_the_way(client: Client, tmp_path: Path) -> None:
    async def stumble(moment: datetime) -> None:
        client.platform.clock.move_to(moment - timedelta(hours=1))
        raise Refused("simulator.no_why")

    program = client.program
    interface = SimulatorInterface(client.platform, settle=program.settle, advance_to=stumble, why=program.why)
    before = client.platform.clock.now()
    with pytest.raises(Refused):
        await interface.advance(timedelta(hours=5))
    assert await interface.next_due() is None
    client.platform.close()
    again = SimulatedPlatform(tmp_path / "simulator.sqlite3", ShiftedClock())
    assert again.clock.now() - before >= timedelta(hours=4)
    again.close()


SAY = {"chat": "g3", "person": "wang"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/people", {"name": " "}, 400),
        ("POST", "/people", {"name": "长" * 41}, 400),
        ("POST", "/people", {"roles": []}, 400),
        ("POST", "/people", {"name": "王", "roles": [1]}, 400),
        ("POST", "/people", [], 400),
        ("POST", "/chats/g9/join", {"person": "li"}, 404),
        ("POST", "/chats/g3/join", {"person": "nobody"}, 404),
        ("POST", "/chats/private:li/join", {"person": "li"}, 400),
        ("POST", "/chats/g3/leave", {"person": "li"}, 409),
        ("POST", "/messages", SAY, 400),
        ("POST", "/messages", SAY | {"text": "  "}, 400),
        ("POST", "/messages", SAY | {"text": "长" * 4097}, 400),
        ("POST", "/messages", SAY | {"text": 7}, 400),
        ("POST", "/messages", SAY | {"chat": "g9", "text": "好"}, 404),
        ("POST", "/messages", SAY | {"person": "nobody", "text": "好"}, 404),
        ("POST", "/messages", SAY | {"person": "li", "text": "好"}, 403),
        ("POST", "/messages", SAY | {"chat": "private:li", "text": "好"}, 403),
        ("POST", "/messages", SAY | {"text": "好", "reply_to": "12"}, 404),
        ("POST", "/messages", SAY | {"photos": ["不是编码"]}, 400),
        ("POST", "/messages", SAY | {"photos": ["abc"]}, 400),
        ("POST", "/messages", SAY | {"photos": [""]}, 400),
        ("POST", "/messages", SAY | {"photos": [packed(b"not a picture")]}, 400),
        ("POST", "/messages", SAY | {"photos": [packed(PNG)] * 11}, 400),
        ("POST", "/messages", SAY | {"voice": "!"}, 400),
        ("POST", "/messages", SAY | {"file": {"name": "a.txt"}}, 400),
        ("PATCH", "/messages/12", {"person": "wang", "text": "好"}, 404),
        ("PATCH", "/messages/{own}", {"person": "li", "text": "好"}, 403),
        ("PATCH", "/messages/{own}", {"person": "wang", "text": ""}, 400),
        ("PATCH", "/messages/{own}", {"person": "wang", "text": "长" * 4097}, 400),
        ("PATCH", "/messages/{own}", {"person": "wang"}, 400),
        ("PATCH", "/messages/{gone}", {"person": "wang", "text": "好"}, 409),
        ("DELETE", "/messages/{own}", None, 404),
        ("DELETE", "/messages/{own}?person=li", None, 403),
        ("DELETE", "/messages/{gone}?person=wang", None, 409),
        ("DELETE", "/messages/x?person=wang", None, 404),
        ("POST", "/press", {"person": "wang", "message": "{bots}", "button": "forged"}, 404),
        ("POST", "/press", {"person": "wang", "message": "{bots}", "button": "link1"}, 400),
        ("POST", "/press", {"person": "li", "message": "{bots}", "button": "undo:1"}, 403),
        ("POST", "/press", {"person": "wang", "message": "12", "button": "undo:1"}, 404),
        ("POST", "/press", {"person": "wang", "message": "{own}", "button": "undo:1"}, 404),
        ("GET", "/press/12", None, 404),
        ("GET", "/messages", None, 404),
        ("GET", "/messages?chat=g9", None, 404),
        ("GET", "/messages?chat=g3&after=x", None, 400),
        ("GET", "/messages?chat=g3&after=-1", None, 400),
        ("GET", "/messages?chat=g3&after=" + "9" * 30, None, 400),
        ("GET", "/messages/12/why", None, 404),
        ("GET", "/messages/{own}/why", None, 404),
        ("GET", "/photos/12", None, 404),
        ("GET", "/photos/x", None, 404),
        ("POST", "/clock", {}, 400),
        ("POST", "/clock", {"advance": "PT1H", "to": "2099-01-01T00:00:00Z"}, 400),
        ("POST", "/clock", {"advance": "8 hours"}, 400),
        ("POST", "/clock", {"advance": "P"}, 400),
        ("POST", "/clock", {"advance": "PT"}, 400),
        ("POST", "/clock", {"advance": "-PT1H"}, 400),
        ("POST", "/clock", {"advance": "P401D"}, 400),
        ("POST", "/clock", {"advance": "P999999W"}, 400),
        ("POST", "/clock", {"to": "明天"}, 400),
        ("POST", "/clock", {"to": "2001-01-01T00:00:00+08:00"}, 400),
        ("POST", "/clock", {"to": "9999-12-31T23:59:59+00:00"}, 400),
        ("POST", "/clock", {"to": "9999-12-30T23:59:59+08:00"}, 400),
    ],
)
async def test_bad_input_is_refused_with_a_sentence(
    client: Client, method: str, path: str, body: object, status: int
) -> None:
    ids = {"own": await client.say("我说的"), "gone": await client.say("收回的")}
    client.platform.withdraw(ids["gone"], "wang")
    ids["bots"] = await client.post(Button("撤销", "undo:1"), Button("台账", url="http://127.0.0.1/desk"))
    if isinstance(body, dict):
        body = {name: value.format(**ids) if isinstance(value, str) else value for name, value in body.items()}
    before = client.platform.messages("g3"), client.platform.people(), client.platform.groups()
    answered, refusal = await client.ask(method, path.format(**ids), body)
    assert isinstance(refusal, dict)
    assert (answered, list(refusal)) == (status, ["error"])
    assert refusal["error"].endswith(("。", "？"))
    assert (client.platform.messages("g3"), client.platform.people(), client.platform.groups()) == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"chat": "\\ud800"}', b"nonsense"])
async def test_body_that_is_no_json_is_refused(client: Client, body: bytes) -> None:
    answer = await client.http.post(f"{API}/messages", content=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "内容不是有效的 JSON，请检查括号、引号和编码。"}


async def test_fault_in_a_field_is_named(client: Client) -> None:
    _, missing = await client.ask("POST", "/messages", {"chat": "g3"})
    _, wrong = await client.ask("POST", "/messages", SAY | {"photos": [1]})
    assert missing == {"error": "内容不对（整体）：缺少 person。请对照接口说明修改。"}
    assert wrong == {"error": "内容不对（photos[0]）：应为 str，收到的是 int。请对照接口说明修改。"}


async def test_file_over_twenty_megabytes_is_refused(client: Client) -> None:
    most = 20 * 1024 * 1024
    for size, expected in ((most, 201), (most + 1, 413), (most + 9, 413)):
        photo = PNG + bytes(size - len(PNG))
        status, _ = await client.ask("POST", "/messages", SAY | {"photos": [packed(photo)]})
        assert status == expected
    assert [message.files[0].size for message in client.platform.messages("g3")] == [most]


async def test_endless_body_is_not_read_to_its_end(client: Client) -> None:
    sent = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield bytes(100_000)

    answer = await client.http.post(f"{API}/people", content=stream())
    assert (answer.status_code, sent < 20) == (413, True)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8000", None, 200),
        ("localhost:8000", None, 200),
        ("[::1]:8000", None, 200),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", 200),
        ("evil.example", None, 403),
        ("127.0.0.1.evil.example", None, 403),
        ("[::1", None, 403),
        ("127.0.0.1:8000", "http://evil.example", 403),
        ("127.0.0.1:8000", "http://127.0.0.1:9000", 403),
        ("127.0.0.1:8000", "https://127.0.0.1:8000", 403),
        ("127.0.0.1:8000", "null", 403),
    ],
)
async def test_only_this_machine_and_its_page_get_in(
    client: Client, host: str, origin: str | None, status: int
) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    for path in ("", "/api/people"):
        answer = await client.http.get(f"/simulator{path}", headers=headers)
        assert answer.status_code == status


async def test_page_has_no_inline_scripts_and_says_it_is_a_simulation(client: Client) -> None:
    answer = await client.http.get("/simulator")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "本机模拟，不发往外部" in answer.text
    assert not any(mark in answer.text for mark in ("<script>", "<style", " style=", " onclick=", "https://"))


@contextlib.asynccontextmanager
async def served(client: Client) -> AsyncIterator[str]:
    """The same interface on a real socket: an endless answer needs one."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app_over(client.interface), log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        client.platform.feed.close()
        server.should_exit = True
        await serving
        listener.close()


async def test_events_tell_what_happens_and_end_with_the_platform(client: Client) -> None:
    async with (
        served(client) as address,
        httpx.AsyncClient(base_url=address, timeout=5) as http,
        http.stream("GET", f"{API}/events") as stream,
    ):
        lines = stream.aiter_lines()
        while await anext(lines) != ": connected":
            pass
        message = await client.say("井盖坏了")
        bots = await client.post(Button("撤销", "undo:1"))
        press = client.platform.press(bots, "wang", "undo:1")
        client.platform.bot.answer_press(press.id, "已撤销")
        client.platform.join("g3", "li")
        await client.ask("POST", "/clock", {"advance": "PT1M"})
        events: list[tuple[str, dict[str, object]]] = []
        while len(events) < 5:
            line = await anext(lines)
            if line.startswith("event: "):
                data = await anext(lines)
                events.append((line.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        client.platform.feed.close()
        assert [line async for line in lines] in ([], [""])
    assert [(name, data.get("id"), data.get("text")) for name, data in events] == [
        ("message", message, "井盖坏了"),
        ("message", bots, "收到"),
        ("notice", None, "已撤销"),
        ("members", None, None),
        ("clock", None, None),
    ]


async def test_quiet_stream_pulses(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.simulator.feed.PULSE_SECONDS", 0.01)
    async with (
        served(client) as address,
        httpx.AsyncClient(base_url=address, timeout=5) as http,
        http.stream("GET", f"{API}/events") as stream,
    ):
        lines = stream.aiter_lines()
        while await anext(lines) != ": quiet":
            pass


async def test_kinds_of_files_stay_what_they_were(client: Client) -> None:
    await client.say("", photos=[packed(PNG)], voice=packed(b"OggS"), file=packed(b"1"))
    assert [file.kind for file in client.platform.messages("g3")[0].files] == [
        AttachmentKind.PHOTO,
        AttachmentKind.VOICE,
        AttachmentKind.FILE,
    ]

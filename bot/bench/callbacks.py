"""Row 17: encrypted callbacks of WeCom's self-built app through the whole durable path, beside Telegram's webhook, in one run.

The same lines of the same residents, each said to the bot alone: a callback is opened, read, understood, worked and committed before
it is answered. Both programs only take in (`--role intake`): how much leaves is a matter of each platform's limits.
"""

import json
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bot.bench import community
from bot.bench.contenders import check_stored
from bot.bench.figures import Round, Row
from bot.bench.processes import MeasuringError, Server, Shape, run_load
from bot.bench.stage import MOST_PER_SECOND, WARM_UP, Stage
from bot.bench.updates import FIRST_RESIDENT, Update, updates
from bot.channels.wecom.crypto import Envelope

NAME = "企业微信应用的加密回调，整条路径（持久化）每 CPU 秒 / Telegram 的 webhook，同样的话"
FLOOR, GOAL, MOONSHOT = 0.8, 0.9, 1.0
PROGRAM = (sys.executable, "-m", "bot", "run")


@dataclass(frozen=True, slots=True)
class Way:
    """How a line comes in: by which path, as which line of the load's file, to a program with which configuration."""

    path: str
    line: Callable[[Update], bytes]
    config: Callable[[Path, str], Path]


def row(stage: Stage) -> Row:
    """Each round both, in turn."""
    template = stage.data("private")
    community.add_private_chats(template)
    said = list(updates(WARM_UP + int(stage.extent.seconds * MOST_PER_SECOND), is_private=True))
    envelope = Envelope(community.CALLBACK_TOKEN, community.AES_KEY, community.CORP)
    app = Way("/hooks/wecom", lambda update: callback(envelope, update), community.write_wecom_config)
    webhook = Way("/hooks/telegram", lambda update: update.body, community.write_config)
    rounds, shares = [], []
    for number in range(stage.extent.rounds):
        order = (app, webhook) if number % 2 == 0 else (webhook, app)
        figures = {way.path: _per_cpu_second(stage, way, template, said) for way in order}
        rounds.append(Round(figures[app.path][0], figures[webhook.path][0]))
        shares.append([figures[way.path][1] for way in (app, webhook)])
    detail = {"p50_ms": round(shares[-1][0], 1), "p50_ms_telegram": round(shares[-1][1], 1)}
    return Row(17, NAME, "条/CPU 秒", tuple(rounds), FLOOR, GOAL, MOONSHOT, detail=detail)


def callback(envelope: Envelope, update: Update) -> bytes:
    """The query and the body of the same words as WeCom brings them; said again, they come under another seal."""
    message = json.loads(update.body)["message"]
    userid = community.member(message["from"]["id"] - FIRST_RESIDENT)
    text = (
        f"<xml><ToUserName><![CDATA[{community.CORP}]]></ToUserName><FromUserName><![CDATA[{userid}]]></FromUserName>"
        f"<CreateTime>{message['date']}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{message['text']}]]></Content><MsgId>{update.number}</MsgId><AgentID>{community.AGENT}</AgentID></xml>"
    )
    sealed, timestamp, nonce = envelope.seal(text), str(int(time.time())), str(secrets.randbelow(10**10))
    signature = envelope.sign(timestamp, nonce, sealed)
    query = urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": nonce})
    body = (
        f"<xml><ToUserName><![CDATA[{community.CORP}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt>"
        f"<AgentID><![CDATA[{community.AGENT}]]></AgentID></xml>"
    )
    return f"{query}\t{body}".encode()


def _per_cpu_second(stage: Stage, way: Way, template: Path, said: Sequence[Update]) -> tuple[float, float]:
    """How many were committed for each CPU-second of the program, and the middle wait in ms. What it acknowledged must be there."""
    data = community.copy_of(template, stage.folder / "ours")
    bodies = stage.folder / "private.lines"
    bodies.write_bytes(
        b"\n".join(way.line(update) for update in said)
    )  # anew each time: a callback is good for minutes
    command = [*PROGRAM, "--config", str(way.config(data, stage.telegram)), "--role", "intake"]
    greeting = way.line(next(updates(1, first=1, is_private=True)))
    query, _, body = greeting.rpartition(b"\t")
    path = f"{way.path}?{query.decode()}" if query else way.path
    with Server(command, stage.folder / "callbacks.log") as server:
        server.wait_ready(path, community.SECRET, body)
        warm = run_load(server.port, Shape(way.path, community.SECRET, bodies, 0, WARM_UP, 30.0))
        cpu = server.cpu_seconds()
        rest = Shape(way.path, community.SECRET, bodies, WARM_UP, len(said) - WARM_UP, stage.extent.seconds)
        answers = run_load(server.port, rest)
        cpu = server.settled_cpu_seconds() - cpu
    if answers.refused or not answers.acked:
        raise MeasuringError(f"{way.path}: {answers.refused} refused, {len(answers.acked)} taken")
    check_stored(data, said, warm, answers)
    return len(answers.acked) / cpu, answers.wait_ms(0.5)

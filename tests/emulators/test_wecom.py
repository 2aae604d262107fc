"""The emulator against independent peers: wechatpy's own client and parser work on it as they are, but for the address."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from wechatpy.enterprise import WeChatClient, parse_message
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatClientException

from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, OPEN_KFID, TOKEN, WeComEmulator
from tests.emulators.wecom_world import ApiError

Result = TypeVar("Result")


class Moving:
    at = 1_795_000_000.0

    def __call__(self) -> float:
        return self.at


class Peer(WeChatClient):  # type: ignore[misc]  # the library has no types
    """The library's client with another address, and nothing else."""

    def __init__(self, base: str) -> None:
        self.API_BASE_URL = f"{base}/cgi-bin/"
        super().__init__(CORP, APP_SECRET)

    def fetch_access_token(self) -> Any:
        params = {"corpid": self.corp_id, "corpsecret": self.secret}
        return self._fetch_access_token(f"{self.API_BASE_URL}gettoken", params)


async def ask(work: Callable[[], Result]) -> Result:
    return await asyncio.to_thread(work)


async def code_of(work: Callable[[], object]) -> int:
    with pytest.raises(WeChatClientException) as refused:
        await ask(work)
    return int(refused.value.errcode)


async def delivered(wecom: WeComEmulator) -> None:
    while wecom.pending:
        await asyncio.sleep(0.005)


async def test_wechatpys_client_works_on_it() -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        peer = Peer(wecom.base_url)
        answer = await ask(lambda: peer.message.send_text(AGENT, "zhang|Nobody", content="您好"))
        assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody")
        await ask(lambda: peer.message.send_markdown(AGENT, "zhang", content="**您好**"))
        medium = await ask(lambda: peer.media.upload("image", ("a.jpg", b"\xff\xd8\xff" + b"x" * 9)))
        await ask(lambda: peer.message.send_image(AGENT, "zhang", media_id=medium["media_id"]))
        assert [(post.kind, post.text) for post in wecom.posts("zhang")] == [
            ("text", "您好"),
            ("markdown", "**您好**"),
            ("image", ""),
        ]
        assert (
            await ask(lambda: peer.get("media/get", params={"media_id": medium["media_id"]}))
        ).content == b"\xff\xd8\xff" + b"x" * 9
        assert (await ask(lambda: peer.user.get("zhang")))["name"] == "张伟"
        assert await code_of(lambda: peer.user.get("nobody")) == 60111
        wecom.wire.revoke()
        await ask(lambda: peer.message.send_text(AGENT, "zhang", content="新令牌"))
        assert wecom.texts("zhang")[-1] == "新令牌"


async def test_wechatpy_reads_its_callbacks() -> None:
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
    heard: list[Any] = []

    async def take(request: Request) -> Response:
        query = request.query_params
        text = crypto.decrypt_message(await request.body(), query["msg_signature"], query["timestamp"], query["nonce"])
        heard.append(parse_message(text))
        return Response(status_code=200 if len(heard) > 1 else 500)

    async with WeComEmulator() as wecom:
        app = Starlette(routes=[Route("/hooks/{name}", take, methods=["POST"])])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            wecom.connect(client)
            wecom.add_member("zhang", "张伟")
            pushed = wecom.say("zhang", "<b>井盖</b> & ]]> 坏了")
            await delivered(wecom)
            assert pushed.statuses == [500, 200]
            assert [(one.type, one.source, one.content) for one in heard] == [
                ("text", "zhang", "<b>井盖</b> & ]]> 坏了")
            ] * 2
            wecom.event("zhang", "subscribe")
            await delivered(wecom)
            assert heard[-1].event == "subscribe"


SEND = {"touser": "zhang", "agentid": AGENT, "msgtype": "text", "text": {"content": "x"}}
CARD = {
    "card_type": "button_interaction",
    "task_id": "t1",
    "main_title": {"title": "x"},
    "button_list": [{"text": "y", "key": "z"}],
}


def card(**changes: object) -> dict[str, Any]:
    return {**SEND, "msgtype": "template_card", "template_card": {**CARD, **changes}} | {"text": None}


def without_text(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "text"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({**SEND, "text": {"content": "长" * 683}}, 45002),
        ({**SEND, "text": {"content": " "}}, 44004),
        ({**SEND, "colour": "red"}, 40035),
        ({**SEND, "agentid": 1}, 40056),
        ({**SEND, "touser": "nobody"}, 81013),
        ({**SEND, "touser": ""}, 82001),
        ({**SEND, "msgtype": "image", "image": {"media_id": "gone"}}, 40035),
        (without_text(card(main_title={"title": "长" * 27})), 45002),
        (without_text(card(sub_title_text="长" * 113)), 45002),
        (without_text(card(task_id="空")), 42014),
        (without_text(card(button_list=[])), 45008),
        (without_text(card(button_list=[{"text": "x" * 11, "key": "z"}])), 45002),
        (without_text(card(card_type="text_notice")), 40035),
    ],
)
async def test_it_refuses_what_wecom_refuses(given: dict[str, Any], code: int) -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        peer = Peer(wecom.base_url)
        assert await code_of(lambda: peer.post("message/send", data=given)) == code


async def test_limits_move_with_the_clock() -> None:
    now = Moving()
    async with WeComEmulator(now=now, a_minute=3, an_hour=5) as wecom:
        wecom.add_member("zhang", "张伟")
        send = wecom.app.calls()["message/send"]
        for _ in range(4):
            send(SEND)
        now.at += 60
        for _ in range(3):
            send(SEND)
        assert (len(wecom.posts("zhang")), len(wecom.app.dropped)) == (5, 2)
        code = send(without_text(card()))
        now.at += 3600
        code = send(without_text(card(task_id="t2")))["response_code"]
        update = wecom.app.calls()["message/update_template_card"]
        change = {"userids": ["zhang"], "agentid": AGENT, "response_code": code, "button": {"replace_name": "好"}}
        update(change)
        with pytest.raises(ApiError, match="used"):
            update(change)


async def test_kf_window_opens_with_a_word_and_closes_after_five() -> None:
    now = Moving()
    async with WeComEmulator(now=now) as wecom:
        wang = wecom.add_customer("王阿姨")
        send = wecom.kf.calls()["kf/send_msg"]
        words = {"touser": wang, "open_kfid": OPEN_KFID, "msgtype": "text", "text": {"content": "x"}}
        with pytest.raises(ApiError, match="95001"):
            send(words)
        wecom.kf.say(OPEN_KFID, wang, "text", {"content": "在吗"})
        for _ in range(5):
            send(words)
        with pytest.raises(ApiError, match="95001"):
            send(words)
        move = wecom.kf.calls()["kf/service_state/trans"]
        place = {"open_kfid": OPEN_KFID, "external_userid": wang}
        with pytest.raises(ApiError, match="95014"):
            move({**place, "service_state": 3, "servicer_userid": "zhang"})
        wecom.kf.servicers.add("zhang")
        move({**place, "service_state": 3, "servicer_userid": "zhang"})
        wecom.kf.say(OPEN_KFID, wang, "text", {"content": "在吗"})
        with pytest.raises(ApiError, match="95018"):
            send(words)
        with pytest.raises(ApiError, match="95016"):
            move({**place, "service_state": 1})

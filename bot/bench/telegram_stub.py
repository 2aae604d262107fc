"""Stands in for Telegram's side, and for WeCom's: answers what a bot asks at its start, and every send at once. Run by its path.

Prints its address on the first line. Not a judge of what is right: that is the emulator of the test suite.
"""

import asyncio
import itertools
import json

MESSAGE_IDS = itertools.count(1)
ME = {
    "id": 7000001,
    "is_bot": True,
    "first_name": "五微",
    "username": "measured_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": True,
    "supports_inline_queries": False,
}


# Whatever is asked of WeCom, some of these are the answer.
CORP = {
    "errcode": 0,
    "errmsg": "ok",
    "access_token": "measured",
    "expires_in": 7200,
    "name": "居民",
    "msgid": "1",
    "agent_list": [],
    "ip_list": ["127.0.0.1"],
}


def result_of(method: str) -> object:
    if method == "getMe":
        return ME
    if method.startswith(("send", "editMessage")):
        return {"message_id": next(MESSAGE_IDS), "date": 1_795_000_000, "chat": {"id": -1001700000000, "type": "group"}}
    return True


class Answering(asyncio.Protocol):
    """One kept-alive connection of the bot."""

    def __init__(self) -> None:
        self.got = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        while (end := self.got.find(b"\r\n\r\n")) >= 0:
            head = self.got[:end]
            place = head.lower().find(b"content-length:")
            size = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self.got) < end + 4 + size:
                return
            self.got = self.got[end + 4 + size :]
            path = head.split(b" ", 2)[1].decode()
            is_wecom = path.startswith("/cgi-bin/")
            body = json.dumps(CORP if is_wecom else {"ok": True, "result": result_of(path.rsplit("/", 1)[-1])}).encode()
            assert self.transport is not None
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                + str(len(body)).encode()
                + b"\r\n\r\n"
                + body
            )


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

"""Whether WeCom would reach a receive-address of ours, as far as can be told from this machine: it is asked the way WeCom asks."""

import asyncio
import ipaddress
import secrets
import socket
import ssl
import time
from urllib.parse import quote, urlsplit

import httpx

from bot.channels.base import Finding
from bot.channels.certificates import trusted
from bot.channels.wecom.crypto import Envelope

PLACE = "管理后台里“接收消息”的 URL"
WITHIN = 1.0  # seconds in which WeCom wants the answer
TIMEOUT = httpx.Timeout(5.0)
OUTSIDE = "请用手机的流量打开工作台的网址试一试；有些路由器只是不让从里面绕回来，那时不用理会。"
SETTINGS = "写进 web.public_url，它要是 https 开头、外面也打得开的网址。"
ANSWERS = {
    403: (
        "有程序应答，但 Token 或 EncodingAESKey 对不上",
        "请核对密码文件和“接收消息”页面里的两项，改好后重新启动程序；服务器的时间也要准。",
    ),
    404: ("有网站应答，但不认识这个地址", "请检查反向代理有没有把 /hooks/ 转给程序，改过配置后有没有重新启动程序。"),
    502: ("反向代理在，后面的程序没有应答", "请确认程序正在运行，反向代理转到的端口是 web.port。"),
    503: ("程序还没准备好", "请等它启动完再试。"),
    504: ("反向代理在，后面的程序没有应答", "请确认程序正在运行，反向代理转到的端口是 web.port。"),
}


async def address_findings(about: str, public_url: str, path: str, envelope: Envelope) -> list[Finding]:
    """What is wrong with the name of the address, and how it answers. `about` is whose address it is."""
    host = urlsplit(public_url).hostname or ""
    made: list[Finding] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [*made, Finding(False, f"{about}的回调地址：域名 {host} 查不到", f"请检查域名解析；{SETTINGS}")]
    addresses = [ipaddress.ip_address(one[4][0]) for one in found]
    is_here = all(one.is_loopback for one in addresses)
    if is_here:
        made.append(Finding(False, f"{about}的回调地址：{host} 是本机，企业微信到不了", f"请把公网网址{SETTINGS}"))
    elif not any(one.is_global for one in addresses):
        advice = f"请确认从外面查到的是公网地址；{OUTSIDE}"
        made.append(Finding(True, f"{about}的回调地址：{host} 在这里查到的是内网地址", advice))
    # A proxy that the machine goes out by is as good as somebody outside.
    by_proxy = not is_here
    async with httpx.AsyncClient(
        timeout=TIMEOUT, follow_redirects=False, verify=trusted(), trust_env=by_proxy
    ) as client:
        return [*made, await _answer(about, f"{public_url}{path}", envelope, client)]


async def _answer(about: str, url: str, envelope: Envelope, client: httpx.AsyncClient) -> Finding:
    """Proves the address as WeCom does when the clerk presses 保存: a sealed word, to come back in plain."""
    word, timestamp, nonce = secrets.token_hex(8), str(int(time.time())), secrets.token_hex(8)
    sealed = envelope.seal(word)
    fields = {"msg_signature": envelope.sign(timestamp, nonce, sealed), "timestamp": timestamp, "nonce": nonce}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {**fields, "echostr": sealed}.items())
    head = f"{about}的回调地址 {url}："
    began = time.monotonic()
    try:
        answer = await client.get(f"{url}?{query}")
    except httpx.HTTPError as error:
        return Finding(False, f"{head}{_why(error)}", f"请确认程序正在运行、防火墙放行了端口。{OUTSIDE}")
    if answer.status_code == 200 and answer.text == word:
        return _about_time(head, time.monotonic() - began)
    if answer.is_redirect:
        return Finding(False, f"{head}被转到了别处（{answer.status_code}）", f"请把最后到达的网址{SETTINGS}")
    if answer.status_code in ANSWERS:
        words, advice = ANSWERS[answer.status_code]
        return Finding(False, f"{head}{words}（{answer.status_code}）", advice)
    words = "答话的不是这个程序" if answer.status_code == 200 else f"应答不对（{answer.status_code}）"
    return Finding(False, f"{head}{words}", f"请检查反向代理；{PLACE}要和它一样。")


def _about_time(head: str, took: float) -> Finding:
    if took > WITHIN:
        return Finding(False, f"{head}{took:.1f} 秒才应答，企业微信只等 1 秒", "请检查服务器和反向代理是不是太忙。")
    return Finding(True, f"{head}应答正确")


def _why(error: Exception) -> str:
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLError):
            return "证书不被信任或已过期"
        found = found.__cause__ or found.__context__
    return "连不上" if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else "没有应答"

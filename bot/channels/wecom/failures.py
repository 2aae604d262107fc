"""What WeCom and the library answer → what the sender understands (core/errors). Decided by the code, never by the words."""

import re

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError
from wechatpy.exceptions import WeChatClientException

from core.errors import Closed, DeliveryError, Rejected, TryLater, Undeliverable, Unknown

AGAIN = 5.0  # seconds; the sender lengthens its own pauses
MISCONFIGURED = 300.0

# Until somebody changes the set-up nothing of this account goes out.
SET_UP = {
    40001: "应用的 Secret 不对",
    40013: "企业 ID（CorpID）不对",
    40014: "令牌总是被拒绝",
    40056: "应用的 AgentId 不对",
    40091: "Secret 不对",
    42001: "令牌总是过期",
    48002: "应用没有这个接口的权限",
    48004: "接口权限被收回",
    48005: "应用没有这个接口的权限",
    50003: "应用已停用",
    60020: "服务器的 IP 不在“企业可信 IP”里",
    301002: "AgentId 不是这个应用的",
}
NOT_TRUSTED = 60020
OUR_IP = re.compile(r"from ip: ?([0-9A-Fa-f.:]{3,45})")
BUSY = {-1: AGAIN, 45009: 60.0, 45033: 2.0}
# The receiver will not get it, whatever is sent.
NOBODY_THERE = {
    40003: "没有这个成员",
    40031: "没有这个成员",
    40096: "没有这个微信客户",
    50002: "成员已停用",
    60011: "应用的可见范围不含此人",
    60111: "没有这个成员",
    81013: "收信人不存在或不在应用的可见范围内",
    82001: "没有收信人",
    84061: "对方不是客户",
    90501: "不是客户群",
    95004: "没有这个客服账号",
}
# Nothing goes to this customer for now.
SHUT = {
    95001: "微信客服的回复次数或 48 小时期限已用完，请打电话",
    95018: "会话正由人工接待或已结束，机器人不能发",
}
OTHER = {
    81017: "应用可见范围里的群主太多",
    85002: "内容含有平台不允许的词",
    95014: "此人不是这个客服账号的接待人员",
    95016: "会话的状态不允许这样转接",
}
# A file that is asked for is gone for good.
GONE = frozenset({40007, 40008, 45001})


def delivery_error(error: Exception, *, is_repeatable: bool) -> DeliveryError:
    """`is_repeatable` holds for what may be done twice without harm: then an unknown outcome is only a reason to repeat."""
    if isinstance(error, WeChatClientException) and error.errcode is not None:
        return _by_code(int(error.errcode), str(error.errmsg or ""))
    if not may_have_been_done(error) or is_repeatable:
        return TryLater(AGAIN, f"WeCom is out of reach: {type(error).__name__}")
    return Unknown(f"WeCom gave no answer: {type(error).__name__}")


def _by_code(code: int, words: str) -> DeliveryError:
    """Of the platform's words only our own address is used, which nobody else can tell."""
    if code in SET_UP:
        ip = OUR_IP.search(words) if code == NOT_TRUSTED else None
        reason = SET_UP[code].replace("IP", f"IP {ip[1]}", 1) if ip else SET_UP[code]
        return TryLater(MISCONFIGURED, f"{reason}（{code}）", whole_account=True)
    if code in BUSY:
        return TryLater(BUSY[code], f"企业微信请稍后再试（{code}）", whole_account=code == 45009)
    if code in NOBODY_THERE:
        return Undeliverable(f"{NOBODY_THERE[code]}（{code}）")
    if code in SHUT:
        return Closed(f"{SHUT[code]}（{code}）")
    return Rejected(f"{OTHER.get(code, '企业微信不接受这条消息')}（{code}）")


def may_have_been_done(error: Exception) -> bool:
    """False only where the request cannot have reached the platform, or was refused at its door."""
    if isinstance(error, WeChatClientException):
        response = error.response
        return response is None or response.status_code not in (429, 503)
    if isinstance(error, ConnectTimeout):
        return False
    if isinstance(error, RequestsConnectionError) and error.args and isinstance(error.args[0], MaxRetryError):
        return not isinstance(error.args[0].reason, NewConnectionError | NameResolutionError)
    return isinstance(error, RequestException)

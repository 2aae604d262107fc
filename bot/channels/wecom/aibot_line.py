"""How the AI bot's connection is, in words, and how it was: `wuwei check` runs beside the program, and asking anew would push it out."""

import hashlib
from collections.abc import Mapping

from bot.channels.base import Finding
from bot.channels.wecom.aibot_socket import Line, Pace, tried
from core.messages import Bookmark

LINE = "line"  # the bookmark: how the line was last, by which secret, and the platform's code
ABOUT = "企业微信智能机器人"
PLACE = "请在管理后台 → 智能机器人 → API 模式（长连接），复制 Bot ID 和 Secret，写进 wecom.bot_id 和密码文件 wecom_bot_secret。"


def finding(line: Line, code: int) -> Finding:
    """What staff should know of the connection."""
    match line:
        case Line.UP:
            return Finding(True, f"{ABOUT}已连接")
        case Line.TAKEN:
            advice = "同一个智能机器人只能有一个程序连接；请停掉另一个，再重新启动这个。"
            return Finding(False, f"{ABOUT}：连接被另一个程序接管", advice)
        case Line.REFUSED:
            return Finding(False, f"{ABOUT}：ID 或 Secret 不对（{code}）", PLACE)
    if code:
        return Finding(False, f"{ABOUT}：没有连上（{code}）", PLACE)
    return Finding(False, f"{ABOUT}：没有连上", "请检查网络、代理和 wecom.bot_url；程序会一直重试。")


def mark(bot_id: str, secret: str) -> str:
    """By what a secret is known again: the secret itself is kept nowhere."""
    return hashlib.sha256(f"{bot_id} {secret}".encode()).hexdigest()[:16]


def written(line: Line, code: int, bot_id: str, secret: str) -> Bookmark:
    return Bookmark(LINE, f"{line} {mark(bot_id, secret)} {code}")


async def recalled(bookmarks: Mapping[str, str], url: str, bot_id: str, secret: str, pace: Pace) -> Finding:
    """By what the running program wrote down. Only where no program of ours can have the bot, the secret is tried."""
    words = bookmarks.get(LINE, "").split()
    line, known, code = words if len(words) == 3 else ("", "", "0")
    is_same = known == mark(bot_id, secret)
    if not line or (line == Line.REFUSED and not is_same):
        found, refused_with = await tried(url, bot_id, secret, pace)
        return Finding(True, f"{ABOUT}的 ID 和 Secret 正确") if found is Line.UP else finding(found, refused_with)
    if not is_same:
        return Finding(True, f"{ABOUT}的 ID 或 Secret 换过", "对不对，要重新启动程序才知道；不对时工作台会收到通知。")
    if line == Line.UP:
        return Finding(True, f"{ABOUT}上次连接成功，ID 和 Secret 正确")
    return finding(Line(line), int(code))

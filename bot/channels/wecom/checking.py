"""What `wuwei check` asks WeCom, and says in plain Chinese with the place in the admin console where it is mended. Nothing is changed there,
and nobody sees that it was asked.
"""

import re
from urllib.parse import urlsplit

from bot.channels.base import Finding
from bot.channels.wecom.calls import Calls
from bot.channels.wecom.client import Json
from core.errors import DeliveryError

APP = "请在管理后台 → 应用管理 → 自建 → 这个应用"
KF = "请在管理后台 → 应用管理 → 微信客服"
GROUPS = "请在管理后台 → 客户与上下游 → 客户联系"
BUSY = "请过几分钟再运行一次 wuwei check。"
NETWORK = "请检查网络、代理和 wecom.base_url。"
# By the platform's code: where the clerk mends it.
APP_ADVICE = {
    "60020": f"{APP} → 企业可信 IP → 配置，加上上面这个 IP（服务器的公网出口）。",
    "40001": f"{APP}，复制 Secret，写进密码文件 wecom_secret。",
    "40091": f"{APP}，复制 Secret，写进密码文件 wecom_secret。",
    "40013": "请在管理后台 → 我的企业 → 企业信息，复制企业 ID，写进 wecom.corp_id。",
    "40014": f"{APP}，重新复制 Secret；仍不行，请删去数据文件夹里的 tokens 再试。",
    "42001": "请检查服务器的时间是不是准的。",
    "40056": f"{APP}，复制 AgentId，写进 wecom.agent_id。",
    "301002": f"请确认 AgentId 和 Secret 属于同一个应用：{APP.removeprefix('请在')}，两个都重新复制。",
    "48002": f"{APP}，看页面下方的接口权限，开通这一项。",
    "48004": f"{APP}，看有没有违规提示；接口权限被平台收回了。",
    "48005": f"{APP}，看页面下方的接口权限，开通这一项。",
    "50003": f"{APP}，打开右上角的启用。",
    "60011": f"{APP} → 可见范围 → 编辑，加上工作人员所在的部门。",
    "45009": BUSY,
    "45033": BUSY,
}
KF_ADVICE = APP_ADVICE | {
    "60020": f"{APP} → 企业可信 IP → 配置，加上上面这个 IP；微信客服跟着接入它的应用走。",
    "40001": f"{KF} → API，复制 Secret，写进密码文件 wecom_kf_secret。",
    "40091": f"{KF} → API，复制 Secret，写进密码文件 wecom_kf_secret。",
    "40014": f"{KF} → API，重新复制 Secret，写进密码文件 wecom_kf_secret。",
    "48002": f"{KF} → API → 可调用接口的应用，加上这个应用。",
    "48005": f"{KF} → API → 可调用接口的应用，加上这个应用。",
    "60011": f"{KF} → 客服账号，把账号交给这个应用管理。",
    "95004": f"{KF} → 客服账号，核对 wecom.kf_accounts 里的编号。",
}
GROUP_ADVICE = APP_ADVICE | {
    "48002": f"{GROUPS} → API → 可调用接口的应用，加上这个应用。",
    "48005": f"{GROUPS} → API → 可调用接口的应用，加上这个应用。",
    "81017": f"{APP} → 可见范围 → 编辑，缩小到本社区的人员：群主超过 1,000 人，平台就不给出客户群。",
}
CODE = re.compile(r"（(-?\d+)）")


async def app_findings(calls: Calls, agent_id: int, sign_in_host: str) -> list[Finding]:
    """The secret, the trusted IP and the app itself; where they hold also whom it may see and where it may send people who sign in.

    `sign_in_host` is empty where nobody signs in by WeCom.
    """
    about = "企业微信自建应用"
    try:
        found = await calls.get("agent/get", agentid=str(agent_id))
    except DeliveryError as error:
        return [trouble(about, error, APP_ADVICE)]
    if str(found.get("close", 0)) == "1":
        return [Finding(False, f"{about}已停用", APP_ADVICE["50003"])]
    made = [Finding(True, f"{about}“{found.get('name', '')}”可以使用")]
    if not _sees_anybody(found):
        made.append(Finding(False, f"{about}的可见范围是空的，谁也收不到消息", APP_ADVICE["60011"]))
    if sign_in_host and _host(str(found.get("redirect_domain", ""))) != sign_in_host:
        advice = f"{APP} → 网页授权及 JS-SDK → 可信域名，写 {sign_in_host}；再到企业微信授权登录 → Web 网页，也写它。"
        made.append(Finding(False, "工作台的域名不是这个应用的可信域名，用企业微信登录不了（50001）", advice))
    return made


def _sees_anybody(found: Json) -> bool:
    """Where the platform tells nothing of the range, nothing is said against it."""
    ranges = [found[name] for name in ("allow_userinfos", "allow_partys", "allow_tags") if name in found]
    return not ranges or any(any(one.values()) for one in ranges if isinstance(one, dict))


def _host(address: str) -> str:
    return (urlsplit(address if "//" in address else f"//{address}").hostname or "").lower()


async def kf_findings(calls: Calls, wanted: tuple[str, ...]) -> list[Finding]:
    """`wanted` are the accounts that the configuration names."""
    try:
        found = await calls.get("kf/account/list")
    except DeliveryError as error:
        return [trouble("微信客服", error, KF_ADVICE)]
    accounts = [one for one in found.get("account_list") or () if isinstance(one, dict)]
    if not accounts:
        return [Finding(False, "微信客服没有可用的客服账号", f"{KF} → 客服账号，创建一个，并交给这个应用管理。")]
    made = []
    for one in accounts:
        if one.get("manage_privilege") is False:
            about = f"微信客服的账号“{one.get('name', '')}”没有交给这个应用管理，收发不了消息"
            made.append(Finding(False, about, f"{KF} → API → 可调用接口的应用 → 企业内部开发，给这个应用勾上它。"))
    for open_kfid in sorted(set(wanted) - {str(one.get("open_kfid")) for one in accounts}):
        made.append(Finding(False, f"微信客服没有 {open_kfid} 这个账号", KF_ADVICE["95004"]))
    names = "、".join(str(one.get("name", "")) for one in accounts)
    return made or [Finding(True, f"微信客服可以使用：{names}")]


async def group_findings(calls: Calls) -> list[Finding]:
    try:
        await calls.post("externalcontact/groupchat/list", {"status_filter": 0, "limit": 1}, is_repeatable=True)
    except DeliveryError as error:
        return [trouble("客户群", error, GROUP_ADVICE)]
    return [Finding(True, "客户群可以读取；公告由群主在企业微信里点“发送”")]


def trouble(about: str, error: DeliveryError, advice: dict[str, str]) -> Finding:
    """A refusal with what to do about it; without a code of the platform's it is the way there that is broken."""
    code = CODE.search(error.reason)
    known = advice.get(code[1], "请把这个号码告诉维护人员。") if code else NETWORK
    return Finding(False, f"{about}：{error.reason}", known)

"""What `wuwei check` asks WeCom, read-only, and says in plain Chinese."""

from bot.channels.base import Finding
from bot.channels.wecom.calls import Calls
from core.errors import DeliveryError

ADVICE = {
    "60020": "请在企业微信管理后台 → 应用管理 → 这个应用 → 企业可信 IP，加上服务器的公网 IP。",
    "40001": "请在管理后台复制应用的 Secret，写进密码文件。",
    "40013": "请在管理后台 → 我的企业，复制企业 ID，写进 wecom.corp_id。",
    "40056": "请在管理后台 → 应用管理，复制 AgentId，写进 wecom.agent_id。",
    "301002": "请确认 AgentId 和 Secret 属于同一个应用。",
    "48002": "请在管理后台给应用开通这个接口的权限；微信客服要在“可调用接口的应用”里加上它。",
    "50003": "请在管理后台启用这个应用。",
}
NETWORK = "请检查网络、代理和 wecom.base_url。"


async def app_findings(calls: Calls, agent_id: int) -> list[Finding]:
    try:
        found = await calls.get("agent/get", agentid=str(agent_id))
    except DeliveryError as error:
        return [_trouble("企业微信自建应用", error)]
    if str(found.get("close", 0)) == "1":
        return [Finding(False, "企业微信自建应用已停用", ADVICE["50003"])]
    return [Finding(True, f"企业微信自建应用“{found.get('name', '')}”可以使用")]


async def kf_findings(calls: Calls) -> list[Finding]:
    try:
        found = await calls.get("kf/account/list")
    except DeliveryError as error:
        return [_trouble("微信客服", error)]
    names = "、".join(str(one.get("name", "")) for one in found.get("account_list", []))
    if not names:
        return [
            Finding(False, "微信客服没有可用的客服账号", "请在管理后台 → 微信客服，新建客服账号并交给这个应用管理。")
        ]
    return [Finding(True, f"微信客服可以使用：{names}")]


def _trouble(about: str, error: DeliveryError) -> Finding:
    advice = next((words for code, words in ADVICE.items() if f"（{code}）" in error.reason), NETWORK)
    return Finding(False, f"{about}：{error.reason}", advice)

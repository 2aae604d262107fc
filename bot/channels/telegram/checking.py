"""What `wuwei check` asks Telegram, read-only, and says in plain Chinese."""

from telegram import Bot, User, WebhookInfo
from telegram.error import InvalidToken, TelegramError

from bot.channels.base import Finding
from bot.channels.telegram.failures import without_token

MANY_PENDING = 100


async def findings(bot: Bot, *, token: str, mode: str, public_url: str) -> list[Finding]:
    try:
        me = await bot.get_me()
        hook = await bot.get_webhook_info()
    except InvalidToken:
        return [Finding(False, "Telegram 令牌无效", "请在 @BotFather 里重新取得令牌，写进 telegram.token。")]
    except TelegramError as error:
        reason = without_token(str(error), token)
        return [Finding(False, f"连不上 Telegram（{reason}）", "请检查网络、代理和 telegram.base_url。")]
    return [*_about_bot(me), _about_mode(hook, mode, public_url), *_about_delivery(hook)]


def _about_bot(me: User) -> list[Finding]:
    found = [Finding(True, f"Telegram 令牌有效，机器人是 @{me.username}")]
    if me.can_read_all_group_messages:
        found.append(Finding(True, "隐私模式已关闭，看得到群里的全部消息"))
    else:
        advice = (
            "在群里只看得到命令、@ 机器人和回复机器人的消息。请在 @BotFather 里用 /setprivacy 选 Disable，"
            "再把机器人移出群后重新加入；或者把它设为群管理员。"
        )
        found.append(Finding(False, "隐私模式还开着", advice))
    if me.can_join_groups is False:
        found.append(Finding(False, "机器人不能被拉进群", "请在 @BotFather 里用 /setjoingroups 选 Enable。"))
    return found


def _about_mode(hook: WebhookInfo, mode: str, public_url: str) -> Finding:
    if mode == "polling":
        if hook.url:
            advice = "请确认没有别的程序在用这个机器人；启动时会取消推送地址，改为轮询。"
            return Finding(False, "配置是轮询，但 Telegram 上还登记着推送地址", advice)
        return Finding(True, "轮询方式，没有登记推送地址")
    if not public_url.startswith("https://"):
        return Finding(False, "推送地址不是 https", "请把 web.public_url 写成 https:// 开头的公网地址，或改用轮询。")
    if not hook.url:
        return Finding(
            False, "配置是推送，但 Telegram 上没有登记推送地址", "启动程序时会自动登记；若已启动，请查看日志。"
        )
    if hook.url != public_url:
        return Finding(False, "登记的推送地址与配置不同", "请检查 web.public_url；重新启动程序会登记新地址。")
    return Finding(True, "推送地址已登记")


def _about_delivery(hook: WebhookInfo) -> list[Finding]:
    found = []
    if hook.pending_update_count > MANY_PENDING:
        about = f"有 {hook.pending_update_count} 条消息还没取走"
        found.append(Finding(False, about, "请确认程序在运行；推送方式请确认公网地址能访问。"))
    if hook.last_error_message:
        about = f"Telegram 最近一次推送失败：{hook.last_error_message}"
        found.append(Finding(False, about, "请检查公网地址、证书和反向代理。"))
    return found

"""Which channels an installation has switched on: one visible list."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.channels.base import Channel
from core.config import Settings
from core.messages import MenuItem

if TYPE_CHECKING:
    from bot.channels.telegram.login import LoginServer


def make_channels(settings: Settings, commands: Sequence[MenuItem]) -> list[Channel]:
    """The channels that the configuration names. `commands` go into each platform's menu."""
    channels: list[Channel] = []
    telegram = settings.telegram
    if telegram.token.get_secret_value():
        from bot.channels.telegram import TelegramChannel  # noqa: PLC0415 - slow, and of no use without a token

        channels.append(
            TelegramChannel(
                token=telegram.token.get_secret_value(),
                base_url=telegram.base_url,
                mode=telegram.mode,
                webhook_secret=telegram.webhook_secret.get_secret_value(),
                public_url=f"{settings.web.public_url}/hooks/telegram",
                poll_seconds=telegram.poll_seconds,
                commands=commands,
            )
        )
    channels += _wecom(settings, commands)
    channels += _wecom_bots(settings)
    return channels


def make_login_server(settings: Settings) -> "LoginServer | None":
    """Telegram's newer login, where it is set up."""
    telegram = settings.telegram
    if not telegram.has_login_server:
        return None
    from bot.channels.telegram.login import LoginServer  # noqa: PLC0415 - of no use without a secret

    return LoginServer(telegram.login_url, telegram.bot_id, telegram.login_secret.get_secret_value())


def _wecom(settings: Settings, commands: Sequence[MenuItem]) -> list[Channel]:
    wecom = settings.wecom
    if not (wecom.has_app or wecom.has_kf):
        return []
    from bot.channels.wecom.app import AppChannel, Corp  # noqa: PLC0415 - slow, and of no use without a corp
    from bot.channels.wecom.kf import KfChannel  # noqa: PLC0415

    app = Corp(
        wecom.corp_id,
        wecom.secret.get_secret_value(),
        wecom.callback_token.get_secret_value(),
        wecom.aes_key.get_secret_value(),
        base_url=wecom.base_url,
        token_folder=settings.data_folder / "tokens",
        public_url=settings.web.public_url,
    )
    kf = None
    if wecom.has_kf:
        corp = replace(app, secret=wecom.kf_secret.get_secret_value(), public_url="")
        if not wecom.shares_address:
            token, key = wecom.kf_callback_token.get_secret_value(), wecom.kf_aes_key.get_secret_value()
            corp = replace(corp, callback_token=token, aes_key=key, public_url=app.public_url)
        kf = KfChannel(corp, open_kfids=wecom.kf_accounts)
    made: list[Channel] = [] if kf is None else [kf]
    if not wecom.has_app:
        return made
    others = kf.take_event if kf is not None else _nobody
    host = (urlsplit(settings.web.public_url).hostname or "") if wecom.sign_in else ""
    groups = None
    if wecom.customer_groups:
        from bot.channels.wecom.customer_groups import CustomerGroupChannel  # noqa: PLC0415 - as above

        groups = CustomerGroupChannel(app, start_link=(lambda: kf.abilities.start_link) if kf else str)
        made.append(groups)
    taker = groups.take_event if groups is not None else None
    made.append(
        AppChannel(
            app,
            agent_id=wecom.agent_id,
            commands=commands,
            others=others,
            groups=taker,
            sign_in_host=host,
            has_headings=wecom.markdown,
        )
    )
    return made


def _wecom_bots(settings: Settings) -> list[Channel]:
    """The AI bot, by its long connection or called, and the group robots."""
    wecom = settings.wecom
    made: list[Channel] = []
    if wecom.has_bot:
        from bot.channels.wecom.aibot import AibotChannel, Bot  # noqa: PLC0415 - slow, and of no use without a bot
        from bot.channels.wecom.aibot_hook import AibotHookChannel  # noqa: PLC0415

        bot = Bot(
            wecom.bot_id,
            wecom.bot_secret.get_secret_value(),
            wecom.bot_name,
            wecom.bot_url,
            wecom.bot_callback_token.get_secret_value(),
            wecom.bot_aes_key.get_secret_value(),
        )
        if wecom.is_bot_called:
            made.append(AibotHookChannel(bot, base_url=wecom.base_url, public_url=settings.web.public_url))
        else:
            made.append(AibotChannel(bot))
    if wecom.robots:
        from bot.channels.wecom.robot import Robot, RobotChannel  # noqa: PLC0415 - of no use without a robot

        made += [
            RobotChannel(Robot(one.key.get_secret_value(), one.title, one.code, one.mentions, wecom.base_url))
            for one in wecom.robots
        ]
    return made


def _nobody(text: str) -> bool:  # noqa: ARG001 - no text is anybody else's
    return False

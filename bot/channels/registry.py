"""Which channels an installation has switched on: one visible list."""

from collections.abc import Sequence

from bot.channels.base import Channel
from core.config import Settings


def make_channels(settings: Settings, commands: Sequence[tuple[str, str]]) -> list[Channel]:
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
    return channels

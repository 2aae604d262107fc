"""Telegram, on python-telegram-bot's `Bot`. Nothing outside this folder knows how Telegram looks."""

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.polling import Pace
from bot.channels.telegram.reading import to_incoming

__all__ = ["Pace", "TelegramChannel", "to_incoming"]

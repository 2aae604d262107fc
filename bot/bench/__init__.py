"""What the program can do on this machine, measured beside others in the same run. Not needed for running."""

from bot.bench.command import main

__all__ = ["main"]

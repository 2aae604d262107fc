"""How a command ends when it cannot go on: our own exceptions as Chinese lines on stderr, never a traceback with data in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from core.errors import ConfigError, ImportFaults, Refused
from core.texts import say

CONFIG_EXIT, REFUSED_EXIT = 2, 1


@contextmanager
def told() -> Iterator[None]:
    """Tells a person what is wrong and exits; anything that is not ours is a bug and is let through."""
    try:
        yield
    except ConfigError as error:
        _tell(error.faults)
        raise SystemExit(CONFIG_EXIT) from None
    except ImportFaults as error:
        _tell(error.faults)
        raise SystemExit(REFUSED_EXIT) from None
    except Refused as error:
        _tell([say(error.key, **error.blanks)])
        raise SystemExit(REFUSED_EXIT) from None


def _tell(lines: Iterator[str] | tuple[str, ...] | list[str]) -> None:
    for line in lines:
        typer.echo(line, err=True)

"""Structured logs: ids and names of things, never names, numbers or texts of people. Libraries that log bodies are silenced."""

import logging
import re
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import structlog

from core.config import LogSettings
from core.privacy import mask

LOUD_LIBRARIES = ("httpx", "httpcore", "telegram", "apscheduler", "urllib3", "uvicorn.access", "multipart", "jieba")
TOKEN = re.compile(r"\b(?:bot)?\d{6,12}:[A-Za-z0-9_-]{30,}")
# Links and addresses with something secret in them: sign-in tokens, and the password of a database.
LINK = re.compile(r"(/sign-in/)[A-Za-z0-9_-]+")
PASSWORD = re.compile(r"(://[^:/@\s]+:)[^@\s/]+(?=@)")
# We log in English: whatever Chinese stands in a line was written by a person, or names one.
CHINESE = re.compile(r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
MOBILES = range(13_000_000_000, 20_000_000_000)
MOBILE_LENGTH = 11
FRAMES = 25
LONGEST_CHAIN = 8

Fault = tuple[type[BaseException], BaseException, TracebackType | None]


def set_up(settings: LogSettings) -> None:
    """Afterwards everything logged by us and by libraries goes through one masked stream."""
    level = logging.getLevelName(settings.level.upper())
    for name in LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A stroke of the clock that is left out, because the one before is still at work, is no fault.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.as_json
        # The plain one: the library's pretty tracebacks show the values of variables.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_told),
        scrub,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _told(exc_info: Fault) -> str:
    """Where a fault came from: kinds and lines of code, without the values of variables and without what the fault says.

    Its words may quote a row or a message; only the system's and the database's own are kept, and those by their first line.
    """
    lines: list[str] = []
    fault: BaseException | None = exc_info[1]
    while fault is not None and len(lines) < LONGEST_CHAIN:
        frames = traceback.format_tb(fault.__traceback__)[-FRAMES:]
        lines.append("".join(frames) + f"{type(fault).__module__}.{type(fault).__qualname__}{_words(fault)}")
        fault = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    return "\nbecause of:\n".join(lines)


def _words(fault: BaseException) -> str:
    if isinstance(fault, OSError):
        return f": {fault.strerror}" if fault.strerror else ""
    driver = getattr(fault, "orig", None)
    if isinstance(driver, Exception) and type(fault).__name__ in ("OperationalError", "IntegrityError"):
        first_line = (str(driver).splitlines() or [""])[0]
        return f": {first_line}"
    return ""


def scrub(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes tokens, numbers of people and everything written in Chinese out of a log line, however deep it lies."""
    for key, value in event.items():
        # structlog's own: what the formatter still needs of the record.
        if not key.startswith("_"):
            event[key] = value if key == "timestamp" else _clean(value, is_id=key == "id" or key.endswith("_id"))
    return event


def _clean(value: Any, *, is_id: bool = False) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return "***" if value in MOBILES and not is_id else value
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(inner, is_id=is_id) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner, is_id=is_id) for inner in value]
    text = PASSWORD.sub(r"\1***", LINK.sub(r"\1***", TOKEN.sub("***", str(value))))
    if is_id and text.lstrip("-").isdecimal() and len(text) != MOBILE_LENGTH:
        return text
    return CHINESE.sub("…", mask(text))

"""Structured logs: ids and names of things, never names, numbers or texts of people. Libraries that log bodies are silenced."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from core.config import LogSettings
from core.privacy import mask

LOUD_LIBRARIES = ("httpx", "httpcore", "telegram", "apscheduler", "urllib3", "uvicorn.access", "multipart", "jieba")
TOKEN = re.compile(r"\b\d{6,12}:[A-Za-z0-9_-]{30,}\b|bot\d{6,12}:[A-Za-z0-9_-]+")


def set_up(settings: LogSettings) -> None:
    """Afterwards everything logged by us and by libraries goes through one masked stream."""
    level = logging.getLevelName(settings.level.upper())
    for name in LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if settings.as_json else structlog.dev.ConsoleRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def scrub(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes tokens, telephone and identity numbers out of every text in a log line."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("id", "timestamp"):
            event[key] = mask(TOKEN.sub("***", value))
    return event

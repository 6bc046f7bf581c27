"""Logs: structured, for people or machines, without secrets."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from typing import Any

import structlog

SECRET_NAMES = ("token", "secret", "password", "authorization", "api_key", "raw_key", "code_verifier")


def hide_secrets(_: Any, __: str, event: Any) -> Any:
    """Blank every value whose name says that it is a secret."""
    for name in event:
        if _is_secret(name):
            event[name] = "…"
    return event


@lru_cache(1000)
def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_NAMES)


def configure(format: str = "console", level: str = "info") -> None:
    """Set up logging for the whole process, to standard error."""
    number = getattr(logging, level.upper(), logging.INFO)
    renderer = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("pgqueuer", "alembic", "uvicorn.access", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def logger(name: str) -> Any:
    return structlog.get_logger(name)

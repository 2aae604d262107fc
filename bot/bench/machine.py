"""What the figures were measured on: without it they mean nothing."""

import os
import platform
import sqlite3
import statistics
import sys
import time
from importlib import metadata
from pathlib import Path

NAMED = ("sqlalchemy", "uvicorn", "python-telegram-bot", "nonebot2", "nonebot-adapter-telegram", "apscheduler")
WRITES = 200


def describe(folder: Path) -> dict[str, object]:
    """Processor, system, versions, and how long this disk takes to make 4 KiB durable."""
    median, worst = fdatasync_ms(folder)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "versions": {name: version for name in NAMED if (version := version_of(name))},
        "fdatasync_ms": {"median": round(median, 3), "p99": round(worst, 3)},
        "at": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def fdatasync_ms(folder: Path) -> tuple[float, float]:
    """Median and 99th percentile of writing 4 KiB and waiting until the disk has them. It decides what a commit costs."""
    file = folder / "fdatasync"
    handle = os.open(file, os.O_CREAT | os.O_WRONLY)
    wait = getattr(os, "fdatasync", os.fsync)
    taken = []
    try:
        for _ in range(WRITES):
            started = time.perf_counter()
            os.pwrite(handle, b"x" * 4096, 0)
            wait(handle)
            taken.append((time.perf_counter() - started) * 1000)
    finally:
        os.close(handle)
        file.unlink()
    return statistics.median(taken), sorted(taken)[int(WRITES * 0.99)]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

"""A disk that takes 3 ms longer to make something durable: twelve lines of C put before the C library."""

import shutil
import subprocess
import sys
from pathlib import Path

PAUSE_SECONDS = 0.003
SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static int later(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    usleep(3000);
    return real(fd);
}
int fsync(int fd) { return later("fsync", fd); }
int fdatasync(int fd) { return later("fdatasync", fd); }
"""


class NoCompiler(Exception):
    """Why the slow disk cannot be made here."""


def build(folder: Path) -> Path:
    """The library to preload."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        raise NoCompiler("需要 Linux 和 C 编译器（cc）才能模拟慢磁盘")
    library, source = folder / "slow_disk.so", folder / "slow_disk.c"
    source.write_text(SOURCE, encoding="utf-8")
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NoCompiler(f"编译慢磁盘的模拟没有成功：{done.stderr.strip()[:200]}")
    return library

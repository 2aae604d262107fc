"""`wuwei bench`: hands over to bot/bench, which is not needed for running and may be left out of an installation."""

import importlib
import importlib.util

from core.errors import ConfigError


def bench(rows: str, *, is_quick: bool, as_json: bool) -> None:
    wanted = []
    for word in rows.replace("，", ",").split(","):
        if word.strip() and not word.strip().isdecimal():
            raise ConfigError([f"--rows 要写数字，用逗号分开，例如 1,3；读不懂“{word.strip()}”"])
        if word.strip():
            wanted.append(int(word))
    if importlib.util.find_spec("bot.bench") is None:
        raise ConfigError(["这个安装里没有性能测量的部分（bot/bench）；请用完整的源代码文件夹运行"])
    importlib.import_module("bot.bench.command").main(wanted or None, is_quick, as_json)

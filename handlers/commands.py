"""The commands: what people type by themselves, its words, and its line of help on the platform's menu."""

from collections.abc import Callable
from dataclasses import dataclass

from core.messages import MenuItem
from handlers import cases, start, tasks, wishes
from handlers.context import Context


@dataclass(frozen=True, slots=True)
class Command:
    """A Latin command for the platform's menu and the Chinese words that do the same as plain text, the last of them its title there."""

    name: str
    words: tuple[str, ...]
    help: str
    run: Callable[[Context], None]
    is_in_menu: bool = True
    is_first: bool = False


COMMANDS = (
    Command("help", ("怎么用", "帮助"), "看我能做什么", start.help_text, is_first=True),
    Command("mine", ("我的登记", "我的"), "查看我登记的事", cases.mine, is_first=True),
    Command("wishes", ("心愿", "心愿墙"), "查看待实现的心愿", wishes.wall),
    Command("claims", ("我的认领",), "我认领的心愿", wishes.mine, is_in_menu=False),
    Command("tasks", ("任务", "待办", "我的任务"), "网格员：我手上的待办", tasks.tasks, is_first=True),
    Command("login", ("登陆", "登录"), "工作人员：取得工作台链接", start.sign_in),
    Command("link", ("我的另一个账号", "绑定另一个账号"), "绑定我的另一个账号", start.own_account, is_in_menu=False),
    Command("cancel", ("放弃", "取消"), "放弃正在回答的问题", start.cancel),
    Command("start", (), "开始", start.start, is_in_menu=False),
)
# A command with something behind it.
BIND_WORDS = ("/bind", "绑定")

BY_TEXT: dict[str, Command] = {text: command for command in COMMANDS for text in (f"/{command.name}", *command.words)}


def menu() -> tuple[MenuItem, ...]:
    """The commands for a platform's menu."""
    return tuple(
        MenuItem(command.name, command.words[-1], command.help, is_first=command.is_first)
        for command in COMMANDS
        if command.is_in_menu
    )

# ruff: noqa: PLC0415 - the parts are imported by the command that needs them, so that `wuwei --help` answers at once
"""The words of the command line: names, options and help. What they do is in bot/commands, one file a noun."""

from pathlib import Path
from typing import Annotated

import typer

from bot.collecting import collect_rarely

GROUP = {"no_args_is_help": True}

app = typer.Typer(
    name="wuwei",
    help="五微：住在居民群里的社区机器人。",
    no_args_is_help=True,
    add_completion=False,
    # A fault's locals may hold a resident's words or a token.
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="数据库：升级、备份、恢复。", **GROUP)  # type: ignore[arg-type]  # one table of options for all groups
bring_in = typer.Typer(help="从 Excel、CSV 或 TOML 文件导入；要么全部成功，要么什么都不改。", **GROUP)  # type: ignore[arg-type]
nlp = typer.Typer(help="看机器人怎样理解一句话，好不好。", **GROUP)  # type: ignore[arg-type]
key = typer.Typer(help="敏感信息的密钥。", **GROUP)  # type: ignore[arg-type]
app.add_typer(db, name="db")
app.add_typer(bring_in, name="import")
app.add_typer(nlp, name="nlp")
app.add_typer(key, name="key")

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="配置文件；不写时用当前文件夹里的 config.toml（如果有）。"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON。")]
Lines = Annotated[Path, typer.Argument(metavar="FILE.jsonl", help='每行一个 JSON 对象，文字在 "text" 里。')]


def main() -> None:
    """Runs the command line; our own refusals end in Chinese lines on stderr and exit code 2 (configuration) or 1."""
    collect_rarely()
    from bot.commands.faults import told

    with told():
        app()


@app.command()
def run(
    config: Config = None,
    role: Annotated[
        str, typer.Option("--role", help="这个进程做什么，用逗号分开：intake,sender,clock,web；不写就是全部。")
    ] = "",
) -> None:
    """正式运行，直到收到停止信号。"""
    from bot.commands import running

    running.run(config, role)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="网页的端口；0 表示随便选一个空的。")] = 8600,
    data: Annotated[Path, typer.Option(metavar="DIR", help="演示数据放在哪个文件夹。")] = Path("data/demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="丢掉上次的演示数据，重新开始。")] = False,
    terminal: Annotated[bool, typer.Option("--terminal", help="另外在这个终端里当一位居民，直接打字。")] = False,
) -> None:
    """打开一个虚构的社区，在浏览器里试用；不需要任何账号，只在本机。"""
    from bot.commands import running

    running.demo(port, data, is_fresh=fresh, in_terminal=terminal)


@app.command()
def check(config: Config = None) -> None:
    """检查配置、数据库、密钥和各平台，用平常话说出哪里不对；有问题时退出码是 1。"""
    from bot.commands import checking

    checking.check(config)


@app.command()
def replay(
    received: Annotated[int, typer.Argument(metavar="ID", help="处理失败的消息的编号。")], config: Config = None
) -> None:
    """重新处理一条出过差错的消息。"""
    from bot.commands import messages

    messages.replay(config, received)


@app.command()
def admin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="管理员的姓名。")],
    community: Annotated[str, typer.Option(help="社区的名称或编号；只有一个社区时不用写。")] = "",
    config: Config = None,
) -> None:
    """设一位系统管理员，并给出一次性的登录链接；人已经在时只给链接。"""
    from bot.commands import people

    people.admin(config, name, community)


@app.command()
def bench(
    rows: Annotated[str, typer.Option(metavar="1,3", help="只测这几行。")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="少测几轮，只看大概。")] = False,
    as_json: AsJson = False,
) -> None:
    """测量性能。"""
    from bot.commands import measuring

    measuring.bench(rows, is_quick=quick, as_json=as_json)


@db.command("upgrade")
def db_upgrade(config: Config = None) -> None:
    """把数据库升级到这个程序的版本。"""
    from bot.commands import database

    database.upgrade(config)


@db.command("backup")
def db_backup(file: Annotated[Path, typer.Argument(metavar="FILE")], config: Config = None) -> None:
    """备份数据库和照片到一个 .tar.gz 文件；程序运行时也可以。密钥不在里面。"""
    from bot.commands import database

    database.back_up(config, file)


@db.command("restore")
def db_restore(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="数据文件夹不是空的也恢复；原来的文件夹改名保留。")] = False,
) -> None:
    """从备份恢复；没发出的消息先扣住，编号往前跳，不会重号、不会重发。"""
    from bot.commands import database

    database.restore(config, file, is_forced=force)


@bring_in.command("areas")
def import_areas(file: Annotated[Path, typer.Argument(metavar="FILE")], config: Config = None) -> None:
    """导入网格：街道、社区、网格、微网格、楼栋、户。"""
    from bot.commands import importing

    importing.areas(config, file)


@bring_in.command("people")
def import_people(file: Annotated[Path, typer.Argument(metavar="FILE")], config: Config = None) -> None:
    """导入人员和岗位。"""
    from bot.commands import importing

    importing.people(config, file)


@nlp.command("predict")
def nlp_predict(file: Lines) -> None:
    """每行一句话，输出每行一个判断。"""
    from bot.commands import understanding

    understanding.predict_file(file)


@nlp.command("evaluate")
def nlp_evaluate(file: Lines, as_json: AsJson = False) -> None:
    """在标注过的文件上算准确率。"""
    from bot.commands import understanding

    understanding.evaluate_file(file, as_json=as_json)


@nlp.command("duplicates")
def nlp_duplicates(file: Lines, as_json: AsJson = False) -> None:
    """在标注了同一件事（case）和地点（place）的文件上，算并案的准确率。"""
    from bot.commands import understanding

    understanding.duplicates_file(file, as_json=as_json)


@nlp.command("addresses")
def nlp_addresses(file: Lines, as_json: AsJson = False) -> None:
    """在标注了楼号（houseno）的地址文件上，算认出多少栋楼。"""
    from bot.commands import understanding

    understanding.addresses_file(file, as_json=as_json)


@nlp.command("explain")
def nlp_explain(text: Annotated[str, typer.Argument(metavar="TEXT")], as_json: AsJson = False) -> None:
    """一句话为什么这样判断。"""
    from bot.commands import understanding

    understanding.explain_text(text, as_json=as_json)


@nlp.command("train")
def nlp_train(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="写到哪个文件。")],
    with_corrections: Annotated[
        bool, typer.Option("--with-corrections", help="连同数据库里工作人员和居民的更正一起训练。")
    ] = False,
    config: Config = None,
) -> None:
    """用标注过的行训练模型，并说出交叉检验的结果。"""
    from bot.commands import teaching, understanding

    lines = teaching.corrections_of(config) if with_corrections else []
    understanding.train_files(files, out, corrections=lines)


@key.command("add")
def key_add(config: Config = None) -> None:
    """换一把新密钥，并用它重新加密敏感信息；旧密钥留着，之后请重新启动程序。"""
    from bot.commands import keys

    keys.add(config)


@key.command("new")
def key_new(config: Config = None) -> None:
    """密钥文件确实丢了、找不回来时，建一把新的；用旧密钥加密的电话号码从此读不出来。"""
    from bot.commands import keys

    keys.new(config)

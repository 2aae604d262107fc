"""The example shows every item with its default; faults come all at once; secrets are never shown; sources win in order."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from core.config import SECRET_FILES, Settings, load
from core.errors import ConfigError

EXAMPLE = Path(__file__).parent.parent.parent / "config.example.toml"
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.upper().startswith("WUWEI_")]:
        monkeypatch.delenv(name)


def items(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Every item that can be set, as section.name."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= items(inner, f"{name}.")
        else:
            found.add(prefix + name)
    return found


def shown(text: str) -> set[str]:
    """Every item that a file names, those behind a # too."""
    active = re.sub(r"^# ?(\w+ = )", r"\1", text, flags=re.MULTILINE)
    table: dict[str, Any] = tomllib.loads(active)
    return {
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in table.items()
        for inner in (value if isinstance(value, dict) else [""])
    }


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults_of(path: Path | None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(path)
    return sorted(refused.value.faults)


def test_example_shows_every_item() -> None:
    assert shown(EXAMPLE.read_text(encoding="utf-8")) == items(Settings)


def test_example_loads_to_the_defaults() -> None:
    assert load(EXAMPLE) == load(None) == Settings()


def test_example_explains_every_item() -> None:
    """A comment stands before each item or section head."""
    before = ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\w+ = ", line):
            assert before.startswith("#") or re.match(r"\w+ = |\[", before), line
        before = line or before


def test_five_faults_come_at_once(tmp_path: Path) -> None:
    text = """
colour = "red"
[web]
port = 99999
public_url = "wuwei.example"
[telegram]
mode = "pigeon"
[keep]
sent_days = "long"
"""
    assert faults_of(write(tmp_path, text)) == [
        "colour：没有这一项，请删去，或对照 config.example.toml 改正拼写",
        "keep.sent_days：要写一个整数",
        "telegram.mode：只能是 'polling' or 'webhook' 之一",
        "web.port：太大，最大是 65535",
        "web.public_url：要以 http:// 或 https:// 开头",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[web]\nport = -1", "web.port：太小，最小是 0"),
        ("[log]\nas_json = 3", "log.as_json：要写 true 或 false"),
        ("[web]\nhost = 3", "web.host：要写成带引号的文字"),
        ("[telegram]\ntoken = 3", "telegram.token：要写成带引号的文字"),
    ],
)
def test_fault_says_what_to_write(tmp_path: Path, text: str, fault: str) -> None:
    assert faults_of(write(tmp_path, text)) == [fault]


def test_file_that_is_missing_or_no_toml_is_told(tmp_path: Path) -> None:
    assert faults_of(tmp_path / "gone.toml") == [f"找不到配置文件 {tmp_path}/gone.toml；可以先复制 config.example.toml"]
    (fault,) = faults_of(write(tmp_path, "[web\nport = 1"))
    assert fault.startswith(f"配置文件 {tmp_path}/config.toml 读不懂：")
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe")
    assert len(faults_of(tmp_path / "config.toml")) == 1


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    secret = "s3cr3t-value"
    settings = load(
        write(
            tmp_path,
            f'[telegram]\ntoken = "{TOKEN}"\nwebhook_secret = "{secret}"\n'
            f'[database]\nurl = "postgresql+psycopg://u:{secret}@h/d"\n',
        )
    )
    for said in (repr(settings), str(settings), repr(settings.telegram), settings.model_dump_json()):
        assert TOKEN not in said
        assert secret not in said
    assert settings.telegram.token.get_secret_value() == TOKEN
    assert settings.database_url == f"postgresql+psycopg://u:{secret}@h/d"


@pytest.mark.parametrize(
    "text",
    [
        f'[telegram]\ntoken = ["{TOKEN}"]',
        f'[telegram]\ntoken = {{ value = "{TOKEN}" }}',
        f'telegram = "{TOKEN}"',
        f'[web]\npublic_url = "{TOKEN}"',
        f'[web]\nport = "{TOKEN}"',
    ],
)
def test_faults_never_quote_a_value(tmp_path: Path, text: str) -> None:
    """It may be a secret that was written into the wrong line."""
    faults = faults_of(write(tmp_path, text))
    assert len(faults) == 1
    assert TOKEN not in faults[0]


def test_fault_of_an_environment_variable_does_not_quote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUWEI_TELEGRAM", TOKEN)
    faults = faults_of(None)
    assert faults == ["有一个 WUWEI_ 环境变量读不懂；小节要一项一项写，例如 WUWEI_WEB__PORT=8600"]


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, '[web]\nport = 1000\nhost = "0.0.0.0"\n[telegram]\ntoken = "file"\n')
    monkeypatch.setenv("WUWEI_WEB__PORT", "2000")
    monkeypatch.setenv("WUWEI_TELEGRAM__TOKEN", "environment")
    settings = load(file)
    assert (settings.web.port, settings.web.host) == (2000, "0.0.0.0")
    assert settings.telegram.token.get_secret_value() == "environment"


def test_misspelt_environment_variable_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUWEI_TELEGRAM__TOKN", "x")
    assert [fault.partition("：")[0] for fault in faults_of(None)] == ["telegram.tokn"]


def test_secret_files_win_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {name: f"value of {name}" for name in SECRET_FILES}
    for name, value in secrets.items():
        (tmp_path / name).write_text(f"{value}\n", encoding="utf-8")
    monkeypatch.setenv("WUWEI_TELEGRAM__TOKEN", "environment")
    monkeypatch.setenv("WUWEI_SECRETS_FOLDER", str(tmp_path))
    settings = load(None)
    assert settings.telegram.token.get_secret_value() == "value of telegram_token"
    assert settings.telegram.webhook_secret.get_secret_value() == "value of telegram_webhook_secret"
    assert settings.database_url == "value of database_url"


def test_secret_files_leave_what_they_do_not_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUWEI_TELEGRAM__POLL_SECONDS", "5")
    monkeypatch.setenv("WUWEI_SECRETS_FOLDER", str(tmp_path))
    (tmp_path / "telegram_token").write_text(TOKEN, encoding="utf-8")
    settings = load(None)
    assert (settings.telegram.poll_seconds, settings.telegram.mode) == (5, "polling")
    assert settings.telegram.token.get_secret_value() == TOKEN


def test_empty_secret_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "telegram_token").write_text("\n", encoding="utf-8")
    monkeypatch.setenv("WUWEI_SECRETS_FOLDER", str(tmp_path))
    monkeypatch.setenv("WUWEI_TELEGRAM__TOKEN", TOKEN)
    assert load(None).telegram.token.get_secret_value() == TOKEN


def test_secret_files_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUWEI_SECRETS_FOLDER", str(tmp_path / "gone"))
    assert faults_of(None) == [f"secrets_folder：没有文件夹 {tmp_path}/gone"]
    monkeypatch.setenv("WUWEI_SECRETS_FOLDER", str(tmp_path))
    (tmp_path / "telegram_token").write_bytes(b"\xff\xfe\x00")
    assert faults_of(None) == [f"读不出密码文件 {tmp_path}/telegram_token；请检查它的权限，内容要是 UTF-8 文字"]


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ('webhook_secret = "abc_-9"', []),
        ('webhook_secret = ""', ["telegram.webhook_secret"]),
        ('webhook_secret = "有空 格"', ["telegram.webhook_secret"]),
        ('base_url = "http://127.0.0.1:8081"\nwebhook_secret = "abc"', []),
    ],
)
def test_webhook_needs_a_secret(tmp_path: Path, more: str, wrong: list[str]) -> None:
    file = write(
        tmp_path, f'[web]\npublic_url = "https://a.example"\n[telegram]\ntoken = "1:a"\nmode = "webhook"\n{more}\n'
    )
    if wrong:
        assert [fault.partition("：")[0] for fault in faults_of(file)] == wrong
    else:
        assert load(file).telegram.mode == "webhook"


def test_webhook_needs_https_unless_the_platform_is_ones_own(tmp_path: Path) -> None:
    webhook = '[telegram]\ntoken = "1:a"\nmode = "webhook"\nwebhook_secret = "abc"\n'
    assert [fault.partition("：")[0] for fault in faults_of(write(tmp_path, webhook))] == ["web.public_url"]
    assert load(write(tmp_path, webhook + 'base_url = "http://127.0.0.1:8081"\n')).telegram.mode == "webhook"


def test_paths_follow_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/wuwei.sqlite3"
    assert (settings.key_path, settings.media_folder) == (tmp_path / "wuwei.key", tmp_path / "media")
    assert Settings(data_folder=tmp_path, key_file=tmp_path / "k").key_path == tmp_path / "k"


AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def wecom(**items: str) -> str:
    lines = "".join(f'{name} = "{value}"\n' for name, value in items.items())
    return f"[wecom]\nagent_id = 1000002\n{lines}"


def test_customer_groups_need_the_app(tmp_path: Path) -> None:
    app = wecom(corp_id="ww1", secret="s", callback_token="QDG6eK", aes_key=AES_KEY)
    assert load(write(tmp_path, app + "\ncustomer_groups = true")).wecom.customer_groups
    assert faults_of(write(tmp_path, wecom(corp_id="ww1") + "\ncustomer_groups = true")) == [
        "wecom.customer_groups：接居民的客户群，要写自建应用的 wecom.corp_id 和 wecom.secret"
    ]


def test_wecom_is_on_where_its_secrets_are(tmp_path: Path) -> None:
    both = {"corp_id": "ww1", "secret": "s", "callback_token": "QDG6eK", "aes_key": AES_KEY}
    assert not load(write(tmp_path, wecom(secret="s"))).has_hooks
    app = load(write(tmp_path, wecom(**both)))
    assert (app.wecom.has_app, app.wecom.has_kf, app.has_hooks) == (True, False, True)
    shared = load(write(tmp_path, wecom(**both, kf_secret="k")))
    assert (shared.wecom.has_kf, shared.wecom.shares_address) == (True, True)
    own = {"kf_secret": "k", "kf_callback_token": "T", "kf_aes_key": AES_KEY}
    alone = load(write(tmp_path, wecom(corp_id="ww1", **own)))
    assert (alone.wecom.has_app, alone.wecom.has_kf, alone.wecom.shares_address) == (False, True, False)


def test_bot_connects_by_its_secret_or_is_called_by_token_and_key(tmp_path: Path) -> None:
    connects = load(write(tmp_path, wecom(bot_id="aib1", bot_secret="s")))
    assert (connects.wecom.has_bot, connects.wecom.is_bot_called, connects.has_hooks) == (True, False, False)
    called = load(write(tmp_path, wecom(bot_id="aib1", bot_callback_token="QDG6eK", bot_aes_key=AES_KEY)))
    assert (called.wecom.is_bot_called, called.has_hooks) == (True, True)
    assert faults_of(write(tmp_path, wecom(bot_id="aib1", bot_url="https://x"))) == [
        "wecom.bot_url：要以 ws:// 或 wss:// 开头"
    ]
    assert [fault.partition("：")[0] for fault in faults_of(write(tmp_path, wecom(bot_id="aib1")))] == [
        "wecom.bot_aes_key",
        "wecom.bot_callback_token",
    ]
    robot = '[wecom]\nrobots = [{ key = "k", title = "工作群", mentions = ["@all"] }]\n'
    (read,) = load(write(tmp_path, robot)).wecom.robots
    assert (read.key.get_secret_value(), read.title, read.mentions, read.code) == ("k", "工作群", ("@all",), "")


def test_key_of_a_robot_may_lie_in_a_secret_file(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "robot_work").write_text("key-of-the-robot\n", encoding="utf-8")
    (secrets / "robot_empty").write_text("", encoding="utf-8")

    def robots(*lines: str) -> Path:
        return write(tmp_path, f'secrets_folder = "{secrets}"\n[wecom]\nrobots = [{", ".join(lines)}]\n')

    kept = '{ key_file = "robot_work", title = "工作群" }'
    found = load(robots(kept, '{ key = "k", title = "值班群" }')).wecom.robots
    assert [(one.title, one.key.get_secret_value()) for one in found] == [
        ("工作群", "key-of-the-robot"),
        ("值班群", "k"),
    ]
    assert "key-of-the-robot" not in repr(found)
    assert faults_of(
        robots('{ key_file = "robot_empty", title = "甲" }', '{ title = "乙" }', '{ key_file = "gone", title = "丙" }')
    ) == [
        "wecom.robots：“丙”没有 key；secrets_folder 里没有密码文件 gone，或者它是空的",
        "wecom.robots：“乙”没有 key；要写 key 或 key_file",
        "wecom.robots：“甲”没有 key；secrets_folder 里没有密码文件 robot_empty，或者它是空的",
    ]
    (outside,) = faults_of(robots('{ key_file = "../robot_work", title = "甲" }'))
    assert outside.startswith("wecom.robots.0.key_file：")


def test_wecom_address_without_its_key_is_refused(tmp_path: Path) -> None:
    text = '[wecom]\ncorp_id = "ww1"\nsecret = "s"\ncallback_token = "不行"\nkf_secret = "k"\nkf_aes_key = "short"\n'
    assert faults_of(write(tmp_path, text)) == [
        "wecom.aes_key：要写接收消息设置里的 EncodingAESKey（43 个字母和数字）",
        "wecom.agent_id：写了 wecom.secret 就要写这个应用的 AgentId",
        "wecom.callback_token：要写接收消息设置里的 Token（1 到 32 个字母和数字）",
        "wecom.kf_aes_key：要写接收消息设置里的 EncodingAESKey（43 个字母和数字）",
        "wecom.kf_callback_token：要写接收消息设置里的 Token（1 到 32 个字母和数字）",
    ]


def test_a_sign_in_by_a_platform_needs_the_platform(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[telegram]\nsign_in = true\n\n[wecom]\nsign_in = true\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.faults == (
        "wecom.sign_in：用企业微信登录工作台，要写自建应用的 wecom.corp_id 和 wecom.secret",
        "telegram.sign_in：用 Telegram 登录工作台，要写 telegram.token",
    )

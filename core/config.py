"""Settings of an installation, from config.toml, the environment (WUWEI_…, with __ between levels) and secret files.

Only what belongs to a machine is here. What staff change (keywords, deadlines, quiet hours, texts) lives in the database.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core.errors import ConfigError

ADVICE = {
    "extra_forbidden": "没有这一项，请删去，或对照 config.example.toml 改正拼写",
    "missing": "缺少这一项，请补上",
    "int_parsing": "要写一个整数",
    "int_type": "要写一个整数",
    "bool_parsing": "要写 true 或 false",
    "bool_type": "要写 true 或 false",
    "string_type": "要写成带引号的文字",
    "greater_than_equal": "太小，最小是 {ge}",
    "less_than_equal": "太大，最大是 {le}",
    "literal_error": "只能是 {expected} 之一",
    "list_type": '要写成列表，如 ["a", "b"]',
}


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("要以 http:// 或 https:// 开头")
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Section):
    """`url` is empty for the SQLite file in the data folder, or postgresql+psycopg://…"""

    url: SecretStr = SecretStr("")


class WebSettings(Section):
    """The console. `public_url` is the address that people outside reach it by; links in messages start with it."""

    host: str = "127.0.0.1"
    port: int = Field(8600, ge=0, le=65535)
    public_url: WebAddress = "http://127.0.0.1:8600"
    session_hours: int = Field(12, ge=1, le=720)


class TelegramSettings(Section):
    """Off while `token` is empty. `mode` polling needs no public address; webhook needs `web.public_url` on https.

    `sign_in` shows the way into the console by this bot's login, which Telegram gives to the domain that it was told of. With
    `login_secret` it goes by the newer login (OpenID Connect), of which `login_url` is the issuer.
    """

    token: SecretStr = SecretStr("")
    mode: Literal["polling", "webhook"] = "polling"
    base_url: WebAddress = "https://api.telegram.org"
    webhook_secret: SecretStr = SecretStr("")
    poll_seconds: int = Field(30, ge=0, le=50)
    sign_in: bool = False
    login_secret: SecretStr = SecretStr("")
    login_url: WebAddress = "https://oauth.telegram.org"

    @property
    def bot_id(self) -> str:
        """What stands before the colon of the token; also the client's id at the login."""
        return self.token.get_secret_value().partition(":")[0]

    @property
    def has_login_server(self) -> bool:
        return self.sign_in and bool(self.token.get_secret_value() and self.login_secret.get_secret_value())


def _socket_address(value: str) -> str:
    if not value.startswith(("ws://", "wss://")):
        raise ValueError("要以 ws:// 或 wss:// 开头")
    return value.rstrip("/")


SocketAddress = Annotated[str, AfterValidator(_socket_address)]


class RobotSettings(Section):
    """A group robot: its key is what stands behind `key=` in the Webhook address, or lies in `key_file` of the secrets folder."""

    key: SecretStr = SecretStr("")
    key_file: str = Field("", pattern=r"^[A-Za-z0-9_.-]*$")
    title: str = Field(min_length=1, max_length=100)
    code: str = ""
    mentions: tuple[str, ...] = ()


class WeComSettings(Section):
    """Off while `corp_id` is empty; the self-built app while `secret` is, 微信客服 (KF) while `kf_secret` is.

    Each of the two has a receive-address of its own, proven by its token and key; KF without them shares the app's.
    The AI bot is off while `bot_id` is empty: with its secret it connects by itself, with a token and key it is called.
    `sign_in` shows the way into the console by WeCom, which the app gives to its trusted domain.
    `customer_groups` keeps residents' groups in the register, by the app's secret and address.
    """

    corp_id: str = ""
    base_url: WebAddress = "https://qyapi.weixin.qq.com"
    agent_id: int = Field(0, ge=0)
    secret: SecretStr = SecretStr("")
    callback_token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")
    kf_secret: SecretStr = SecretStr("")
    kf_callback_token: SecretStr = SecretStr("")
    kf_aes_key: SecretStr = SecretStr("")
    kf_accounts: tuple[str, ...] = ()
    bot_id: str = ""
    bot_name: str = ""
    bot_secret: SecretStr = SecretStr("")
    bot_url: SocketAddress = "wss://openws.work.weixin.qq.com"
    bot_callback_token: SecretStr = SecretStr("")
    bot_aes_key: SecretStr = SecretStr("")
    robots: tuple[RobotSettings, ...] = ()
    sign_in: bool = False
    markdown: bool = False
    customer_groups: bool = False

    @property
    def has_app(self) -> bool:
        return bool(self.corp_id and self.secret.get_secret_value())

    @property
    def has_kf(self) -> bool:
        return bool(self.corp_id and self.kf_secret.get_secret_value())

    @property
    def has_bot(self) -> bool:
        return bool(self.bot_id)

    @property
    def is_bot_called(self) -> bool:
        """The AI bot in its callback mode: without a secret it cannot connect."""
        return self.has_bot and not self.bot_secret.get_secret_value()

    @property
    def shares_address(self) -> bool:
        """KF's callbacks come to the app's address."""
        return not self.kf_callback_token.get_secret_value() and not self.kf_aes_key.get_secret_value()


class MediaSettings(Section):
    """Caps on what people send: bytes of one file, and pixels of one picture."""

    largest_bytes: int = Field(20 * 1024 * 1024, ge=1024)
    largest_pixels: int = Field(40_000_000, ge=10_000)


class KeepSettings(Section):
    """Retention, in days: texts of chatter, keys of messages seen, sent messages, and closed cases' personal data."""

    chatter_text_days: int = Field(7, ge=0)
    message_key_days: int = Field(14, ge=2)
    sent_days: int = Field(90, ge=31)
    closed_case_days: int = Field(730, ge=30)


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    as_json: bool = True


class Settings(BaseSettings):
    """Everything an installation can set; config.example.toml shows each item with its default."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="WUWEI_", env_nested_delimiter="__")

    data_folder: Path = Path("data")
    key_file: Path | None = None
    secrets_folder: Path | None = None
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    telegram: TelegramSettings = TelegramSettings()
    wecom: WeComSettings = WeComSettings()
    media: MediaSettings = MediaSettings()
    keep: KeepSettings = KeepSettings()
    log: LogSettings = LogSettings()

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address; the SQLite file lies in the data folder."""
        return self.database.url.get_secret_value() or f"sqlite:///{self.data_folder / 'wuwei.sqlite3'}"

    @property
    def key_path(self) -> Path:
        """Where the key of the encrypted columns lies: beside the data folder's database, never inside a backup."""
        return self.key_file or self.data_folder / "wuwei.key"

    @property
    def media_folder(self) -> Path:
        return self.data_folder / "media"

    @property
    def has_hooks(self) -> bool:
        """Whether a platform calls us: an ear that needs the web server."""
        wecom = self.wecom
        return self.telegram.mode == "webhook" or wecom.has_app or wecom.has_kf or wecom.is_bot_called


TELEGRAM = "https://api.telegram.org"
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
CALLBACK_TOKEN, AES_KEY = re.compile(r"[A-Za-z0-9]{1,32}"), re.compile(r"[A-Za-z0-9]{43}")
SECRET_FILES = {
    "telegram_token": ("telegram", "token"),
    "telegram_webhook_secret": ("telegram", "webhook_secret"),
    "telegram_login_secret": ("telegram", "login_secret"),
    "wecom_secret": ("wecom", "secret"),
    "wecom_callback_token": ("wecom", "callback_token"),
    "wecom_aes_key": ("wecom", "aes_key"),
    "wecom_kf_secret": ("wecom", "kf_secret"),
    "wecom_kf_callback_token": ("wecom", "kf_callback_token"),
    "wecom_kf_aes_key": ("wecom", "kf_aes_key"),
    "wecom_bot_secret": ("wecom", "bot_secret"),
    "wecom_bot_callback_token": ("wecom", "bot_callback_token"),
    "wecom_bot_aes_key": ("wecom", "bot_aes_key"),
    "database_url": ("database", "url"),
}


def load(path: Path | None = None) -> Settings:
    """Reads the settings; `path` None means defaults and environment only. All faults come in one ConfigError."""
    if path is not None:
        _check_readable(path)

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            toml = TomlConfigSettingsSource(settings_cls, toml_file=path)
            return (init_settings, env_settings, toml)

    try:
        # A plain one again, equal to any other with the same items.
        read = Settings.model_construct(**dict(FromFile()))
    except ValidationError as error:
        raise ConfigError([_sentence(fault) for fault in error.errors()]) from None
    except SettingsError:
        # Its words quote the value, which may be a secret.
        raise ConfigError(["有一个 WUWEI_ 环境变量读不懂；小节要一项一项写，例如 WUWEI_WEB__PORT=8600"]) from None
    settings = _with_secret_files(read)
    faults = _faults_together(settings)
    if faults:
        raise ConfigError(faults)
    return settings


def _check_readable(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"找不到配置文件 {path}；可以先复制 config.example.toml"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"配置文件 {path} 读不懂：{error}"]) from None


def _with_secret_files(settings: Settings) -> Settings:
    folder = settings.secrets_folder
    if folder is None:
        return settings
    if not folder.is_dir():
        raise ConfigError([f"secrets_folder：没有文件夹 {folder}"])
    changes: dict[str, Any] = {}
    for name, (section, item) in SECRET_FILES.items():
        value = _secret_in(folder / name)
        if value:
            current = changes.get(section, getattr(settings, section))
            changes[section] = current.model_copy(update={item: value})
    wecom: WeComSettings = changes.get("wecom", settings.wecom)
    if any(robot.key_file for robot in wecom.robots):
        robots = [_with_key(robot, folder) for robot in wecom.robots]
        changes["wecom"] = wecom.model_copy(update={"robots": tuple(robots)})
    return settings.model_copy(update=changes)


def _with_key(robot: RobotSettings, folder: Path) -> RobotSettings:
    value = _secret_in(folder / robot.key_file) if robot.key_file else SecretStr("")
    return robot.model_copy(update={"key": value}) if value else robot


def _secret_in(file: Path) -> SecretStr:
    """Empty where there is no file; an empty one is none too, for a service manager may put it where nothing was given."""
    if not file.is_file():
        return SecretStr("")
    try:
        return SecretStr(file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        raise ConfigError([f"读不出密码文件 {file}；请检查它的权限，内容要是 UTF-8 文字"]) from None


def _faults_together(settings: Settings) -> list[str]:
    """What is wrong only in combination."""
    faults = _faults_of_wecom(settings.wecom)
    telegram = settings.telegram
    if telegram.sign_in and not telegram.token.get_secret_value():
        faults.append("telegram.sign_in：用 Telegram 登录工作台，要写 telegram.token")
    if not telegram.token.get_secret_value() or telegram.mode == "polling":
        return faults
    if WEBHOOK_SECRET.fullmatch(telegram.webhook_secret.get_secret_value()) is None:
        faults.append("telegram.webhook_secret：推送方式要写 1 到 256 个字母、数字、下划线或连字符")
    if telegram.base_url == TELEGRAM and not settings.web.public_url.startswith("https://"):
        faults.append("web.public_url：Telegram 只向 https:// 开头的地址推送；没有公网地址请用轮询（telegram.mode）")
    return faults


def _faults_of_wecom(wecom: WeComSettings) -> list[str]:
    """Without its token and key an address could not tell WeCom from anybody else."""
    faults = []
    if wecom.sign_in and not wecom.has_app:
        faults.append("wecom.sign_in：用企业微信登录工作台，要写自建应用的 wecom.corp_id 和 wecom.secret")
    if wecom.customer_groups and not wecom.has_app:
        faults.append("wecom.customer_groups：接居民的客户群，要写自建应用的 wecom.corp_id 和 wecom.secret")
    if wecom.has_app and not wecom.agent_id:
        faults.append("wecom.agent_id：写了 wecom.secret 就要写这个应用的 AgentId")
    addresses = [("", wecom.callback_token, wecom.aes_key)] if wecom.has_app else []
    if wecom.has_kf and not (wecom.has_app and wecom.shares_address):
        addresses.append(("kf_", wecom.kf_callback_token, wecom.kf_aes_key))
    if wecom.is_bot_called:
        addresses.append(("bot_", wecom.bot_callback_token, wecom.bot_aes_key))
    for robot in wecom.robots:
        if not robot.key.get_secret_value():
            place = (
                f"secrets_folder 里没有密码文件 {robot.key_file}，或者它是空的"
                if robot.key_file
                else "要写 key 或 key_file"
            )
            faults.append(f"wecom.robots：“{robot.title}”没有 key；{place}")
    for prefix, token, key in addresses:
        if CALLBACK_TOKEN.fullmatch(token.get_secret_value()) is None:
            faults.append(f"wecom.{prefix}callback_token：要写接收消息设置里的 Token（1 到 32 个字母和数字）")
        if AES_KEY.fullmatch(key.get_secret_value()) is None:
            faults.append(f"wecom.{prefix}aes_key：要写接收消息设置里的 EncodingAESKey（43 个字母和数字）")
    return faults


def _sentence(fault: Any) -> str:
    """One fault as a sentence: where, and what to write instead. The value itself is never shown: it may be a secret."""
    where = ".".join(str(part) for part in fault["loc"]) or "配置"
    advice = ADVICE.get(fault["type"])
    if advice is None:
        return f"{where}：{fault['msg'].removeprefix('Value error, ')}"
    return f"{where}：{advice.format_map(fault.get('ctx', {}))}"

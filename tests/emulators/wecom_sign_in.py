"""WeCom's pages for signing in, in its own app and by a QR code, and the call that tells who came: strict about addresses and codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.emulators import wecom_checks as checks
from tests.emulators.wecom_world import ApiError, Json, World

CODE_LIVES = 300
IN_APP = "https://open.weixin.qq.com/connect/oauth2/authorize"
BY_QR = "https://login.work.weixin.qq.com/wwlogin/sso/login"
# In this order: the page in the app is known to insist on it.
IN_APP_FIELDS = ["appid", "redirect_uri", "response_type", "scope", "state", "agentid"]
QR_FIELDS = {"login_type", "appid", "agentid", "redirect_uri", "state"}


@dataclass
class Code:
    """Who pressed "sign in", and when."""

    who: str
    at: float
    is_used: bool = False


class SignIn:
    """`trusted` is the host that the app may send people back to."""

    def __init__(self, world: World, trusted: str = "desk.example") -> None:
        self._world = world
        self.trusted = trusted
        self._codes: dict[str, Code] = {}

    def calls(self) -> Mapping[str, Callable[[Json], Json]]:
        return {"auth/getuserinfo": self._tell}

    def press(self, address: str, who: str) -> str:
        """Somebody at this address of WeCom's agrees to sign in: where their browser is sent."""
        parts = urlsplit(address)
        pairs = parse_qsl(parts.query, strict_parsing=True)
        fields = dict(pairs)
        page = f"{parts.scheme}://{parts.netloc}{parts.path}"
        if page == IN_APP:
            right = [name for name, _ in pairs] == IN_APP_FIELDS and parts.fragment == "wechat_redirect"
            right = right and (fields["response_type"], fields["scope"]) == ("code", "snsapi_base")
        else:
            right = page == BY_QR and set(fields) == QR_FIELDS and fields["login_type"] == "CorpApp"
        if not right or (fields["appid"], fields["agentid"]) != (self._world.corp_id, str(self._world.agent_id)):
            raise ApiError(40035, "not an address of the sign-in")
        back = urlsplit(fields["redirect_uri"])
        if back.hostname != self.trusted:
            raise ApiError(50001, "redirect_uri is not under the trusted domain")
        state = fields["state"]
        if not (state.isascii() and state.isalnum() and len(state) <= 128):
            raise ApiError(40035, "state")
        code = self._world.new_id("SIGN_")
        self._codes[code] = Code(who, self._world.now())
        return f"{fields['redirect_uri']}?{urlencode({'code': code, 'state': state})}"

    def _tell(self, given: Json) -> Json:
        checks.only(given, {"code"}, "auth/getuserinfo")
        code = self._codes.get(str(given.get("code")))
        if code is None or code.is_used or self._world.now() - code.at > CODE_LIVES:
            raise ApiError(40029, "invalid code")
        code.is_used = True
        member = self._world.members.get(code.who)
        if member is None:
            return {"openid": f"openid-of-{code.who}"}
        if not member.is_visible:
            raise ApiError(60011, "no privilege")
        return {"userid": member.userid}

"""Coming in by the login of a platform, where the installation has it: what the browser brings back, and that it set out from here.

What a proof must hold is web/telegram_proof.py and web/telegram_token.py; who may come in with it is domain/accounts.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.config import Settings
from core.errors import DeliveryError, Refused, Rejected, Undeliverable
from domain import accounts
from web import telegram_proof, telegram_token
from web.auth import is_https, services_of, set_cookie
from web.forms import Posted, PostedForm, read_key
from web.pages import page
from web.services import LoginServer
from web.sign_in import Terms, come_in

open_router = APIRouter()
log = structlog.get_logger(__name__)
MemberBehind = Callable[[str], Awaitable[str]]

TELEGRAM_LOGIN = "https://oauth.telegram.org/auth"
WECOM_IN_APP = "https://open.weixin.qq.com/connect/oauth2/authorize"
WECOM_BY_QR = "https://login.work.weixin.qq.com/wwlogin/sso/login"
LONGEST_CODE = 512
STATE_COOKIE = "wuwei_sign_in"
STATE_LIFE = timedelta(minutes=10)
NEXT_STEP = "也可以私聊机器人发“登录”，用它回复的链接进来。"


@open_router.get("/sign-in/telegram/start")
async def start_telegram(request: Request) -> Response:
    """Off to Telegram's own page, which sends the browser back with a signed answer."""
    token = _telegram_token(request)
    settings = services_of(request).settings
    public_url = settings.web.public_url
    state = _new_state(request)
    if settings.telegram.has_login_server:
        asked = telegram_asked(settings, state)
        return _set_out(request, f"{settings.telegram.login_url}/auth?{urlencode(asked)}", state)
    asked = {
        "bot_id": token.partition(":")[0],
        "origin": public_url,
        "return_to": f"{public_url}/sign-in/telegram?state={state}",
    }
    return _set_out(request, f"{TELEGRAM_LOGIN}?{urlencode(asked)}", state)


@open_router.get("/sign-in/telegram/back")
async def enter_by_telegram_token(request: Request) -> Response:
    """Where Telegram's newer login sends back to. Only in the browser that set out, so that a link opened elsewhere spends nothing."""
    services = services_of(request)
    server = services.telegram_login
    if server is None or not services.settings.telegram.has_login_server:
        raise HTTPException(404)
    code, state = (request.query_params.get(name, "") for name in ("code", "state"))

    async def enter(terms: Terms) -> accounts.SignedIn:
        _check_state(request, state, terms.now)
        user_id = await _ask_telegram(server, services.settings, code, state, now=terms.now)
        proof = accounts.PlatformProof("telegram", user_id, state, terms.now + STATE_LIFE)
        return await services.database.write(
            lambda session: accounts.spend_proof(session, proof, now=terms.now, life=terms.life, browser=terms.browser)
        )

    return _forget_state(request, await come_in(request, enter, next_step=NEXT_STEP))


async def _ask_telegram(server: LoginServer, settings: Settings, code: str, state: str, *, now: datetime) -> str:
    """The user's id, by a token that holds. A key that is not among those we know may be a new one: they are read once more."""
    if not 0 < len(code) <= LONGEST_CODE:
        raise Refused("web.proof_wrong")
    expected = telegram_token.Expected(
        settings.telegram.login_url, settings.telegram.bot_id, derived(settings, "nonce", state)
    )
    redirect_uri = f"{settings.web.public_url}/sign-in/telegram/back"
    try:
        verifier = derived(settings, "verifier", state)
        token = await server.redeem(code, verifier=verifier, redirect_uri=redirect_uri)
        try:
            return telegram_token.user_of(token, await server.keys(), expected, now=now)
        except telegram_token.UnknownKey:
            return telegram_token.user_of(token, await server.keys(anew=True), expected, now=now)
    except telegram_token.UnknownKey:
        raise Refused("web.proof_wrong") from None
    except Rejected:
        raise Refused("web.proof_wrong") from None
    except DeliveryError as error:
        log.warning("sign_in_failed", channel="telegram", reason=error.reason)
        raise Refused("web.platform_away") from None


def telegram_asked(settings: Settings, state: str) -> dict[str, str]:
    """What Telegram's newer login is asked. Verifier and nonce need no place of their own: they follow from the state and our secret,
    which nobody has who sees the address."""
    challenge = hashlib.sha256(derived(settings, "verifier", state).encode()).digest()
    return {
        "client_id": settings.telegram.bot_id,
        "redirect_uri": f"{settings.web.public_url}/sign-in/telegram/back",
        "response_type": "code",
        "scope": "openid profile",
        "state": state,
        "nonce": derived(settings, "nonce", state),
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }


def derived(settings: Settings, purpose: str, state: str) -> str:
    """43 letters that only who has the client's secret can tell from a state."""
    secret = settings.telegram.login_secret.get_secret_value().encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, f"{purpose}:{state}".encode(), "sha256")).decode().rstrip("=")


@open_router.get("/sign-in/telegram")
async def show_telegram(request: Request) -> Response:
    """Where Telegram sends back to, and the address of the Mini App. What stands behind the # only the page's script sees."""
    _telegram_token(request)
    query = request.url.query if "hash" in request.query_params else ""
    return page(request, None, "sign_in_telegram.html", state=request.query_params.get("state", ""), query=query)


@open_router.post("/sign-in/telegram")
async def enter_by_telegram(request: Request, form: PostedForm) -> Response:
    """Opens a session for who proves to have an account of staff."""
    token = _telegram_token(request)
    services = services_of(request)

    async def enter(terms: Terms) -> accounts.SignedIn:
        found = _telegram_proof(request, form, token=token, now=terms.now)
        proof = accounts.PlatformProof("telegram", found.user_id, found.signature, found.expires_at)
        return await services.database.write(
            lambda session: accounts.spend_proof(session, proof, now=terms.now, life=terms.life, browser=terms.browser)
        )

    return _forget_state(request, await come_in(request, enter, next_step=NEXT_STEP))


def _telegram_proof(request: Request, form: Posted, *, token: str, now: datetime) -> telegram_proof.Proof:
    init_data = form.text("init_data")
    if init_data:
        # A Mini App does not set out from here. Its button is pressed by hand, like that of a link.
        return telegram_proof.of_init_data(init_data, token=token, now=now)
    _check_state(request, form.text("state"), now)
    query = form.text("query")
    if query:
        signed = "&".join(part for part in query.split("&") if not part.startswith("state="))
        return telegram_proof.of_query(signed, token=token, now=now)
    return telegram_proof.of_result(form.text("result"), token=token, now=now)


@open_router.get("/sign-in/wecom")
async def start_wecom(request: Request) -> Response:
    """Off to WeCom's own page: inside its app without a question, elsewhere with a QR code. May be the app's home page."""
    _member_behind(request)
    settings = services_of(request).settings
    state = _new_state(request)
    corp = {"appid": settings.wecom.corp_id}
    back = {"redirect_uri": f"{settings.web.public_url}/sign-in/wecom/back"}
    agent, mark = {"agentid": str(settings.wecom.agent_id)}, {"state": state}
    if "wxwork" in request.headers.get("user-agent", "").lower():
        asked = corp | back | {"response_type": "code", "scope": "snsapi_base"} | mark | agent
        return _set_out(request, f"{WECOM_IN_APP}?{urlencode(asked)}#wechat_redirect", state)
    asked = {"login_type": "CorpApp"} | corp | agent | back | mark
    return _set_out(request, f"{WECOM_BY_QR}?{urlencode(asked)}", state)


@open_router.get("/sign-in/wecom/back")
async def enter_by_wecom(request: Request) -> Response:
    """Where WeCom sends back to. Its answer counts only in the browser that set out, so that a link opened elsewhere spends nothing."""
    member_behind = _member_behind(request)
    services = services_of(request)
    code, state = (request.query_params.get(name, "") for name in ("code", "state"))

    async def enter(terms: Terms) -> accounts.SignedIn:
        _check_state(request, state, terms.now)
        userid = await _ask_wecom(member_behind, code)
        proof = accounts.PlatformProof("wecom", userid, state, terms.now + STATE_LIFE)
        return await services.database.write(
            lambda session: accounts.spend_proof(session, proof, now=terms.now, life=terms.life, browser=terms.browser)
        )

    return _forget_state(request, await come_in(request, enter, next_step=NEXT_STEP))


async def _ask_wecom(member_behind: MemberBehind, code: str) -> str:
    if not 0 < len(code) <= LONGEST_CODE:
        raise Refused("web.proof_wrong")
    try:
        userid = await member_behind(code)
    except Rejected:
        raise Refused("web.proof_wrong") from None
    except Undeliverable:
        raise Refused("web.account_no_duty") from None
    except DeliveryError as error:
        log.warning("sign_in_failed", channel="wecom", reason=error.reason)
        raise Refused("web.platform_away") from None
    if not userid:
        raise Refused("web.account_no_duty")
    return userid


def _member_behind(request: Request) -> MemberBehind:
    """How to ask WeCom. Where this login is not switched on, there is no such page."""
    services = services_of(request)
    if not services.settings.wecom.sign_in or services.member_behind is None:
        raise HTTPException(404)
    return services.member_behind


def _telegram_token(request: Request) -> str:
    """The bot's token. Where this login is not switched on, there is no such page."""
    telegram = services_of(request).settings.telegram
    if not telegram.sign_in or not telegram.token.get_secret_value():
        raise HTTPException(404)
    return telegram.token.get_secret_value()


# A state tells that the browser which comes back is the one that went: else somebody could send another person a link that
# signs them in under a wrong name. It is in the address and in a cookie, and tells when it was made.


def _new_state(request: Request) -> str:
    """Letters and digits only: WeCom takes no others."""
    return f"{int(services_of(request).clock.now().timestamp())}x{secrets.token_hex(16)}"


def _set_out(request: Request, address: str, state: str) -> Response:
    response = RedirectResponse(address, 303)
    set_cookie(request, response, _state_cookie(request), state, seconds=int(STATE_LIFE.total_seconds()))
    return response


def _check_state(request: Request, given: str, now: datetime) -> None:
    kept = request.cookies.get(_state_cookie(request), "")
    made_at = read_key(kept.partition("x")[0])
    if made_at is None or not hmac.compare_digest(kept.encode(), given.encode()):
        raise Refused("web.state_wrong")
    if not 0 <= int(now.timestamp()) - made_at <= STATE_LIFE.total_seconds():
        raise Refused("web.state_wrong")


def _forget_state(request: Request, response: Response) -> Response:
    """Whatever came of it: the next login sets out anew."""
    response.delete_cookie(_state_cookie(request), path="/", secure=is_https(request), httponly=True)
    return response


def _state_cookie(request: Request) -> str:
    return f"__Host-{STATE_COOKIE}" if is_https(request) else STATE_COOKIE

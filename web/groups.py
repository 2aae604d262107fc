"""Groups: where the bot is, what each is bound to, one-time codes that bind them, and where it posts nothing for now."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.errors import Refused
from domain import area_tree, chats
from domain.chats import ChatPurpose
from domain.customer_groups import registry, showing
from domain.outbox import Session
from web.acts import note
from web.auth import ClerkVisitor, DeskVisitor, Visitor, services_of
from web.forms import PostedForm
from web.pages import done, page, sentence, status_of
from web.people import CHANNEL_NAMES

router = APIRouter(prefix="/groups")

PURPOSES = {ChatPurpose.RESIDENTS.value: "居民群", ChatPurpose.STAFF.value: "工作群"}
STATES = {"unbound": "未绑定", "bound": "已绑定", "left": "机器人已离开"}


@router.get("")
async def show_list(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    return await _list_page(request, visitor)


async def _list_page(
    request: Request,
    visitor: Visitor,
    *,
    status: int = 200,
    refusal: str = "",
    code: str = "",
    values: dict[str, str] | None = None,
) -> HTMLResponse:
    """All groups. `code` is shown on this answer only."""
    now = services_of(request).clock.now()

    def work(session: Session) -> dict[str, object]:
        rows = chats.groups_for(session, visitor.community_id, sees_unbound=_sees_unbound(session, visitor))
        return {
            "rows": rows,
            "customers": registry.listed(session, [chat.id for chat, _ in rows]),
            "waiting": showing.waiting(session, visitor.community_id, now=now),
            "hearing": chats.hearing(session),
            "areas": area_tree.choices(session, visitor.community_id),
        }

    found = await services_of(request).database.read(work)
    words: dict[str, object] = {"refusal": refusal, "code": code, "values": values or {}}
    names: dict[str, object] = {"purposes": PURPOSES, "states": STATES, "channels": CHANNEL_NAMES}
    return page(request, visitor, "groups.html", status, **{**found, **words, **names})


def _sees_unbound(session: Session, visitor: Visitor) -> bool:
    """Of several communities nobody knows whose an unbound group is: only an administrator may look."""
    return visitor.is_administrator or area_tree.is_only_community(session)


@router.post("/codes")
async def make_code(request: Request, visitor: ClerkVisitor, form: PostedForm) -> HTMLResponse:
    """A one-time code for an area and a purpose, shown on this one answer."""
    services = services_of(request)
    now = services.clock.now()
    purpose = ChatPurpose.STAFF if form.text("purpose") == ChatPurpose.STAFF else ChatPurpose.RESIDENTS

    def work(session: Session) -> str:
        key = form.key("area")
        if key is None:
            raise Refused("chats.area_missing")
        area = area_tree.area_of(session, visitor.community_id, key)
        note(request, visitor, session, "group.code", area.id, purpose=purpose.value)
        return chats.make_code(
            session,
            community_id=visitor.community_id,
            now=now,
            by_id=visitor.person_id,
            area_id=area.id,
            purpose=purpose,
        )

    try:
        code = await services.database.write(work)
    except Refused as refusal:
        return await _list_page(
            request, visitor, status=status_of(refusal), refusal=sentence(refusal), values=form.values()
        )
    return await _list_page(request, visitor, code=code, values=form.values())


@router.post("/{chat_id}/bind")
async def bind(request: Request, visitor: ClerkVisitor, chat_id: int, form: PostedForm) -> Response:
    """A customer group gets its area here, for nobody could say a code in it."""

    def work(session: Session) -> tuple[str, str]:
        key = form.key("area")
        if key is None:
            raise Refused("chats.area_missing")
        area = area_tree.area_of(session, visitor.community_id, key)
        sees_unbound = _sees_unbound(session, visitor)
        chat = registry.bind(session, visitor.community_id, chat_id, area, sees_unbound=sees_unbound)
        note(request, visitor, session, "group.bind", chat_id)
        return chat.title, area.name

    services = services_of(request)
    try:
        title, area = await services.database.write(work)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await _list_page(request, visitor, status=status_of(refusal), refusal=sentence(refusal))
    services.wake()
    return done(request, visitor, "/groups", "customer_groups.bound", title=title, area=area)


@router.post("/{chat_id}/unbind")
async def unbind(request: Request, visitor: ClerkVisitor, chat_id: int) -> Response:
    """The group belongs to nobody; the bot is silent there."""

    def work(session: Session) -> str:
        chat = chats.group_of(session, visitor.community_id, chat_id)
        chats.unbind(chat)
        note(request, visitor, session, "group.unbind", chat_id)
        return chat.title

    title = await services_of(request).database.write(work)
    return done(request, visitor, "/groups", "chats.unbound", title=title)


@router.post("/{chat_id}/pause")
async def pause(request: Request, visitor: ClerkVisitor, chat_id: int) -> Response:
    """No announcement and no clause goes there."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> str:
        chat = chats.group_of(session, visitor.community_id, chat_id)
        chats.pause_posts(chat, now=now)
        note(request, visitor, session, "group.pause", chat_id)
        return chat.title

    title = await services.database.write(work)
    return done(request, visitor, "/groups", "chats.posts_paused", title=title)


@router.post("/{chat_id}/resume")
async def resume(request: Request, visitor: ClerkVisitor, chat_id: int) -> Response:
    def work(session: Session) -> str:
        chat = chats.group_of(session, visitor.community_id, chat_id)
        chats.resume_posts(chat)
        note(request, visitor, session, "group.resume", chat_id)
        return chat.title

    title = await services_of(request).database.write(work)
    return done(request, visitor, "/groups", "chats.posts_resumed", title=title)

"""Messages that did not arrive: held and given-up ones to send again or drop, waiting ones, and incoming ones kept for replay."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from domain import area_tree, undelivered
from domain.outbox import Session
from domain.undelivered import OutboxState
from web.acts import note
from web.auth import ClerkVisitor, DeskVisitor, services_of
from web.pages import done, page
from web.paging import paging
from web.people import CHANNEL_NAMES

router = APIRouter(prefix="/outbox")

# The tabs: what each shows, and what it is called.
TABS = {
    "held": ("待定", (OutboxState.HELD,)),
    "given_up": ("没送到", (OutboxState.GIVEN_UP,)),
    "waiting": ("待发送", undelivered.WAITING),
    "failed": ("没处理的来信", ()),
}
# What channels and the sender write down, in words; a reason that is not here is shown as it is.
REASONS = {
    "": "",
    "chat left": "机器人已不在这个群里，或对方已拉黑机器人",
    "chat migrated": "群已升级，正在改发到新群",
    "interrupted": "发送到一半时程序停了，不知道对方收到没有",
    "unknown": "平台没有回答，不知道对方收到没有",
    "over quota": "这个群今天能收的群发已经满了",
    "not sent": "群主点了“发送”，但这个群没有收到",
    "not sent in time": "群主两天里没有发送，已经停止",
    "no owner": "这个群现在没有群主，没有人能发",
    "restored": "数据从备份恢复过，发出前请看一眼",
    "window shut": "微信客服的 5 条已用完，或居民 48 小时没有来信；居民再来信时自动发出，着急的请打电话",
    "served by staff": "正由人工接待；人工会话结束后自动发出",
    "saved up": "进展消息，留着和下一条要紧的一起发",
    "refused together": "和别的消息合并发送被平台拒绝，正在单独发",
    "told by a person": "已由工作人员打电话、发短信或上门告知",
}
ACTIONS = {"send": "", "edit": "修改已发的消息", "delete": "撤回已发的消息", "answer_press": "按钮的回应"}


@router.get("")
async def show(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    """One tab; the first that has something in it when none is asked for."""
    here = paging(request)
    asked = request.query_params.get("tab", "")

    def work(session: Session) -> dict[str, object]:
        counts = undelivered.counts(session, visitor.community_id)
        # A message that failed belongs to nobody yet: in a house of several communities only administrators see it.
        sees_failed = visitor.is_administrator or area_tree.is_only_community(session)
        failed = undelivered.failed(session) if sees_failed else []
        totals = {name: sum(counts.get(state, 0) for state in states) for name, (_, states) in TABS.items()}
        totals["failed"] = len(failed)
        tab = asked if asked in TABS else next((name for name, count in totals.items() if count), "held")
        states = TABS[tab][1]
        rows = (
            undelivered.undelivered(session, visitor.community_id, states, offset=here.offset, limit=here.size)
            if states
            else []
        )
        return {"totals": totals, "tab": tab, "rows": rows, "failed": failed}

    found = await services_of(request).database.read(work)
    words: dict[str, object] = {"tabs": TABS, "reasons": REASONS, "actions": ACTIONS, "channels": CHANNEL_NAMES}
    return page(request, visitor, "outbox.html", 200, **{**found, **words, "here_is": here})


@router.post("/{outbox_id}/resend")
async def resend(request: Request, visitor: ClerkVisitor, outbox_id: int) -> Response:
    """A person lets it go again."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        undelivered.resend(session, visitor.community_id, outbox_id, now=now)
        note(request, visitor, session, "outbox.resend", outbox_id)

    await services.database.write(work)
    services.wake()
    return done(request, visitor, "/outbox", "outbox.resent")


@router.post("/{outbox_id}/drop")
async def drop(request: Request, visitor: ClerkVisitor, outbox_id: int) -> Response:
    """It is no longer wanted."""

    def work(session: Session) -> None:
        undelivered.drop(session, visitor.community_id, outbox_id)
        note(request, visitor, session, "outbox.drop", outbox_id)

    await services_of(request).database.write(work)
    return done(request, visitor, "/outbox", "outbox.dropped")

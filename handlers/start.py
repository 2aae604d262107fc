"""First words: welcome, help, binding by code, the sign-in link, small courtesies, and giving up an open question."""

import re

from core.messages import IncomingKind, Signal
from core.texts import say
from domain import access, accounts, areas, chats, dialogues, outbox, own_accounts, people
from domain.outbox import Priority
from handlers import cases
from handlers.context import Context

LONGEST_KEY = 18  # digits; a larger number is no key of ours

_BEGINS = re.compile(
    r"[\W_]*(?:你好|您好|在吗|请问|那个|我|想|要|来|跟你|和你|向你|向您|麻烦|一下|可以|能不能|有)*+(?:问|咨询|反映|请教|反应|打听|投诉|说|举报)(?:你|您|一?下|个|件|点|一?件|一个|点儿)*+(?:事情?|问题|情况|东西)?(?:吗|吧|啊|呢)?[\W_]*|[\W_]*(?:我)?有(?:个|件|点)?(?:事情?|问题|情况)(?:想|要)?(?:问|咨询|反映|说)?(?:一下|您|你)?[\W_]*"
)
_WHO = re.compile(r"(?:你|您)(?:到底|究竟)?是(?:不是)?(?:个)?(?:真?人|谁|机器人|人工|什么人|哪位|AI|ai)")


def help_text(ctx: Context) -> None:
    """One screen; staff see their part in private."""
    text = say("start.help")
    if ctx.is_private and access.duties(ctx.session, ctx.person.id, ctx.today):
        text += "\n" + say("start.help_staff")
    ctx.reply_text(text)


def start(ctx: Context) -> None:
    """The private chat was opened, by itself or through a link: under a private matter, or hung up in an area's group or hall."""
    if ctx.incoming.message_id is None:
        return  # they only let the bot write again; the word that opens the chat comes by itself
    payload = ctx.incoming.payload or ""
    if payload.startswith("bind_"):
        bind_with(ctx, payload.removeprefix("bind_"))
        return
    area_id = payload.removeprefix("area_")
    if area_id != payload and area_id.isdecimal() and len(area_id) <= LONGEST_KEY:
        chats.place_private(ctx.session, ctx.chat, int(area_id))
    case_id = payload.removeprefix("case_")
    if case_id != payload and case_id.isdecimal() and len(case_id) <= LONGEST_KEY and cases.visit(ctx, int(case_id)):
        return
    ctx.reply("start.welcome")


def bind(ctx: Context, argument: str) -> None:
    if not argument.strip():
        ctx.reply("chats.code_missing")
        return
    bind_with(ctx, argument)


def bind_with(ctx: Context, code: str) -> None:
    """Spends a one-time code: in a group it binds the group, in private the account."""
    if not ctx.is_private:
        area = chats.bind(ctx.session, ctx.chat, code, now=ctx.now)
        if (ctx.chat.channel, ctx.chat.account) in ctx.site.deaf:
            ctx.reply("chats.bound_one_way", area=area.name)
            return
        ctx.reply("chats.bound", area=area.name)
        outbox.post(ctx.session, ctx.chat, say("start.welcome_group", area=area.name), now=ctx.now)
        return
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    assert account is not None  # a private message has made one
    person = chats.bind_account(ctx.session, account, code, now=ctx.now)
    is_staff = bool(access.duties(ctx.session, person.id, ctx.today))
    ctx.reply("chats.account_bound" if is_staff else "start.own_account_joined", name=person.name)
    for other in own_accounts.other_chats(ctx.session, person, ctx.chat):
        outbox.post(ctx.session, other, say("start.own_account_told"), now=ctx.now)


def own_account(ctx: Context) -> None:
    """A code for one's own account on another channel, in private chat only: whoever says it there is this person."""
    communities = areas.communities(ctx.session)
    if not ctx.is_private or not communities:
        ctx.reply("start.own_account_only_private")
        return
    community_id = ctx.chat.community_id or communities[0].id
    code = chats.make_own_code(ctx.session, ctx.person, community_id=community_id, now=ctx.now)
    ctx.reply("start.own_account_code", code=code)


def sign_in(ctx: Context) -> None:
    """The one-time link to the console, in private chat only."""
    if not ctx.is_private:
        ctx.reply("start.sign_in_only_private")
        return
    token = accounts.make_link(ctx.session, ctx.person.id, now=ctx.now)
    ctx.reply("start.sign_in_link", link=f"{ctx.site.public_url}/sign-in/{token}")


def cancel(ctx: Context) -> None:
    """Gives up the open question."""
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is None:
        ctx.reply("cases.nothing_to_cancel")
        return
    dialogues.close(ctx.session, question)
    ctx.reply("cases.cancelled")


def courtesy(ctx: Context) -> None:
    """Spoken to without a matter: a kind word in return."""
    if asks_who(ctx):
        ctx.reply("start.who")
    elif begins_to_ask(ctx):
        ctx.reply("start.go_on")
    else:
        ctx.reply("start.thanks" if ctx.understanding.signal == Signal.THANKS else "start.hello")


def begins_to_ask(ctx: Context) -> bool:
    """我想问个事: what comes next is what they mean."""
    return _BEGINS.fullmatch(ctx.incoming.text) is not None


def asks_who(ctx: Context) -> bool:
    return _WHO.search(ctx.incoming.text) is not None


def not_understood(ctx: Context) -> None:
    """Spoken to, and it was not clear what about; a photo or voice alone needs a few words."""
    ctx.reply("start.need_words" if ctx.incoming.attachments and not ctx.incoming.text else "start.not_understood")


def bot_added(ctx: Context) -> None:
    """In an unbound group the bot is silent; whoever administers is told."""
    if ctx.chat.state == chats.ChatState.LEFT:
        ctx.chat.state = chats.ChatState.BOUND if ctx.chat.area_id else chats.ChatState.UNBOUND
    if ctx.chat.state == chats.ChatState.BOUND:
        return
    for community in areas.communities(ctx.session):
        for group in chats.staff_groups(ctx.session, community.id):
            text = say("chats.unknown_group", title=ctx.chat.title)
            outbox.post(ctx.session, group, text, now=ctx.now, priority=Priority.ASSIGNMENT)


def chat_changed(ctx: Context) -> None:
    """The group was renamed, upgraded or left, or a person came to or stopped the private chat."""
    kind = ctx.incoming.kind
    if kind == IncomingKind.CHAT_RENAMED:
        ctx.chat.title = ctx.incoming.chat.title
    elif kind == IncomingKind.CHAT_MIGRATED and ctx.incoming.new_chat_id:
        chats.migrate(ctx.session, ctx.chat, ctx.incoming.new_chat_id)
    elif kind in (IncomingKind.BOT_REMOVED, IncomingKind.BOT_BLOCKED):
        chats.note_blocked(ctx.session, ctx.chat)

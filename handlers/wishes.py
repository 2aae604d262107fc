"""The wish wall in chat: shown, taken from by a tap or in words (我来认领 XY-…, 我来 in reply to it), handed back, told to be done."""

import re
from collections.abc import Sequence

from core.errors import Refused
from core.messages import Decision, IncomingKind, Kind
from core.texts import say
from domain import chats, dialogues
from domain.cases import claims, listing, ratings, wishes, words
from domain.cases.listing import Case
from domain.inbox import Outcome
from handlers import cases, homes
from handlers.context import Context, Press

PROOF_STEP = "wishes.proof"
CLAIM = "wishes.claim"
MOST_IN_LIST = 8
LONGEST = 40
# So many characters that a wish and an offer share tell that this one is meant: 老花镜.
SHARED = 3
MAY_OFFER = frozenset({Kind.WISH, Kind.CHATTER})
_NUMBER = re.compile(r"XY[-－]?(\d{8})[-－]?(\d{4})", re.IGNORECASE)
_LAST_DIGITS = re.compile(r"(?<!\d)\d{4}(?!\d)")
_TAKES = re.compile(r"认领|我来|我们来|我[能可]以|我愿意|我去|我帮|算我|交给我|我包了|我负责|我出")
_TAKES_ALONE = re.compile(
    r"[\W_]*(?:好|行|那)?[\W_]*(?:我|我们|俺|咱)?(?:来|要|想|可以|愿意|能)?(?:认领|来|帮忙?|去|出|包了|负责|可以|愿意)(?:吧|啊|了|一个|这个|它|办|实现|做|搞定)*[\W_]*"
)
_NOT_ANY_MORE = re.compile(r"退回|不认领了|认领不了|不想认领|取消认领|放弃认领")
# 谁有心愿我可以帮忙: who offers to fulfil some wish wishes for nothing.
_OFFERS = re.compile(
    r"(?:谁|哪位|哪家|大家|邻居们?)[^，。！？]{0,6}(?:有|还有|有没有)[^，。！？]{0,6}心愿|(?:有没有|有什么|有啥|还有哪些|还有什么|哪些)[^，。！？]{0,6}心愿"
    r"|(?:我们?|俺)[^，。！？]{0,4}(?:可以|能|愿意|想|来)[^，。！？]{0,4}(?:帮|认领|实现|完成)[^，。！？]{0,6}心愿"
)
_WISHES_ITSELF = re.compile(r"我的(?:微?心愿|愿望)|(?:许|提)(?:一?个|个)?(?:微?心愿|愿望)")
_HELPS = re.compile(
    r"(?:我们?|俺)(?:家|这(?:里|边|儿)?)?(?:可以|能|愿意|来)[^。！？]{0,30}(?:帮|送|买|给|捐|修|陪|教|借|出)[^。！？]{2,30}|(?:我们?|俺)(?:家|这(?:里|边|儿)?)有[^。！？]{1,20}(?:送|给|捐|拿去)"
)
# Who asks for help offers none.
_ASKS = re.compile(r"帮帮?我|给我|替我|[吗么？?]|谁能|能不能|可不可以|怎么|哪")


def may_tell(ctx: Context) -> bool:
    """Whether a line of a group can be about taking on a wish, so that it must be looked up which."""
    said = ctx.incoming.text
    if ctx.incoming.kind != IncomingKind.MESSAGE or len(said) > LONGEST:
        return False
    return "认领" in said or "心愿" in said or _NUMBER.search(said) is not None


def wall(ctx: Context) -> None:
    """The wishes that wait to be fulfilled, without names, each with its button."""
    homes.may_be_of(ctx)  # in private it may not have been asked yet
    rows = wishes.wall(ctx.session, ctx.chat, ctx.person.id, limit=MOST_IN_LIST)
    has_more = not ctx.is_private and wishes.has_unread(ctx.session, ctx.chat, ctx.person.id)
    if not rows:
        ctx.reply("wishes.rest" if has_more else "wishes.none")
        return
    lines = [say("wishes.title")]
    for case in rows:
        key = "wishes.line" if wishes.is_on_wall(case) else "wishes.line_own"
        lines.append(say(key, number=case.number, text=wishes.text_on_wall(case)))
    if has_more:
        lines.append(say("wishes.rest"))
    ctx.reply_text("\n".join(lines), buttons=_buttons([case for case in rows if wishes.is_on_wall(case)]))


def told(ctx: Context) -> bool:
    """A wish is taken on, or given back, in words; or help is offered for any. False: it is something else."""
    said = ctx.incoming.text.strip()
    if ctx.incoming.kind != IncomingKind.MESSAGE or len(said) > LONGEST:
        return False
    named = _named(ctx, said)
    if named is None and _NUMBER.search(said) and _TAKES.search(said):
        raise Refused("wishes.not_found")
    if named is not None and _NOT_ANY_MORE.search(said):
        hand_back(ctx, named.id)
        return True
    if named is not None and (_TAKES.search(said) or _is_under_wall(ctx)):
        _claim(ctx, named.id)
        return True
    return _told_without_number(ctx, said)


def _told_without_number(ctx: Context, said: str) -> bool:
    is_to_us = ctx.is_private or ctx.incoming.is_addressed or ctx.incoming.reply_to_bot
    if _is_under_wall(ctx) and (_TAKES_ALONE.fullmatch(said) or _HELPS.search(said)):
        _claim_from_wall(ctx, said)
        return True
    if is_to_us and said.strip("。！!~ ") in {"认领", "我要认领", "认领心愿", "我想认领", "我来认领"}:
        wall(ctx)
        return True
    if _OFFERS.search(said) and not _WISHES_ITSELF.search(said):
        wall(ctx)
        return True
    is_matter = ctx.understanding.decision == Decision.ACT and ctx.understanding.kind not in MAY_OFFER
    if not is_to_us or is_matter or _HELPS.search(said) is None or _ASKS.search(said):
        return False
    meant = _alike(_open(ctx), said)
    if meant is None:
        ctx.reply("wishes.offered")
        return True
    text = say("wishes.is_it_this", number=meant.number, text=wishes.text_on_wall(meant))
    ctx.reply_text(text, buttons=_buttons([meant]))
    return True


def claim(ctx: Context, subject: int) -> None:
    """The button under the wall: one tap."""
    _claim(ctx, subject)


def hand_back(ctx: Context, subject: int) -> None:
    """The button under the thanks, or 退回 XY-…."""
    case = _wish(ctx, subject)
    claims.hand_back(ctx.session, case, ctx.person, now=ctx.now)
    ctx.answer_press()
    ctx.reply("wishes.handed_back", number=case.number)


def start_done(ctx: Context, subject: int) -> None:
    case = _wish(ctx, subject)
    if all(mine.id != case.id for _, mine in claims.of_person(ctx.session, ctx.person.id)):
        raise Refused("wishes.not_yours")
    ctx.answer_press()
    ctx.ask(PROOF_STEP, {"case": str(case.id)})
    ctx.reply("wishes.ask_proof")


def proof_told(ctx: Context, question: dialogues.Conversation) -> bool:
    """A photo or a word: whoever is in charge of the wish asks the wisher."""
    case = ctx.session.get_one(Case, int(question.data["case"]))
    dialogues.close(ctx.session, question)
    note = ctx.incoming.text.strip() or say("cases.photo_proof")
    claims.tell_done(ctx.session, case, ctx.person, note, now=ctx.now, cause_id=ctx.received.id)
    ctx.received.case_id, ctx.received.outcome = case.id, Outcome.JOINED
    cases.take_files(ctx, case, ctx.received)
    ctx.reply("wishes.done", number=case.number)
    return True


def mine(ctx: Context) -> None:
    """What the speaker has taken on, with what can be done about each."""
    rows = claims.of_person(ctx.session, ctx.person.id)
    if not rows:
        ctx.reply("wishes.mine_none")
        return
    lines, buttons = [say("wishes.mine")], []
    for taken, case in rows:
        text = wishes.text_on_wall(case)
        lines.append(say("wishes.mine_line", number=case.number, text=text, until=words.moment(taken.due_at)))
        done, back = (say(f"wishes.button_{name}_one", number=case.number) for name in ("done", "hand_back"))
        buttons.append([Press(done, "wishes.done", case.id), Press(back, "wishes.hand_back", case.id)])
    ctx.reply_text("\n".join(lines), buttons=buttons)


def _claim(ctx: Context, subject: int) -> None:
    homes.may_be_of(ctx)
    case = claims.claim(ctx.session, subject, ctx.person, community_id=ctx.chat.community_id, now=ctx.now)
    ctx.answer_press()
    if ctx.received.outcome == Outcome.SILENT:
        ctx.received.outcome, ctx.received.case_id = Outcome.JOINED, case.id
    until = next(
        words.moment(taken.due_at) for taken, each in claims.of_person(ctx.session, ctx.person.id) if each is case
    )
    text = say("wishes.claimed", number=case.number, text=wishes.text_on_wall(case), until=until)
    if ctx.is_private:
        ctx.reply_text(text, buttons=claims.buttons(case))
        return
    chat = chats.private_chat_of(ctx.session, ctx.person.id, prefer=ctx.incoming.channel)
    if chat is not None:
        ctx.post_to(chat, text, buttons=claims.buttons(case))
    key = "wishes.claimed_in_group" if chat is not None else "wishes.claimed_in_group_write"
    ctx.reply(key, number=case.number)


def _claim_from_wall(ctx: Context, said: str) -> None:
    """我来, in reply to the wall: the only one on it, the one that the words name, or it is asked which."""
    waiting = _open(ctx)
    meant = waiting[0] if len(waiting) == 1 else _alike(waiting, said)
    if meant is not None:
        _claim(ctx, meant.id)
    elif waiting:
        ctx.reply("wishes.which", buttons=_buttons(waiting))
    else:
        ctx.reply("wishes.none")


def _open(ctx: Context) -> list[Case]:
    """What the speaker may take on."""
    homes.may_be_of(ctx)
    rows = wishes.wall(ctx.session, ctx.chat, ctx.person.id, limit=MOST_IN_LIST)
    return [case for case in rows if wishes.is_on_wall(case) and case.reporter_id != ctx.person.id]


def _alike(rows: Sequence[Case], said: str) -> Case | None:
    """The one wish that shares most words with an offer; none where two share as much."""
    shared = sorted(((_shared(said, case.text), case) for case in rows), key=lambda pair: -pair[0])
    if not shared or shared[0][0] < SHARED or (len(shared) > 1 and shared[1][0] == shared[0][0]):
        return None
    return shared[0][1]


def _shared(one: str, other: str) -> int:
    """How many characters in a row stand in both."""
    runs = (
        size
        for size in range(len(one), 0, -1)
        if any(one[at : at + size] in other for at in range(len(one) - size + 1))
    )
    return next(runs, 0)


def _named(ctx: Context, said: str) -> Case | None:
    """The wish of this number, or of its last four digits among those on the wall."""
    found = _NUMBER.search(said)
    if found is not None and ctx.chat.community_id is None:
        homes.may_be_of(ctx)
    if found is not None:
        return listing.by_number(ctx.session, ctx.chat.community_id, f"XY-{found[1]}-{found[2]}")
    short = _LAST_DIGITS.search(said)
    if short is None or not (_TAKES.search(said) and (ctx.is_private or "认领" in said or _is_under_wall(ctx))):
        return None
    return next((case for case in _open(ctx) if case.number.endswith(short.group())), None)


def _is_under_wall(ctx: Context) -> bool:
    """Whether it is said in reply to a message of ours with wishes to take on."""
    if not ctx.incoming.reply_to_bot or ctx.incoming.reply_to is None:
        return False
    row = ratings.message(ctx.session, ctx.chat.id, ctx.incoming.reply_to)
    return row is not None and any(button.get("action") == CLAIM for line in row.buttons for button in line)


def _wish(ctx: Context, subject: int) -> Case:
    case = ctx.session.get(Case, subject)
    if case is None or case.kind != Kind.WISH:
        raise Refused("wishes.not_found")
    return case


def _buttons(rows: Sequence[Case]) -> list[list[Press]]:
    return [[Press(say("wishes.button_claim", number=case.number), CLAIM, case.id)] for case in rows]

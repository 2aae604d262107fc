"""What is said behind one's own question, or in private behind one's own report, without a reply mark: it goes on with that."""

import re
from datetime import timedelta

from core.messages import Decision, IncomingKind, Kind, Signal
from domain import people
from domain.cases import further, listing, opening, remarks, words
from domain.cases.life import ACTIVE, State
from domain.cases.listing import Case
from handlers import cases, private_matters, taking_back
from handlers.context import Context
from handlers.other_matters import sure_topic

RIGHT_BEHIND = timedelta(minutes=10)
LONGEST = 18
LONGEST_MORE = 60
SHORTEST_MORE = 3
MOST_LOOKED_AT = 20
# 要带什么, 孩子也要办吗, 周末能办吗: what one asks on, and hardly asks neighbours.
_ASKS_ON = re.compile(
    r"(?:[要需得用该能可][要以]?|还|也|都)?(?:带|准备|交|填|提供|办理?|领|去|找|给|算|报名?|申请|预约|审核|等)(?:不|几|多|什么|啥|哪|谁|吗|么|[^，。]{0,6}(?:吗|么|呢|[?？]|什么|啥|哪|多少|多久|几))"
    r"|(?:材料|证件|费用|时间|地点|条件|年龄|电话|手续|原件|复印件|照片)[^，。]{0,6}(?:吗|么|呢|[?？]|什么|啥|哪|多少|几)|(?:什么|哪些|多少)(?:材料|证件|钱|手续|条件|时间)|(?:周[一二三四五六日末天]|周末|下午|上午|晚上|中午)[^，。]{0,6}(?:吗|么|[?？])|多久|几天"
)
_OF_THE_BOT = re.compile(r"你是|您是|机器人|人工|真人|什么意思|听不懂|看不懂")


def may_ask_on(ctx: Context) -> bool:
    """Whether a line can go on with a question, so that it must be looked up with which."""
    said = ctx.incoming.text
    return ctx.incoming.kind == IncomingKind.MESSAGE and len(said) <= LONGEST and _ASKS_ON.search(said) is not None


def told(ctx: Context) -> bool:
    """It joins the speaker's own question of a moment ago, or goes to whoever answered it. False: it is of no question of theirs."""
    if not may_ask_on(ctx) or ctx.incoming.reply_to or ctx.is_to_neighbour or ctx.understanding.places:
        return False
    case = _own(ctx, {Kind.QUESTION}, ACTIVE | {State.FINISHED})
    if case is None or _is_about_another(ctx, case):
        return False
    cases.join_message(ctx, case, ctx.received)
    said, actor = ctx.incoming.text, ctx.person.id
    if case.state == State.FINISHED:
        further.ask(ctx.session, case, said, actor_id=actor, now=ctx.now, cause_id=ctx.received.id)
        ctx.reply("cases.asked_again", number=case.number)
    else:
        opening.add_note(ctx.session, case, said, actor_id=actor, now=ctx.now, cause_id=ctx.received.id)
        ctx.reply("cases.added", number=case.number)
    return True


def more_told(ctx: Context) -> bool:
    """In private, talk right behind one's own report is of it: 不知道是谁家扔的. False: a courtesy, or said of the bot."""
    said, understood = ctx.incoming.text.strip(), ctx.understanding
    if not ctx.is_private or ctx.incoming.reply_to or ctx.is_courtesy or understood.decision == Decision.ACT:
        return False
    if not SHORTEST_MORE <= len(said) <= LONGEST_MORE or _OF_THE_BOT.search(said):
        return False
    if understood.kind != Kind.CHATTER or understood.signal not in (Signal.NONE, Signal.CORRECTION):
        return False
    case = _own(ctx, {Kind.REPORT, Kind.REQUEST, Kind.PROPOSAL}, ACTIVE | {State.FINISHED})
    if case is None:
        return _may_be_of_private(ctx)
    if case.state != State.FINISHED and remarks.shows_something_else(said):
        return False
    if case.topic == words.CRISIS or remarks.is_of_another(said, case):
        return False
    cases.join_message(ctx, case, ctx.received)
    opening.add_note(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    if case.state == State.FINISHED:
        ctx.reply("cases.over", number=case.number)
    elif taking_back.sounds_so(ctx):
        taking_back.ask_whether(ctx, case)
    else:
        ctx.reply("cases.added_more", number=case.number)
    return True


def _may_be_of_private(ctx: Context) -> bool:
    """Who has one complaint or dispute open, of whatever day, is asked whether it is of that."""
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    rows = listing.of_reporter(ctx.session, account.person_id, limit=MOST_LOOKED_AT) if account else ()
    mine = [case for case in rows if case.is_private and case.state in ACTIVE and case.topic != words.CRISIS]
    if len(mine) != 1 or mine[0].reporter_id != ctx.person.id:
        return False
    private_matters.ask(ctx, mine[0])
    return True


def _own(ctx: Context, kinds: set[Kind], states: frozenset[State]) -> Case | None:
    """The speaker's newest of these kinds in this chat, if it was told or answered a moment ago."""
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None:
        return None
    rows = listing.of_reporter(ctx.session, account.person_id, limit=1)
    for case in rows:
        last = max(case.opened_at, case.finished_at or case.opened_at)
        is_here = case.chat_id == ctx.chat.id and ctx.now - last <= RIGHT_BEHIND
        if is_here and Kind(case.kind) in kinds and case.state in states and not case.is_private:
            return case
    return None


def _is_about_another(ctx: Context, case: Case) -> bool:
    """A thing of another topic, and no 也 or 还 that ties it to this."""
    topic, said = sure_topic(ctx.understanding), ctx.incoming.text
    return topic not in (None, case.topic) and remarks.names_something(said) and re.search("[也还]", said) is None

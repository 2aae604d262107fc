"""What is said about a case that is there already: a reply, the next picture of its album, a late photo, or its reporter's 还没修. Which
case it is stands here; what comes of it, in follow_ups.py and afterwards.py."""

from core.messages import Decision, Kind, Signal
from domain import people
from domain.cases import listing, opening, words
from domain.cases.life import ACTIVE, STATE_NAMES, State
from handlers import afterwards, follow_ups, neighbours, said_again, said_steps, taking_back
from handlers.context import Context
from handlers.other_matters import SIGNALS_OF_A_CASE, Near, is_other

MOST_LOOKED_AT = 10


def told(ctx: Context) -> bool:
    """A reply to a case's message, the next picture of its album, a late photo, or a word like 还没修 by its reporter."""
    incoming, understood = ctx.incoming, ctx.understanding
    case = None
    if incoming.reply_to:
        case = opening.case_of_message(ctx.session, ctx.chat.id, incoming.reply_to)
        if case is not None and (said_steps.told_in_group(ctx, case) or afterwards.told(ctx, case)):
            return True
        about_it = incoming.reply_to_bot or understood.signal != Signal.NONE or incoming.attachments
        if case is not None and not about_it:
            case = None
    if case is None and incoming.album_id:
        case = opening.case_of_album(ctx.session, ctx.chat.id, incoming.album_id)
    if case is None and _may_follow(ctx):
        states = frozenset(State) if understood.signal in SIGNALS_OF_A_CASE else ACTIVE
        case = opening.latest_case_of(
            ctx.session,
            ctx.person.id,
            ctx.chat.id,
            now=ctx.now,
            states=states,
            fits=lambda own: not is_other(ctx, own, Near.OF_ITS_WORK),
        )
        if follow_ups.takes_back(ctx):
            case = neighbours.joined_since(ctx, case) or case
            if case is not None and taking_back.asks_which(ctx, case):
                return True
    if case is None or (understood.decision == Decision.ACT and is_other(ctx, case, Near.RIGHT_BEHIND)):
        return said_again.told(ctx)
    follow_ups.follow_up(ctx, case)
    return True


def remind(ctx: Context) -> bool:
    """能不能快点, 师傅什么时候来: who has a matter open and was not understood hears how it stands. False: they have none."""
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None or not (ctx.is_private and ctx.incoming.text):
        return False
    told = listing.of_reporter(ctx.session, account.person_id, limit=MOST_LOOKED_AT)
    still_open = [case for case in told if case.state in ACTIVE and case.topic != words.CRISIS]
    if not still_open:
        return False
    meant = next((case for case in still_open if case.kind != Kind.QUESTION), still_open[0])
    state = STATE_NAMES[State(meant.state)]
    ctx.reply("cases.teller_not_understood", number=meant.number, what=words.what(meant), state=state)
    return True


def _may_follow(ctx: Context) -> bool:
    """Whether what was said can concern the speaker's own case of a moment ago."""
    incoming, understood = ctx.incoming, ctx.understanding
    return bool(
        understood.signal in SIGNALS_OF_A_CASE
        or (incoming.attachments and understood.decision == Decision.SILENT and not incoming.reply_to)
        or understood.decision == Decision.ACT
        or words.is_urging(incoming.text)
        or follow_ups.takes_back(ctx)
        or follow_ups.goes_on(ctx)
    )

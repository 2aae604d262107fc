"""Of which community a private message is: known by its speaker, or asked once."""

from collections.abc import Sequence

from core.messages import Urgency
from core.texts import say
from domain import areas, homes
from domain.cases import words
from domain.inbox import Outcome
from handlers.context import Context, Press

STEP = "cases.community"
MOST_BUTTONS = 5


def may_be_of(ctx: Context) -> Sequence[int]:
    """The communities that what was said may be about; none where nobody knows the speaker. One alone is the chat's from now on."""
    if ctx.chat.community_id is not None:
        return [ctx.chat.community_id]
    if not ctx.is_private:
        return []
    found = homes.communities_of(ctx.session, ctx.incoming.channel, ctx.sender, now=ctx.now)
    if len(found) == 1:
        ctx.chat.community_id = found[0]
    return found


def settle(ctx: Context) -> bool:
    """Whether it is known of which community this is. Else the speaker is asked, or told how it can be known; who is in danger hears
    first whom to call."""
    mine = may_be_of(ctx)
    if ctx.chat.community_id is not None:
        return True
    is_danger = ctx.understanding.urgency == Urgency.EMERGENCY
    call = words.call_about(ctx.understanding.topic) + "\n" if is_danger else ""
    if ctx.understanding.topic == words.CRISIS and len(served := areas.communities(ctx.session)) == 1:
        ctx.chat.community_id = served[0].id  # somebody must come, wherever they are known
        return True
    if not mine and ctx.understanding.topic == words.CRISIS:
        ctx.reply_text(call + say("cases.crisis_where"))
        return False
    if not mine:
        ctx.reply_text(call + say("cases.no_community"))
        return False
    names = {each.id: each.name for each in areas.communities(ctx.session)}
    buttons = [[Press(names[key], "cases.in_community", key)] for key in mine[:MOST_BUTTONS]]
    ctx.reply_text(call + say("cases.which_community"), buttons=buttons)
    ctx.received.outcome = Outcome.ASKED
    ctx.ask(STEP, {"message": str(ctx.received.id)})
    return False

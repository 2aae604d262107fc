"""What the platform tells of groups that the bot is not in: into the register, and for a new one a line to staff."""

from core.groups import GroupFacts
from core.messages import IncomingKind
from core.texts import say
from domain import areas, chats, outbox
from domain.customer_groups import registry
from domain.outbox import Priority
from handlers.context import Context


def told(ctx: Context, facts: GroupFacts) -> None:
    """The group is as told. Nobody in it is written to: the bot has no voice there."""
    registry.note(ctx.session, ctx.chat, ctx.incoming.chat.title, facts, now=ctx.now)
    if ctx.incoming.kind != IncomingKind.BOT_ADDED or ctx.chat.state != chats.ChatState.UNBOUND:
        return
    text = say("customer_groups.new_group", title=ctx.chat.title)
    for community in areas.communities(ctx.session):
        for group in chats.staff_groups(ctx.session, community.id):
            outbox.post(ctx.session, group, text, now=ctx.now, priority=Priority.ASSIGNMENT)

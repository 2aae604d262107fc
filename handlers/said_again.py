"""What somebody says once more of a matter that is open: the same in other words, or after hours and days that it is still so, back, or
worse. They hear in a sentence what it was added to."""

from datetime import timedelta

from core.messages import Decision, Kind, Signal, Urgency
from domain.cases import listing, opening, ratings, remarks, words, work, worsening
from domain.cases.life import ACTIVE, State
from domain.cases.listing import Case
from domain.people import account_of
from handlers import cases
from handlers.context import Context
from handlers.other_matters import NOT_WORKED_ON, is_elsewhere, sure_topic

# So long a word like 还没修 finds what its speaker has told of; where it names neither thing nor place, the shorter time.
POINTS_BACK = timedelta(days=30)
POINTS_BACK_BARELY = timedelta(days=7)
MOST_LOOKED_AT = 20


def may_point_back(ctx: Context) -> bool:
    """Whether a line says that something is still so: cheap, for every line of a group is asked."""
    return ctx.understanding.signal == Signal.STILL_BROKEN or remarks.is_going_on(ctx.incoming.text)


def may_be_told(ctx: Context) -> bool:
    """Whether it is looked up if the line is of something that its speaker has told before."""
    said = ctx.incoming.text
    asks_after = words.asks_after(said) and remarks.names_something(said)
    return (may_point_back(ctx) or words.is_urging(said) or asks_after) and not ctx.incoming.reply_to


def told(ctx: Context) -> bool:
    """还没修, 路灯还是不亮, 越漏越大了: of the speaker's own open matter about that thing and place, or their only one. It is urged on, opened
    again where it was called done, or becomes an emergency. False: of nothing that they have told."""
    case = _pointed_at(ctx) if may_be_told(ctx) else None
    if case is None:
        return False
    _keep(ctx, case)
    if became_emergency(ctx, case):
        return True
    is_over = case.state not in ACTIVE
    work.press_on(ctx.session, case, ctx.incoming.text, actor_id=ctx.person.id, now=ctx.now)
    if is_over:
        ratings.settle(ctx.session, case, now=ctx.now)
        cases.ask_what_is_wrong(ctx, case)
    ctx.reply("cases.reopened_noted" if is_over else "cases.still_broken_noted", number=case.number)
    return True


def noted(ctx: Context, case: Case) -> None:
    """Who reported it, or joined it, reports it once more: its worker reads that, and they hear who."""
    if may_point_back(ctx):
        work.press_on(ctx.session, case, ctx.incoming.text, actor_id=ctx.person.id, now=ctx.now)
        ctx.reply("cases.still_broken_noted", number=case.number)
        return
    said = ctx.incoming.text
    opening.add_note(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    if case.assignee_id is None:
        ctx.reply("cases.added", number=case.number)
    else:
        ctx.reply("cases.added_told", number=case.number, worker=words.worker_name(ctx.session, case))


def became_emergency(ctx: Context, case: Case) -> bool:
    """Whether what is said makes an emergency of an open matter; then it is called out, and the speaker hears whom to call."""
    is_danger = ctx.understanding.urgency == Urgency.EMERGENCY
    if not is_danger or case.urgency == Urgency.EMERGENCY or case.state not in ACTIVE or case.is_private:
        return False
    said = ctx.incoming.text
    worsening.call_out(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    who = words.who_was_called(ctx.session, case)
    ctx.reply("cases.worse_noted", call=words.whom_to_call(case), number=case.number, who=who)
    return True


def _keep(ctx: Context, case: Case) -> None:
    cases.join_message(ctx, case, ctx.received)
    cases.take_loose_photos(ctx, case)


def _pointed_at(ctx: Context) -> Case | None:
    """The newest of the speaker's own matters that the words fit; words that name nothing fit only where there is no other."""
    account = account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None:
        return None
    rows = listing.of_reporter(ctx.session, account.person_id, limit=MOST_LOOKED_AT)
    mine = [case for case in rows if _may_be_meant(ctx, case)]
    if ctx.understanding.places or remarks.names_something(ctx.incoming.text):
        return next((case for case in mine if _fits(ctx, case)), None)
    understood = ctx.understanding
    is_said_of_work = understood.signal == Signal.STILL_BROKEN or words.is_urging(ctx.incoming.text)
    is_to_us = ctx.is_private or is_said_of_work or understood.decision == Decision.ACT
    if len(mine) != 1 or not is_to_us or understood.urgency == Urgency.EMERGENCY:
        return None
    return mine[0] if ctx.now - mine[0].opened_at <= POINTS_BACK_BARELY else None


def _may_be_meant(ctx: Context, case: Case) -> bool:
    """What somebody works on, or says to have finished; in a group nothing that was told elsewhere."""
    if case.kind in NOT_WORKED_ON or case.topic == words.CRISIS or ctx.now - case.opened_at > POINTS_BACK:
        return False
    if not ctx.is_private and (case.is_private or case.chat_id != ctx.chat.id):
        return False
    return case.state in ACTIVE or (case.state == State.FINISHED and may_point_back(ctx))


def _fits(ctx: Context, case: Case) -> bool:
    """The same place, where one is named, and the same thing."""
    understood, said = ctx.understanding, ctx.incoming.text
    if understood.places and (not case.place or is_elsewhere(ctx, case)):
        return False
    if understood.decision == Decision.ACT and understood.kind != Kind.CHATTER:
        topic = sure_topic(understood)
        if topic is not None and topic != case.topic:
            return False
    return not remarks.is_of_another(said, case) and (remarks.names_something(said) or understood.topic == case.topic)

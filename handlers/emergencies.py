"""Where to: the words that follow an emergency which nobody can find yet. Who is called out, and how often, is domain/cases/calls.py."""

from core.messages import Decision, IncomingKind, Kind, Signal, Understanding, Urgency
from core.privacy import mask_place
from domain import dialogues
from domain.cases import listing, opening, receipts, remarks, words
from handlers import cases
from handlers.context import Context
from handlers.other_matters import SURE_OF_TOPIC

LONGEST_ALONE = 30
SHORTEST_MORE = 4
# So sure of another topic, it is another matter; of a danger more so, for the words of two dangers are much alike.
SURE_OF_DANGER = 0.8
TROUBLES = frozenset({Kind.REPORT, Kind.REQUEST})


def place_told(ctx: Context, case: listing.Case) -> bool:
    """Whoever called for help says where, or more of the same danger, within minutes: it joins. False: it is another matter."""
    understood = ctx.understanding
    if _asks_for_somebody(understood):
        matters = [part.understanding for part in ctx.parts] or [understood]
        is_late = ctx.now - case.opened_at > opening.FOLLOW_UP
        if is_late or not all(_is_danger_of(case, matter) for matter in matters):
            return False
    elif not understood.places and not (remarks.is_spot(ctx.incoming.text) and case.place):
        return _more_told(ctx, case)
    place = _place_told(ctx)
    if place in case.place:
        return _add_words(ctx, case)
    if case.place and case.place not in place:
        # 18号楼, and then 1单元301; another building is another matter.
        if any(mention.building or mention.landmark or mention.area_id for mention in understood.places):
            return False
        place = f"{case.place} {place}"
    return _add_place(ctx, case, place[: opening.LONGEST_PLACE])


def may_tell(ctx: Context) -> bool:
    """Whether a line of a group can be more of an emergency, so that it must be looked up: 人清醒的，就是腿动不了."""
    said = ctx.incoming.text
    if ctx.incoming.kind != IncomingKind.MESSAGE or len(said) < SHORTEST_MORE or ctx.is_to_neighbour:
        return False
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    return question is not None and question.step == cases.ASK_PLACE_STEP


def _more_told(ctx: Context, case: listing.Case) -> bool:
    """Whoever called for help goes on telling: within minutes all but courtesies and plain talk goes to who is on the way."""
    said, understood = ctx.incoming.text, ctx.understanding
    is_spot = remarks.is_spot(said)
    if ctx.now - case.opened_at > opening.FOLLOW_UP or ctx.incoming.reply_to or ctx.is_to_neighbour:
        return False
    if not is_spot and (len(said) < SHORTEST_MORE or ctx.is_courtesy or remarks.shows_something_else(said)):
        return False
    if understood.kind != Kind.CHATTER or understood.signal != Signal.NONE:
        return False
    if is_spot or ctx.is_private:
        return _add_words(ctx, case)
    cases.join_message(ctx, case, ctx.received)
    opening.add_note(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    return True


def _asks_for_somebody(understood: Understanding) -> bool:
    return understood.decision == Decision.ACT and understood.kind != Kind.CHATTER


def _is_danger_of(case: listing.Case, understood: Understanding) -> bool:
    """Whether what asks for somebody to come is the case's own danger, not another matter."""
    is_danger = understood.urgency == Urgency.EMERGENCY
    if understood.kind not in TROUBLES or not (is_danger or understood.places):
        return False
    if words.CRISIS in {case.topic, understood.topic}:
        return case.topic == understood.topic
    code, certainty = understood.topics[0] if understood.topics else (case.topic, 0.0)
    return code == case.topic or certainty < (SURE_OF_DANGER if is_danger else SURE_OF_TOPIC)


def _place_told(ctx: Context) -> str:
    """The place in the resident's own words where they say nothing else; empty where none is named."""
    said = ctx.incoming.text.strip(" ，。！!.,").removeprefix("在")
    is_nothing_else = not _asks_for_somebody(ctx.understanding) and len(said) <= LONGEST_ALONE
    return said if is_nothing_else else opening.place_words(ctx.understanding.places)


def _add_words(ctx: Context, case: listing.Case) -> bool:
    """More of the danger, and nothing new about where."""
    said = ctx.incoming.text
    cases.join_message(ctx, case, ctx.received)
    opening.add_note(ctx.session, case, said, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    if case.place:
        ctx.reply("cases.added", number=case.number)
    else:
        ctx.reply("cases.emergency_ask_place_again", who=words.who_was_called(ctx.session, case))
    return True


def _add_place(ctx: Context, case: listing.Case, place: str) -> bool:
    """They are told who knows it now, and may go on: 18号楼, and then 1单元301."""
    cases.join_message(ctx, case, ctx.received)
    others = [each for each in receipts.siblings(ctx.session, case) if each is not case and not each.place]
    for each in (case, *others):
        opening.add_place(
            ctx.session,
            each,
            place=place,
            area_id=next((mention.area_id for mention in ctx.understanding.places if mention.area_id), None),
            actor_id=ctx.person.id,
            now=ctx.now,
            cause_id=ctx.received.id,
            said=ctx.incoming.text.strip(),
        )
    shown = place if ctx.is_private else mask_place(place)
    ctx.reply("cases.emergency_place_noted", place=shown, who=words.who_was_called(ctx.session, case))
    ctx.ask(cases.ASK_PLACE_STEP, {"case": str(case.id)})
    return True

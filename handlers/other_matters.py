"""Whether what is said near a case is another matter: one question, asked in five situations, each with its own line of the table.

Another thing is one that the words surely are about; where another place begins, and what else speaks for another matter, depends on what
the speaker was asked or told just before.
"""

from collections.abc import Callable
from enum import StrEnum

from rapidfuzz.fuzz import ratio

from core.messages import Decision, Kind, Signal, Understanding, Urgency
from domain.cases import opening, remarks, words
from domain.cases.life import ACTIVE
from domain.cases.listing import Case
from handlers.context import Context

SIGNALS_OF_A_CASE = frozenset({Signal.STILL_BROKEN, Signal.RESOLVED, Signal.WITHDRAWN, Signal.CORRECTION})
# So sure of a topic, what is said is about that.
SURE_OF_TOPIC = 0.6
# Two texts this alike, by the same person within minutes, are one matter said twice.
SAME_WORDS = 80
TROUBLES = frozenset({Kind.REPORT, Kind.COMPLAINT, Kind.DISPUTE})
# 还没修好, 修好了: said of work that somebody does; a wish or a proposal is not mended.
OF_THE_WORK = frozenset({Signal.STILL_BROKEN, Signal.RESOLVED})
NOT_WORKED_ON = frozenset({Kind.WISH, Kind.PROPOSAL, Kind.QUESTION})
# What neighbours do to each other, and what comes of it in a home: named in a dispute, it is more of the dispute.
BETWEEN_NEIGHBOURS = words.HABITS | {"neighbours", "family", "leak", "wall"}


class Near(StrEnum):
    """Where and when something is said that may be about a case."""

    RIGHT_BEHIND = "right behind"  # within minutes, by whoever reported it
    OF_ITS_WORK = "of its work"  # 还没修, 修好了, or a picture: without a word of which case
    WHEN_OVER = "when over"  # in reply to a case that is over
    WHAT_IS_WRONG = "what is wrong"  # after "not satisfied"
    IN_PRIVATE = "in private"  # while a complaint or a dispute is open there


def is_other(ctx: Context, case: Case, near: Near) -> bool:
    """Whether what is said is no more of this case."""
    return RULES[near](ctx, case)


def sure_topic(understood: Understanding) -> str | None:
    """What the words surely are about."""
    topic, certainty = understood.topics[0] if understood.topics else (None, 0.0)
    return topic if certainty >= SURE_OF_TOPIC else None


def is_elsewhere(ctx: Context, case: Case) -> bool:
    """Whether the places that are named are not the case's."""
    said, known = opening.place_words(ctx.understanding.places), case.place
    if said in known or known in said:
        return False
    return case.area_id not in {mention.area_id for mention in ctx.understanding.places}


def is_outside(ctx: Context, case: Case) -> bool:
    """Whether a place of the community's is named that is not the case's; words alone do not count."""
    named = {mention.area_id for mention in ctx.understanding.places if mention.area_id}
    return bool(named) and bool(case.place) and case.area_id not in named


def _is_about_another_thing(ctx: Context, case: Case) -> bool:
    return case.topic not in dict(ctx.understanding.topics) and sure_topic(ctx.understanding) is not None


def _right_behind(ctx: Context, case: Case) -> bool:
    if words.CRISIS in {case.topic, ctx.understanding.topic}:
        return ctx.understanding.topic != case.topic
    is_about_it = ctx.understanding.signal in SIGNALS_OF_A_CASE or words.is_urging(ctx.incoming.text)
    if is_about_it and not _urges_elsewhere(ctx, case):
        return False
    # Said under our receipt and naming no place of its own: more about this one, whatever else it sounds like.
    is_danger = ctx.understanding.urgency == Urgency.EMERGENCY and case.urgency != Urgency.EMERGENCY
    if ctx.incoming.reply_to_bot and case.state in ACTIVE and not ctx.understanding.places and not is_danger:
        return False
    return ratio(ctx.incoming.text, case.text) < SAME_WORDS


def _urges_elsewhere(ctx: Context, case: Case) -> bool:
    """Whether the words ask after something elsewhere: 8号楼怎么没人管, after a report about 3号楼."""
    if ctx.understanding.signal in SIGNALS_OF_A_CASE:
        return False
    return bool(ctx.understanding.places) and opening.place_words(ctx.understanding.places) not in case.place


def _of_its_work(ctx: Context, case: Case) -> bool:
    """Where another thing is named, or another place, or work that nobody does; nor is a picture with talk under it of the case: 今天的红烧肉."""
    understood = ctx.understanding
    if understood.signal == Signal.NONE and ctx.incoming.attachments and understood.decision == Decision.SILENT:
        return not ctx.is_private and remarks.shows_something_else(ctx.incoming.text)
    if understood.signal not in OF_THE_WORK:
        return False
    if case.kind in NOT_WORKED_ON or (case.topic and _is_about_another_thing(ctx, case)):
        return True
    if not understood.places:
        return remarks.is_of_another(ctx.incoming.text, case)
    return bool(case.place) and is_elsewhere(ctx, case)


def _when_over(ctx: Context, case: Case) -> bool:
    """Another thing, or another place, and something to be done about it."""
    understood = ctx.understanding
    if understood.decision != Decision.ACT or understood.signal == Signal.STILL_BROKEN:
        return False
    said = opening.place_words(understood.places)
    if said and said not in case.place and case.place not in said:
        return True
    if understood.kind == Kind.QUESTION:
        return False
    return understood.kind not in TROUBLES or _is_about_another_thing(ctx, case)


def _what_is_wrong(ctx: Context, case: Case) -> bool:
    """Another place, another thing, a danger, or something that is asked for."""
    understood = ctx.understanding
    if understood.urgency == Urgency.EMERGENCY or (understood.places and is_elsewhere(ctx, case)):
        return True
    if understood.decision != Decision.ACT or understood.signal == Signal.STILL_BROKEN:
        return False
    if _is_about_another_thing(ctx, case):
        return True
    says_wrong = words.is_back(ctx.incoming.text) or words.is_half(ctx.incoming.text)
    return understood.kind not in TROUBLES and not says_wrong


def _in_private(ctx: Context, case: Case) -> bool:
    """Clearly no more of this: another kind of matter, about another thing or another place."""
    understood = ctx.understanding
    if understood.decision != Decision.ACT or understood.kind in (Kind.CHATTER, *words.PRIVATE_KINDS):
        return False
    return is_outside(ctx, case) or sure_topic(understood) not in (None, case.topic, *BETWEEN_NEIGHBOURS)


RULES: dict[Near, Callable[[Context, Case], bool]] = {
    Near.RIGHT_BEHIND: _right_behind,
    Near.OF_ITS_WORK: _of_its_work,
    Near.WHEN_OVER: _when_over,
    Near.WHAT_IS_WRONG: _what_is_wrong,
    Near.IN_PRIVATE: _in_private,
}

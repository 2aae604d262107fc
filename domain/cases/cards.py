"""The worker's card: everything needed to go and do it, with what was said since the case was opened."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select

from core.messages import Kind, Urgency
from core.texts import say
from domain.cases import wish_words, words
from domain.cases.life import STATE_NAMES, State, Step
from domain.topics import name_of
from storage.base import Session
from storage.cases import Case, CaseEvent

LONGEST_TEXT = 1200
# Of what was said later the newest lines; older ones stand on the case's page.
MOST_NOTES, LONGEST_NOTE = 5, 200
# Put together once: every batch of cards asks it.
SAID_LATER = (
    select(CaseEvent.case_id, CaseEvent.note)
    .where(
        CaseEvent.case_id.in_(bindparam("cases", expanding=True)),
        CaseEvent.step.in_((Step.ADD, Step.DISSATISFIED, Step.REOPEN)),
        CaseEvent.actor_id.is_not(None),
        CaseEvent.note != "",
    )
    .order_by(CaseEvent.id)
)

Notes = Mapping[int, Sequence[str]]


def notes_of(session: Session, case_ids: Collection[int]) -> Notes:
    """What was said of these cases after they were opened, in one statement: by residents, and by staff who added to them."""
    session.flush()  # what was said just now
    found: dict[int, list[str]] = defaultdict(list)
    for case_id, note in session.connection().execute(SAID_LATER, {"cases": list(case_ids)}):
        found[case_id].append(note)
    return found


def text_of(session: Session, case: Case, notes: Notes) -> str:
    """The card as the case stands now."""
    title = "cases.card_title" if case.urgency == Urgency.NORMAL else "cases.card_title_urgent"
    kind, urgency = words.KIND_NAMES[Kind(case.kind)], words.URGENCY_NAMES[Urgency(case.urgency)]
    lines = [
        say(title, kind=kind, number=case.number, urgency=urgency),
        say("cases.card_place", place=words.place_name(session, case)),
        say("cases.card_topic", topic=name_of(case.topic)),
        say("cases.card_text", text=case.text[:LONGEST_TEXT]),
    ]
    if case.kind == Kind.WISH and case.state == State.ASSIGNED:
        lines.append(say("wishes.on_wall", text=wish_words.for_wall(case.text)))
    said = [note for note in dict.fromkeys(notes.get(case.id, ())) if note not in (case.text, case.place)]
    photo = say("cases.photo_proof")
    lines += [say("cases.card_said", note=note[:LONGEST_NOTE]) for note in said[-MOST_NOTES:] if note != photo]
    if case.deadline_at:
        lines.append(say("cases.card_deadline", deadline=words.moment(case.deadline_at)))
    if case.joined:
        lines.append(words.joined_count(case))
    lines.append(say("cases.card_state", state=STATE_NAMES[State(case.state)]))
    return "\n".join(lines)

"""The worker's side: the buttons of the card, the photo or reason that closes, the list of what is in hand."""

from collections.abc import Sequence

from core.errors import Refused
from core.texts import say
from domain import access, dialogues, files, inbox
from domain.cases import answers, calls, further, listing, opening, proofs, staff_words, telling, words, work
from domain.cases.life import STATE_NAMES, State, Step, may
from domain.inbox import Outcome
from handlers.context import Context, Press

PROOF_STEP = "tasks.proof"
RETURN_STEP = "tasks.return"
ANSWER_STEP = "tasks.answer"
ANSWER_AGAIN_STEP = "tasks.answer_again"
PROOF_AGAIN_STEP = proofs.AGAIN_STEP
REASONS_IN_A_ROW = 2


def _case(ctx: Context, case_id: int, step: Step) -> listing.Case:
    """The case, if this person may work on it and the step is possible now."""
    case = ctx.session.get(listing.Case, case_id)
    if case is None or not access.may_work(ctx.session, ctx.person, case, ctx.today):
        raise Refused("cases.not_yours")
    if not may(case, step):
        raise Refused("cases.press_unknown")
    return case


def accept(ctx: Context, subject: int) -> None:
    calls.accept(ctx.session, _case(ctx, subject, Step.ACCEPT), ctx.person, now=ctx.now)
    ctx.answer_press("cases.accepted")


def arrive(ctx: Context, subject: int) -> None:
    work.arrive(ctx.session, _case(ctx, subject, Step.ARRIVE), ctx.person, now=ctx.now)
    ctx.answer_press("cases.arrived")


def start_return(ctx: Context, subject: int) -> None:
    case = _case(ctx, subject, Step.RETURN)
    ctx.answer_press()
    ctx.ask(RETURN_STEP, {"case": str(case.id)})
    reasons = say("cases.return_reasons").split("、")
    pairs = [reasons[place : place + REASONS_IN_A_ROW] for place in range(0, len(reasons), REASONS_IN_A_ROW)]
    buttons = [[Press(words, "cases.return_because", case.id) for words in pair] for pair in pairs]
    ctx.reply("cases.ask_return_reason", buttons=buttons)


def return_because(ctx: Context, subject: int) -> None:
    """One of the reasons that were offered: the question becomes what came of it."""
    case = _case(ctx, subject, Step.RETURN)
    work.return_case(ctx.session, case, ctx.person, ctx.pressed, now=ctx.now)
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is not None and question.step == RETURN_STEP and question.data["case"] == str(case.id):
        dialogues.close(ctx.session, question)
    ctx.answer_press()
    words = say("cases.returned", number=case.number)
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, words, now=ctx.now)


def start_finish(ctx: Context, subject: int) -> None:
    case = _case(ctx, subject, Step.FINISH)
    ctx.answer_press()
    shown = inbox.loose_photos(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now) if ctx.is_private else []
    if shown := [one for one in shown if one.case_id is None]:
        _finish_with(ctx, case, shown)
        return
    ctx.ask(PROOF_STEP, {"case": str(case.id)})
    ctx.reply("cases.ask_proof")


def _finish_with(ctx: Context, case: listing.Case, shown: Sequence[inbox.Received]) -> None:
    """The pictures that the worker has just sent are the proof, and the words under them the note."""
    kept = [key for one in shown for key in _keep_proofs(ctx, case, one)]
    note = "，".join(one.text for one in shown if one.text)
    work.finish(ctx.session, case, ctx.person, note=note, now=ctx.now, file_ids=kept)
    for one in shown:
        one.case_id, one.outcome = case.id, Outcome.JOINED
        opening.keep_message(ctx.session, case, one)
    _thank(ctx, case, f"cases.finished{telling.reach(ctx.session, case)}", shown=note)


def start_answer(ctx: Context, subject: int) -> None:
    case = _case(ctx, subject, Step.FINISH)
    ctx.answer_press()
    ctx.ask(ANSWER_STEP, {"case": str(case.id)})
    ctx.reply("cases.ask_answer")


def start_answer_again(ctx: Context, subject: int) -> None:
    """The button under a question that came after the answer."""
    case = _case(ctx, subject, Step.ADD)
    ctx.answer_press()
    ctx.ask(ANSWER_AGAIN_STEP, {"case": str(case.id)})
    ctx.reply("cases.ask_answer")


def reason_told(ctx: Context, question: dialogues.Conversation) -> bool:
    case = _case(ctx, int(question.data["case"]), Step.RETURN)
    work.return_case(ctx.session, case, ctx.person, ctx.incoming.text, now=ctx.now)
    _done(ctx, question, case, "cases.returned")
    return True


def proof_told(ctx: Context, question: dialogues.Conversation) -> bool:
    """A photo or a reason: the case is finished. Further pictures of the same album join as they come."""
    case = _case(ctx, int(question.data["case"]), Step.FINISH)
    kept = _keep_proofs(ctx, case, ctx.received)
    work.finish(ctx.session, case, ctx.person, note=ctx.incoming.text, now=ctx.now, file_ids=kept)
    opening.keep_message(ctx.session, case, ctx.received)
    _done(ctx, question, case, f"cases.finished{telling.reach(ctx.session, case)}", is_shown=True)
    return True


def _keep_proofs(ctx: Context, case: listing.Case, received: inbox.Noted) -> list[int]:
    return [
        files.want(
            ctx.session,
            item,
            channel=received.channel,
            account=received.account,
            community_id=case.community_id,
            received_id=received.id,
            case_id=case.id,
            purpose="proof",
            now=ctx.now,
        ).id
        for item in inbox.files_of(received)
    ]


def proof_told_again(ctx: Context, question: dialogues.Conversation) -> bool:
    """What was missing after the end: the case is finished already. False: it has been opened again meanwhile."""
    case = ctx.session.get(listing.Case, int(question.data["case"]))
    if case is None or case.state not in (State.FINISHED, State.CLOSED):
        dialogues.close(ctx.session, question)
        return False
    kept = _keep_proofs(ctx, case, ctx.received)
    proofs.add(ctx.session, case, ctx.person, note=ctx.incoming.text, now=ctx.now, file_ids=kept)
    opening.keep_message(ctx.session, case, ctx.received)
    _done(ctx, question, case, "cases.proof_added", is_shown=True)
    return True


def answer_told(ctx: Context, question: dialogues.Conversation) -> bool:
    case = _case(ctx, int(question.data["case"]), Step.FINISH)
    answers.answer(ctx.session, case, ctx.person, ctx.incoming.text, now=ctx.now)
    _done(ctx, question, case, f"cases.answered{telling.reach(ctx.session, case)}", is_shown=True)
    return True


def answer_told_again(ctx: Context, question: dialogues.Conversation) -> bool:
    case = _case(ctx, int(question.data["case"]), Step.ADD)
    further.answer(ctx.session, case, ctx.person, ctx.incoming.text, now=ctx.now)
    _done(ctx, question, case, f"cases.answered{telling.reach(ctx.session, case)}", is_shown=True)
    return True


def _done(
    ctx: Context, question: dialogues.Conversation, case: listing.Case, key: str, *, is_shown: bool = False
) -> None:
    dialogues.close(ctx.session, question)
    ctx.received.case_id, ctx.received.outcome = case.id, Outcome.JOINED
    _thank(ctx, case, key, shown=ctx.incoming.text if is_shown else "")


def _thank(ctx: Context, case: listing.Case, key: str, *, shown: str) -> None:
    """Where words are shown to the resident's group, the worker learns what of them was left out there."""
    told = say(key, number=case.number)
    if shown and staff_words.hides(ctx.session, case, shown):
        told += "\n" + say("cases.hidden_in_group")
    ctx.reply_text(told)


def tasks(ctx: Context) -> None:
    """What I have in hand, the nearest deadline first; in a group without what was told in private."""
    if not access.duties(ctx.session, ctx.person.id, ctx.today):
        ctx.reply("cases.staff_only")
        return
    rows = listing.tasks_of(ctx.session, ctx.person.id)
    shown = rows if ctx.is_private else listing.for_groups(ctx.session, rows)
    if not shown:
        ctx.reply("cases.tasks_elsewhere" if rows else "cases.tasks_none")
        return
    lines = [say("cases.tasks_title", count=len(shown))]
    for case in shown:
        deadline = words.moment(case.deadline_at) if case.deadline_at else ""
        what, state = words.what(case), STATE_NAMES[State(case.state)]
        lines.append(say("cases.task_line", number=case.number, what=what, state=state, deadline=deadline))
    if len(shown) < len(rows):
        lines.append(say("cases.tasks_rest"))
    ctx.reply_text("\n".join(lines))

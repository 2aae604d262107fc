"""THE TABLE: which command (commands.py), button, open question or intent leads to which function, and who may.

`handle` reads as the path of one message: something happened to the chat, a button, an edit, a command, an answer to an open
question, something about an open case, a new matter, or chatter, which gets silence.
"""

from collections.abc import Callable

from core.errors import Refused
from core.messages import Decision, IncomingKind, Kind, Urgency
from core.texts import say
from domain import chats, dialogues, outbox, people
from domain.cases import opening
from handlers import (
    about_us,
    announcing,
    answers,
    asked_on,
    by_number,
    cases,
    choosing_community,
    colleagues,
    customer_groups,
    follow_ups,
    homes,
    looking_ahead,
    meanings,
    neighbours,
    own_cases,
    private_matters,
    put_right,
    ratings,
    said_steps,
    serving,
    several,
    start,
    still_wrong,
    taking_back,
    tasks,
    wishes,
)
from handlers.commands import BIND_WORDS, BY_TEXT
from handlers.context import Context

ACTIONS: dict[str, Callable[[Context, int], None]] = {
    "cases.undo": cases.undo,
    "cases.take_back": taking_back.pressed,
    "cases.in_community": choosing_community.chosen,
    "cases.not_meant": meanings.not_meant,
    "cases.meant_report": meanings.meant_report,
    "cases.meant_wish": meanings.meant_wish,
    "cases.meant_complaint": meanings.meant_complaint,
    "cases.meant_question": meanings.meant_question,
    "cases.meant_chatter": meanings.meant_chatter,
    "cases.confirm": neighbours.confirm,
    "cases.decline": cases.decline,
    "cases.satisfied": cases.satisfied,
    "cases.dissatisfied": cases.dissatisfied,
    "cases.same_matter": private_matters.same,
    "cases.other_matter": private_matters.other,
    "cases.part": neighbours.part,
    "cases.not_done": neighbours.not_done,
    "cases.accept": tasks.accept,
    "cases.return": tasks.start_return,
    "cases.return_because": tasks.return_because,
    "cases.arrive": tasks.arrive,
    "cases.finish": tasks.start_finish,
    "cases.answer": tasks.start_answer,
    "cases.answer_again": tasks.start_answer_again,
    wishes.CLAIM: wishes.claim,
    "wishes.done": wishes.start_done,
    "wishes.hand_back": wishes.hand_back,
    "answers.ask_staff": answers.ask_staff,
}

# An open question → who takes the answer; False means it was something else after all.
STEPS: dict[str, Callable[[Context, dialogues.Conversation], bool]] = {
    cases.ASK_PLACE_STEP: follow_ups.place_told,
    cases.DETAILS_STEP: follow_ups.details_told,
    private_matters.STEP: follow_ups.same_told,
    homes.STEP: choosing_community.told,
    meanings.STEP: meanings.answered,
    announcing.STEP: announcing.answered,
    cases.STILL_WRONG_STEP: still_wrong.told,
    wishes.PROOF_STEP: wishes.proof_told,
    tasks.PROOF_STEP: tasks.proof_told,
    tasks.PROOF_AGAIN_STEP: tasks.proof_told_again,
    tasks.RETURN_STEP: tasks.reason_told,
    tasks.ANSWER_STEP: tasks.answer_told,
    tasks.ANSWER_AGAIN_STEP: tasks.answer_told_again,
}

CHAT_EVENTS = frozenset(
    {
        IncomingKind.CHAT_RENAMED,
        IncomingKind.CHAT_MIGRATED,
        IncomingKind.BOT_REMOVED,
        IncomingKind.BOT_BLOCKED,
    }
)
COLLEAGUE_EVENTS = frozenset(
    {IncomingKind.COLLEAGUE_JOINED, IncomingKind.COLLEAGUE_CHANGED, IncomingKind.COLLEAGUE_LEFT}
)
SERVING_EVENTS = frozenset({IncomingKind.TAKEN_OVER, IncomingKind.HANDED_BACK})


def handle(ctx: Context) -> None:
    """Works one message. A refusal becomes the sentence that the person gets."""
    try:
        _handle(ctx)
    except Refused as refusal:
        if ctx.incoming.kind == IncomingKind.PRESS:
            ctx.answer_press(refusal.key, **refusal.blanks)
        else:
            ctx.reply_text(say(refusal.key, **refusal.blanks))


def _handle(ctx: Context) -> None:
    kind = ctx.incoming.kind
    if ctx.incoming.group is not None:
        customer_groups.told(ctx, ctx.incoming.group)
    elif kind in CHAT_EVENTS:
        start.chat_changed(ctx)
    elif kind == IncomingKind.BOT_ADDED:
        start.bot_added(ctx)
    elif kind in COLLEAGUE_EVENTS:
        colleagues.changed(ctx)
    elif ctx.incoming.sender is None or not ctx.incoming.sender.is_person:
        return
    elif kind in SERVING_EVENTS:
        serving.changed(ctx)
    elif serving.note_word(ctx):
        return  # a person of staff speaks with them
    elif ctx.is_private and kind in (IncomingKind.MESSAGE, IncomingKind.BOT_STARTED):
        _in_private(ctx)
    elif ctx.chat.state == chats.ChatState.BOUND:
        _in_bound_chat(ctx)
    elif kind == IncomingKind.MESSAGE:
        _bind(ctx)  # an unbound group: nothing but its code is listened to


def _in_private(ctx: Context) -> None:
    """In private the bot may write back from now on, and never ignores anybody."""
    person = ctx.person
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is not None and (ctx.chat.person_id != person.id or account.private_chat != "open"):
        chats.note_private(ctx.chat, account)
        ctx.session.flush()
    if ctx.incoming.kind == IncomingKind.BOT_STARTED:
        start.start(ctx)
        return
    _in_bound_chat(ctx)


def _in_bound_chat(ctx: Context) -> None:
    match ctx.incoming.kind:
        case IncomingKind.PRESS:
            _press(ctx)
        case IncomingKind.EDIT:
            _edit(ctx)
        case IncomingKind.WITHDRAWAL:
            _withdrawal(ctx)
        case IncomingKind.MESSAGE:
            _message(ctx)


def _press(ctx: Context) -> None:
    found = outbox.find_press(ctx.session, ctx.incoming.button or "", ctx.chat.id)
    if found is None:
        raise Refused("cases.press_unknown")
    row, action, subject = found
    ctx.pressed = outbox.pressed_words(row, ctx.incoming.button or "")
    ACTIONS[action](ctx, subject or 0)


def _edit(ctx: Context) -> None:
    """Each matter of the message follows its own words; what the edit made a matter, or a danger, of is one of its own."""
    together = opening.cases_of_message(ctx.session, ctx.chat.id, ctx.incoming.message_id or "")
    if len(together) > 1 or (together and ctx.parts):
        several.edited(ctx, together)
        return
    is_new = ctx.understanding.decision == Decision.ACT
    if together:
        follow_ups.edited(ctx, together[0])
        is_new = ctx.understanding.urgency == Urgency.EMERGENCY and together[0].urgency != Urgency.EMERGENCY
    if is_new:
        _new_matter(ctx)


def _withdrawal(ctx: Context) -> None:
    for case in opening.cases_of_message(ctx.session, ctx.chat.id, ctx.incoming.message_id or ""):
        follow_ups.withdrawn(ctx, case)


def _message(ctx: Context) -> None:
    if not looking_ahead.needs_look_up(ctx):
        return
    text = ctx.incoming.text.strip()
    if text in BY_TEXT:
        BY_TEXT[text].run(ctx)
        return
    if serving.asks_for_somebody(ctx):
        serving.ask(ctx)
        return
    if (
        _bind(ctx)
        or about_us.told(ctx)
        or ratings.told(ctx)
        or meanings.told(ctx)
        or announcing.told(ctx)
        or wishes.told(ctx)
        or by_number.told(ctx)
        or _answers_question(ctx)
        or said_steps.told(ctx)
        or neighbours.agree(ctx)
        or put_right.told(ctx)
        or asked_on.told(ctx)
        or own_cases.told(ctx)
        or follow_ups.invited(ctx)
        or about_us.asks_how_far(ctx)
        or taking_back.asked(ctx)
        or asked_on.more_told(ctx)
    ):
        return
    if not answers.from_kept(ctx):
        _new_matter(ctx)


def _bind(ctx: Context) -> bool:
    text = ctx.incoming.text.strip()
    word = next((word for word in BIND_WORDS if text == word or text.startswith(word + " ")), None)
    if word is None:
        return False
    start.bind(ctx, text.removeprefix(word))
    return True


def _answers_question(ctx: Context) -> bool:
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    return question is not None and STEPS[question.step](ctx, question)


def _new_matter(ctx: Context) -> None:
    understood = ctx.understanding
    if understood.decision == Decision.ACT and understood.kind != Kind.CHATTER:
        if ctx.parts:
            several.report(ctx)
        elif not neighbours.reported_already(ctx):
            cases.report(ctx)
    elif understood.decision == Decision.ASK and understood.kind != Kind.CHATTER:
        cases.doubt(ctx)
    elif ctx.is_private or ctx.incoming.is_addressed:
        _addressed(ctx)


def _addressed(ctx: Context) -> None:
    """Spoken to, and nothing was understood: never ignored."""
    if ctx.is_courtesy or start.begins_to_ask(ctx) or start.asks_who(ctx):
        start.courtesy(ctx)
    elif not (said_steps.remind(ctx) or own_cases.remind(ctx)):
        start.not_understood(ctx)

"""Residents and their cases: report, be asked, undo, rate, look up. What is said of an open case is handlers/follow_ups.py, the
worker's side handlers/tasks.py."""

from dataclasses import replace
from datetime import timedelta

from core.errors import Refused
from core.messages import Kind, Understanding, Urgency
from core.texts import say
from domain import chats, corrections, dialogues, files, inbox
from domain.cases import calls, joining, listing, opening, parting, photos, ratings, receipts, telling, words, work
from domain.cases.life import ACTIVE, STATE_NAMES, State
from domain.inbox import Outcome
from handlers import homes
from handlers.context import Context, Press

ASK_PLACE_STEP = "cases.place"
DETAILS_STEP = "cases.details"
STILL_WRONG_STEP = "cases.still_wrong"
# In a group people soon speak of something else.
STILL_WRONG_IN_GROUP = timedelta(minutes=10)
MOST_IN_LIST = 8


def report(ctx: Context) -> None:
    """A message that opens a case: the case, its receipt, its worker."""
    if not homes.settle(ctx):
        return
    case = open_case(ctx)
    places_needed = case.kind in opening.KINDS_WITH_PLACE and not case.place
    link = ctx.site.start_link(ctx.chat, f"case_{case.id}") if case.is_private else None
    opening.post_receipt(
        ctx.session,
        case,
        ctx.chat,
        now=ctx.now,
        reply_to=None if ctx.is_private else ctx.incoming.message_id,
        thread=ctx.incoming.chat.thread,
        asks_place=places_needed and case.urgency != Urgency.EMERGENCY,  # an emergency asks in its own words
        start_link=link,
    )
    calls.push(ctx.session, case, now=ctx.now)
    if (places_needed or case.urgency == Urgency.EMERGENCY) and not case.is_private:
        ctx.ask(ASK_PLACE_STEP, {"case": str(case.id)})
    elif case.is_private:
        go_on_in_private(ctx, case)


def go_on_in_private(ctx: Context, case: listing.Case) -> None:
    """A private matter is told more of where nobody listens."""
    if ctx.is_private:
        ctx.ask(DETAILS_STEP, {"case": str(case.id)})
    else:
        _go_on_in_private(ctx, case)


def matter_of(ctx: Context) -> opening.Matter:
    """What was said here, as a matter."""
    here = ctx.chat.area_id or ctx.chat.community_id
    return opening.matter_of(ctx.understanding, ctx.incoming.text, here=here)


def open_case(ctx: Context) -> listing.Case:
    """The case of what was said, with the photos and the place that the speaker sent just before."""
    if ctx.understanding.kind in opening.KINDS_WITH_PLACE and not ctx.understanding.places:
        _take_loose_place(ctx)
    assert ctx.chat.community_id is not None
    case = opening.open_case(
        ctx.session,
        matter_of(ctx),
        community_id=ctx.chat.community_id,
        chat=ctx.chat,
        reporter_id=ctx.person.id,
        now=ctx.now,
        cause_id=ctx.received.id,
    )
    joining.note_opened(ctx.session, case, ctx.chat)
    ctx.received.outcome, ctx.received.case_id = Outcome.OPENED, case.id
    opening.keep_message(ctx.session, case, ctx.received, said=ctx.incoming.text)
    take_files(ctx, case, ctx.received)
    join_first_half(ctx, case)
    take_loose_photos(ctx, case)
    return case


def _take_loose_place(ctx: Context) -> None:
    """ "3号楼", and then what is wrong there."""
    earlier = inbox.loose_place(ctx.session, ctx.received, ctx.chat.id, ctx.sender, now=ctx.now)
    understood = inbox.understanding_of(earlier) if earlier else None
    if earlier is not None and understood is not None:
        ctx.understanding = replace(ctx.understanding, places=understood.places)
        earlier.outcome = Outcome.JOINED


def take_files(ctx: Context, case: listing.Case, received: inbox.Noted) -> None:
    """The photos of a message are wanted for the case."""
    for item in inbox.files_of(received):
        files.want(
            ctx.session,
            item,
            channel=received.channel,
            account=received.account,
            community_id=case.community_id,
            received_id=received.id,
            case_id=case.id,
            purpose="report",
            now=ctx.now,
        )


def take_loose_photos(ctx: Context, case: listing.Case) -> None:
    """The photos that the speaker sent just before these words, and those that were put to an earlier matter for want of words."""
    for earlier in inbox.loose_photos(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now):
        if earlier.id == ctx.received.id or earlier.case_id == case.id:
            continue
        if earlier.case_id is None:
            join_message(ctx, case, earlier)
        elif photos.belongs_rather_to(ctx.session, earlier, ctx.received):
            photos.move(ctx.session, earlier, case, now=ctx.now)


def join_first_half(ctx: Context, case: listing.Case) -> None:
    """The line that this one completes belongs to the case as well; where it had been asked about, that is settled."""
    if ctx.before is None:
        return
    if ctx.before.outcome == Outcome.ASKED:
        listing.settle_asked(ctx.session, ctx.before.id, say("cases.ask_confirmed"), now=ctx.now)
    join_message(ctx, case, ctx.before)


def join_message(ctx: Context, case: listing.Case, received: inbox.Noted) -> None:
    """A message, with its photos, becomes part of a case; of the one in hand only what is said of this matter."""
    received.case_id, received.outcome = case.id, Outcome.JOINED
    said = ctx.incoming.text if received is ctx.received else received.text
    opening.keep_message(ctx.session, case, received, said=said)
    take_files(ctx, case, received)


def _go_on_in_private(ctx: Context, case: listing.Case) -> None:
    """Where the bot may write to the person already, it does so without waiting to be visited."""
    text = words.private_opened(ctx.session, case)
    if telling.to_reporter_in_private(ctx.session, case, text, now=ctx.now):
        chat = chats.private_chat_of(ctx.session, ctx.person.id, prefer=ctx.incoming.channel)
        if chat is not None and chat.channel == ctx.incoming.channel:
            dialogues.ask(ctx.session, chat.id, ctx.sender, DETAILS_STEP, data={"case": str(case.id)}, now=ctx.now)


def visit(ctx: Context, case_id: int) -> bool:
    """The reporter of a private matter has come by the link under its receipt: here it goes on. False: it is not theirs."""
    case = ctx.session.get(listing.Case, case_id)
    if case is None or case.reporter_id != ctx.person.id or not case.is_private or case.state not in ACTIVE:
        return False
    ctx.reply_text(words.private_opened(ctx.session, case))
    ctx.ask(DETAILS_STEP, {"case": str(case.id)})
    return True


def doubt(ctx: Context) -> None:
    """Asked once, with two buttons; only the one who spoke may press."""
    if not homes.may_be_of(ctx):
        ctx.reply("start.not_understood")
        return
    buttons = [
        [
            Press(say("cases.ask_yes"), "cases.confirm", ctx.received.id),
            Press(say("cases.ask_no"), "cases.decline", ctx.received.id),
        ]
    ]
    ctx.reply("cases.ask", buttons=buttons)
    ctx.received.outcome = Outcome.ASKED


def mine(ctx: Context) -> None:
    """My cases, in private chat whatever they are, in a group those that were told in one and are not private."""
    shown = rows = listing.of_reporter(ctx.session, ctx.person.id, limit=MOST_IN_LIST)
    if not ctx.is_private:
        public = listing.for_groups(ctx.session, rows, teller_id=ctx.person.id)
        shown = [case for case in public if case.kind != Kind.WISH]
    if not shown:
        ctx.reply("cases.mine_elsewhere" if rows else "cases.mine_none")
        return
    lines = [say("cases.mine_title")]
    lines += [
        say(
            "cases.mine_line",
            number=case.number,
            what=words.what(case),
            state=STATE_NAMES[State(case.state)],
        )
        for case in shown
    ]
    if len(shown) < len(rows):
        lines.append(say("cases.mine_rest"))
    ctx.reply_text("\n".join(lines))


def take_up_asked(ctx: Context, subject: int) -> None:
    """Yes, it is something for the community: from here on the earlier message is what is worked."""
    earlier = asked_message(ctx, subject)
    ctx.answer_press()
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, say("cases.ask_confirmed"), now=ctx.now)
    take_up(ctx, earlier, inbox.understanding_of(earlier) or ctx.understanding)


def take_up(ctx: Context, earlier: inbox.Received, understood: Understanding) -> None:
    """From here on the earlier message is what is worked."""
    ctx.received, ctx.understanding = earlier, understood
    ctx.incoming = replace(ctx.incoming, text=earlier.text, message_id=earlier.message_id, press_id=None)


def decline(ctx: Context, subject: int) -> None:
    """No: nothing is registered."""
    earlier = asked_message(ctx, subject)
    earlier.outcome = Outcome.ANSWERED
    understood = inbox.understanding_of(earlier)
    if understood is not None and ctx.chat.community_id is not None:
        corrections.declined(
            ctx.session, ctx.chat.community_id, earlier.text, understood, by_id=ctx.person.id, now=ctx.now
        )
    ctx.answer_press()
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, say("cases.ask_declined"), now=ctx.now)


def asked_message(ctx: Context, subject: int) -> inbox.Received:
    """The speaker's own message that a question with buttons was about, while the question stands."""
    earlier = ctx.session.get(inbox.Received, subject)
    if earlier is None or not earlier.text:
        raise Refused("cases.ask_old")
    if earlier.sender != ctx.sender:
        raise Refused("cases.not_yours")
    if earlier.outcome != Outcome.ASKED:
        raise Refused("cases.press_unknown")
    return earlier


def undo(ctx: Context, subject: int) -> None:
    """The button under the receipt."""
    case = listing.reported_by(ctx.session, ctx.person.id, subject)
    receipts.check_undo(case, now=ctx.now)
    corrections.not_meant(ctx.session, case, by_id=ctx.person.id, now=ctx.now)
    passed_on = parting.take_back(ctx.session, case, actor_id=ctx.person.id, now=ctx.now)
    said = "cases.joined_passed_on_receipt" if passed_on else "cases.undone"
    ctx.answer_press(said, number=case.number, how=words.how_joined(case))


def satisfied(ctx: Context, subject: int) -> None:
    _rate(ctx, subject, is_satisfied=True)


def dissatisfied(ctx: Context, subject: int) -> None:
    _rate(ctx, subject, is_satisfied=False)


def _rate(ctx: Context, subject: int, *, is_satisfied: bool) -> None:
    """Only whoever reported it may rate; the question itself becomes the thanks."""
    case = listing.reported_by(ctx.session, ctx.person.id, subject)
    if not is_satisfied and case.state not in (State.FINISHED, State.CLOSED):
        raise Refused("cases.press_unknown")
    if not (is_satisfied and ratings.is_rated(case)):
        work.rate(ctx.session, case, ctx.person.id, satisfied=is_satisfied, now=ctx.now)
    key = "rated_satisfied" if is_satisfied else "rated_dissatisfied"
    ctx.answer_press()
    if not is_satisfied:
        ask_what_is_wrong(ctx, case)
    listing.settle_question(
        ctx.session, ctx.chat, ctx.incoming.message_id, say(f"cases.{key}", number=case.number), now=ctx.now
    )
    ratings.settle(ctx.session, case, now=ctx.now)


def ask_what_is_wrong(ctx: Context, case: listing.Case) -> None:
    """The next words of this person here are about the case."""
    life, data = dialogues.LIFE if ctx.is_private else STILL_WRONG_IN_GROUP, {"case": str(case.id)}
    dialogues.ask(ctx.session, ctx.chat.id, ctx.sender, STILL_WRONG_STEP, data=data, now=ctx.now, life=life)

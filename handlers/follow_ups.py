"""What residents say of a case that is open: more words, a photo, a place, "还没修", "修好了", an edit, a withdrawal."""

from datetime import timedelta

from core.messages import Decision, Kind, Signal, Urgency
from core.texts import say
from domain import dialogues, people
from domain.cases import joined, listing, opening, parting, receipts, remarks, telling, words, work
from domain.cases.life import ACTIVE, State, Step, may, take_step
from domain.inbox import Outcome
from handlers import cases, emergencies, private_matters, ratings, taking_back
from handlers.context import Context
from handlers.other_matters import Near, is_other

LONGEST_PLACE = 30
MOST_BEYOND = 4  # so many characters may stand around a place that is told to everybody: 麻烦快点
LONGEST_COURTESY = 14
INVITED_FOR = timedelta(days=1)


def follow_up(ctx: Context, case: listing.Case) -> None:
    """More about an open case: a photo, a place, "还没修", "修好了", "撤回", or just more words."""
    signal, understood = ctx.understanding.signal, ctx.understanding
    cases.join_message(ctx, case, ctx.received)
    if not (ctx.incoming.text or ctx.incoming.reply_to):
        ctx.received.outcome = Outcome.SUPPOSED  # a photo alone
    actor = ctx.person.id
    if takes_back(ctx) and _taken_back(ctx, case):
        return
    if signal == Signal.STILL_BROKEN or (signal == Signal.NONE and words.is_urging(ctx.incoming.text)):
        if work.press_on(ctx.session, case, ctx.incoming.text, actor_id=actor, now=ctx.now):
            cases.ask_what_is_wrong(ctx, case)
        ctx.reply("cases.still_broken_noted", number=case.number)
    elif signal == Signal.RESOLVED:
        _resolved(ctx, case)
    elif (understood.places and (case.reporter_id == actor or ctx.incoming.reply_to_bot) and not case.place) or (
        signal == Signal.CORRECTION and understood.places and case.reporter_id == actor
    ):
        add_place(ctx, case)
    elif ctx.incoming.text:
        opening.add_note(ctx.session, case, ctx.incoming.text, actor_id=actor, now=ctx.now, cause_id=ctx.received.id)
    elif ctx.incoming.attachments and may(case, Step.ADD):
        # The picture itself goes to the worker when it has been fetched; nothing needs to announce it.
        note = say("cases.photo_proof")
        take_step(ctx.session, case, Step.ADD, now=ctx.now, actor_id=actor, note=note, cause_id=ctx.received.id)


def goes_on(ctx: Context) -> bool:
    """又堵了, 都两天了: more of what somebody known has just told of. Who has told of nothing has said nothing, and stays unknown."""
    if not words.is_half(ctx.incoming.text):
        return False
    return people.account_of(ctx.session, ctx.incoming.channel, ctx.sender) is not None


def takes_back(ctx: Context) -> bool:
    """Whether the words take a matter back: 撤回, 发错了, and 不用了 where it is said to us."""
    is_to_us = ctx.is_private or ctx.incoming.is_addressed or ctx.incoming.reply_to_bot
    return ctx.understanding.signal == Signal.WITHDRAWN or (is_to_us and words.is_giving_up(ctx.incoming.text))


def _taken_back(ctx: Context, case: listing.Case) -> bool:
    """The reporter's case is withdrawn, or passes to who joined; who joined parts from it. False: it is not theirs to take back."""
    actor = ctx.person.id
    if case.topic == words.CRISIS:
        return False  # 算了 is no reason to stay away
    if case.reporter_id == actor and (ctx.understanding.signal == Signal.WITHDRAWN or may(case, Step.WITHDRAW)):
        # One message told of them, and one receipt: the words are about all.
        others = [
            each
            for each in receipts.siblings(ctx.session, case)
            if each is not case and each.reporter_id == actor and may(each, Step.WITHDRAW)
        ]
        taken = []
        for each in (case, *others):
            if parting.take_back(ctx.session, each, actor_id=actor, now=ctx.now, cause_id=ctx.received.id):
                ctx.reply("cases.joined_passed_on_receipt", number=each.number, how=words.how_joined(each))
            else:
                taken.append(each)
        taking_back.tell(ctx, taken)
        return True
    row = joined.of_person(ctx.session, case, actor) if case.joined else None
    if row is None:
        return False
    parting.part(ctx.session, case, row, actor_id=actor, now=ctx.now, is_matter=False)
    ctx.reply("cases.parted_only", number=case.number)
    return True


def _resolved(ctx: Context, case: listing.Case) -> None:
    """The reporter says it is done: a finished case closes, an active one is for its worker to confirm."""
    if case.state == State.FINISHED and case.reporter_id == ctx.person.id:
        ratings.satisfied(ctx, case)
        return
    opening.add_note(
        ctx.session, case, ctx.incoming.text, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id
    )
    if case.state in ACTIVE:
        telling.to_worker(ctx.session, case, say("cases.card_resident_resolved", number=case.number), now=ctx.now)


def add_place(ctx: Context, case: listing.Case, *, said: str = "") -> None:
    """The place, told late or corrected; `said` are the resident's own words for it."""
    text = ctx.incoming.text
    mentions = ctx.understanding.places
    # 不是3号楼，是5号楼
    meant = tuple(each for each in mentions if not text[: each.start].rstrip().endswith(("不是", "不在", "并非")))
    mentions = meant or mentions
    area_id = next((mention.area_id for mention in mentions if mention.area_id), None)
    opening.add_place(
        ctx.session,
        case,
        place=said or opening.place_words(mentions) or ctx.incoming.text[:100],
        area_id=area_id,
        actor_id=ctx.person.id,
        now=ctx.now,
        cause_id=ctx.received.id,
    )


def place_told(ctx: Context, question: dialogues.Conversation) -> bool:
    """The answer to "在哪栋楼": joins the case when it holds a place and no new trouble. False: it was something else."""
    called_for = ctx.session.get(listing.Case, int(question.data["case"]))
    if called_for is not None and called_for.urgency == Urgency.EMERGENCY and called_for.state in ACTIVE:
        return emergencies.place_told(ctx, called_for)
    if not (ctx.understanding.places or remarks.is_spot(ctx.incoming.text)) or (
        ctx.understanding.decision == Decision.ACT and ctx.understanding.kind != Kind.CHATTER
    ):
        return False
    if ctx.is_to_neighbour and not ctx.incoming.reply_to_bot:
        return False
    case = ctx.session.get(listing.Case, int(question.data["case"]))
    if case is not None and _says_more(ctx, case):
        return False
    dialogues.close(ctx.session, question)
    if case is None or case.state not in ACTIVE:
        return False
    cases.join_message(ctx, case, ctx.received)
    others = [each for each in receipts.siblings(ctx.session, case) if each is not case and not each.place]
    said = remarks.spot_said(ctx.incoming.text)
    for each in (case, *others):
        add_place(ctx, each, said=said if len(said) <= LONGEST_PLACE else "")
    return True


def _says_more(ctx: Context, case: listing.Case) -> bool:
    """Whether a line with a place in it is no answer but about something else: 3号楼嘅垃圾冇人清呀."""
    said = ctx.incoming.text
    if (
        not (ctx.is_private or ctx.incoming.reply_to_bot)
        and remarks.beyond_spot(said, ctx.understanding.places) > MOST_BEYOND
    ):
        return True
    return not remarks.is_spot(said) and remarks.names_something(said) and remarks.is_of_another(said, case)


def edited(ctx: Context, case: listing.Case) -> None:
    """The resident changed the words of a message that belongs to a case: the case's own words follow, all else is more about it."""
    ctx.received.case_id, ctx.received.outcome = case.id, Outcome.JOINED
    said, actor = ctx.incoming.text, ctx.person.id
    kept = opening.kept_message(ctx.session, case, ctx.chat.id, ctx.incoming.message_id or "")
    if not said.strip() or case.state not in ACTIVE or kept is None or kept.text == said:
        return
    is_what_it_says = kept.text == case.text and case.reporter_id == actor
    kept.text = said
    if not is_what_it_says:
        opening.add_note(ctx.session, case, said, actor_id=actor, now=ctx.now, cause_id=ctx.received.id)
        return
    opening.edit_text(ctx.session, case, said, actor_id=actor, now=ctx.now, cause_id=ctx.received.id)
    if ctx.understanding.places and opening.place_words(ctx.understanding.places) != case.place:
        add_place(ctx, case)


def withdrawn(ctx: Context, case: listing.Case) -> None:
    """The resident deleted the message: a case nobody has accepted goes with it, another only learns of it."""
    ctx.received.case_id, ctx.received.outcome = case.id, Outcome.JOINED
    if case.topic == words.CRISIS:
        return
    if case.state in (State.OPEN, State.ASSIGNED) and case.reporter_id == ctx.person.id:
        parting.take_back(ctx.session, case, actor_id=ctx.person.id, now=ctx.now, cause_id=ctx.received.id)
    elif (row := joined.of_person(ctx.session, case, ctx.person.id)) and row.message_id == ctx.incoming.message_id:
        parting.part(ctx.session, case, row, actor_id=ctx.person.id, now=ctx.now, is_matter=False)


def details_told(ctx: Context, question: dialogues.Conversation) -> bool:
    """More about a private matter, for as long as its reporter goes on. False: something else has come up."""
    case = ctx.session.get(listing.Case, int(question.data["case"]))
    if case is None or case.state not in ACTIVE:
        dialogues.close(ctx.session, question)
        return False
    if not _is_for(ctx, case) or _is_reply_to_another(ctx, case):
        return False
    _take_details(ctx, case, "cases.added")
    return True


def same_told(ctx: Context, question: dialogues.Conversation) -> bool:
    """The answer to whether it is the same matter, or more of the private one."""
    return private_matters.told(ctx, question) or details_told(ctx, question)


def invited(ctx: Context) -> bool:
    """The first that somebody says in private, by hand and without the link, of the one private matter that they told in a group within
    a day: they were asked to tell more here. False: nothing waits for them, or it is about something else."""
    if not ctx.is_private or ctx.incoming.reply_to:
        return False
    if dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now) is not None:
        return False
    case = listing.untold_in_private(ctx.session, ctx.person.id, since=ctx.now - INVITED_FOR)
    if case is None or not _is_for(ctx, case):
        return False
    if case.topic != words.CRISIS and is_other(ctx, case, Near.IN_PRIVATE):
        return False
    if case.topic != words.CRISIS and private_matters.may_be_another(ctx, case):
        private_matters.ask(ctx, case)
    else:
        _take_details(ctx, case, "cases.private_joined")
    return True


def _is_for(ctx: Context, case: listing.Case) -> bool:
    """Whether what is said in private can be of this case: no greeting, no danger of its own, not several matters at once. Who means
    to die is heard whatever they say."""
    understood = ctx.understanding
    if case.topic == words.CRISIS:
        is_trouble = understood.decision == Decision.ACT and understood.kind == Kind.REPORT
        return not is_trouble or understood.urgency == Urgency.EMERGENCY
    if (ctx.is_courtesy and len(ctx.incoming.text) <= LONGEST_COURTESY) or private_matters.is_danger(ctx):
        return False
    return not (ctx.parts and is_other(ctx, case, Near.IN_PRIVATE))


def _take_details(ctx: Context, case: listing.Case, thanks: str) -> None:
    """It joins the case, and so will what comes next; clearly another matter is asked about."""
    is_crisis = case.topic == words.CRISIS
    if not is_crisis and is_other(ctx, case, Near.IN_PRIVATE):
        private_matters.ask(ctx, case)
        return
    follow_up(ctx, case)
    if case.state not in ACTIVE:
        question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
        if question is not None:
            dialogues.close(ctx.session, question)
        return
    ctx.ask(cases.DETAILS_STEP, {"case": str(case.id)})
    # Of an album one word is enough; "still broken" has had its answer.
    if is_crisis:
        _is_heard(ctx, case)
    elif taking_back.sounds_so(ctx):
        taking_back.ask_whether(ctx, case)
    elif ctx.understanding.signal != Signal.STILL_BROKEN and (ctx.incoming.text or not ctx.incoming.album_id):
        asks = thanks == "cases.private_joined" and case.kind == Kind.REPORT and not case.place
        ctx.reply_text(say(thanks, number=case.number) + (say("cases.private_ask_place") if asks else ""))


def _is_heard(ctx: Context, case: listing.Case) -> None:
    """What else is dangerous there has its own first step, which comes first."""
    topic = ctx.understanding.topic
    is_danger = ctx.understanding.urgency == Urgency.EMERGENCY and topic != words.CRISIS
    call = words.call_about(topic) + "\n" if is_danger else ""
    ctx.reply_text(call + say("cases.crisis_added", worker=words.crisis_worker(ctx.session, case)))


def _is_reply_to_another(ctx: Context, case: listing.Case) -> bool:
    if not ctx.incoming.reply_to:
        return False
    other = opening.case_of_message(ctx.session, ctx.chat.id, ctx.incoming.reply_to)
    return other is not None and other is not case

"""A case's number, said to the bot alone: how the matter stands, for whoever told of it, has the same trouble, or works on it."""

import re

from core.texts import say
from domain import access, people
from domain.cases import joined, listing, words
from domain.cases.life import STATE_NAMES, WITH_WORKER, State
from handlers.context import Context

NUMBER = re.compile(r"([A-Z]{2})[-－]?(\d{8})[-－]?(\d{4})", re.IGNORECASE)
LONGEST = 14  # characters beside the number
_ASKS = re.compile(
    r"[?？吗么呢]|怎么样|怎样|咋样|如何|进度|进展|情况|状态|结果|到哪|哪一?步|谁|查|多久|什么时候|没有?\W*$"
)


def numbered(text: str) -> str:
    """The number that a text names, as it is written in the books; "" when it names none."""
    found = NUMBER.search(text)
    return "-".join(found.groups()).upper() if found else ""


def told(ctx: Context) -> bool:
    """A number alone, or with a question how it stands. False: something is said of it."""
    number = numbered(ctx.incoming.text) if ctx.is_private and not ctx.incoming.attachments else ""
    rest = NUMBER.sub("", ctx.incoming.text).strip(" ，,。：:！!")
    if not number or len(rest) > LONGEST or (rest and not _ASKS.search(rest)):
        return False
    cases = listing.of_number(ctx.session, number)
    case = next((one for one in cases if _told_of(ctx, one)), None)
    if case is not None:
        ctx.reply_text(_stands(ctx, case))
    elif (case := next((one for one in cases if _works_on(ctx, one)), None)) is not None:
        ctx.reply_text(_stands(ctx, case, for_staff=True))
    else:
        ctx.reply("cases.number_not_found", number=number)
    return True


def _told_of(ctx: Context, case: listing.Case) -> bool:
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None:
        return False
    if case.reporter_id == account.person_id:
        return True
    return bool(case.joined) and joined.of_person(ctx.session, case, account.person_id) is not None


def _works_on(ctx: Context, case: listing.Case) -> bool:
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    return account is not None and access.may_work(ctx.session, ctx.person, case, ctx.today)


def _stands(ctx: Context, case: listing.Case, *, for_staff: bool = False) -> str:
    state = State(case.state)
    if not (for_staff or case.is_private):
        return words.receipt(ctx.session, case)
    lines = [say("cases.mine_line", number=case.number, what=words.what(case), state=STATE_NAMES[state])]
    if state in WITH_WORKER and case.deadline_at:
        worker, deadline = words.worker_name(ctx.session, case), words.moment(case.deadline_at)
        lines.append(say("cases.stands_with", worker=worker, deadline=deadline))
    return "\n".join(lines)

"""How the same thing said by several people becomes one case: a neighbour's "me too", or a report of what is reported already.

Being wrong must be cheap: nothing that was said is lost, another building never joins, and parting again is one tap.
"""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast

from sqlalchemy import bindparam, func, select, text, update

from core.ids import BLOCK_STRIDE, new_id
from core.messages import Kind, Signal, Understanding, Urgency
from core.texts import say
from domain import reminders
from domain.cases import joined, opening, remarks, telling, words
from domain.cases.life import ACTIVE, Step, take_step
from domain.cases.opening import Matter
from domain.cases.said import MOST_SAID, said_of
from domain.inbox import Noted
from domain.people import TOLD_HERE
from nlp.classify import shipped_classifier
from nlp.likeness import ALIKE, likeness_to_all
from nlp.normalise import normalise
from nlp.numerals import read_number
from nlp.places import NOWHERE
from storage.base import Session
from storage.cases import Case, CaseMessage, CaseReporter
from storage.chats import Chat
from storage.messages import Received
from storage.people import Person

# How long ago the same thing may have been reported.
WINDOW = timedelta(days=3)
WINDOW_OF_EMERGENCY = timedelta(minutes=30)
# "我家也是" right after: so long, with so many other lines in between; "+1" only right behind what it agrees with.
RIGHT_AFTER = timedelta(minutes=10)
AFTER = timedelta(minutes=30)  # where the words say by themselves what they are about
MOST_BETWEEN = 6
MOST_CANDIDATES = 500
SHOWN_AFTER = timedelta(seconds=3)
LONGEST_AGREEMENT = 40
LONGEST_BATCH = 60_000 * BLOCK_STRIDE  # a minute, in keys
AGREES = 1.5
ANY_TOPIC = 0.3  # who is less sure of a topic may be about any
SAME_THING = "same thing"
JOINABLE = frozenset({Kind.REPORT, Kind.REQUEST, Kind.QUESTION, Kind.PROPOSAL})
# One failure of these takes the whole building, whatever door it is reported from.
WIDE = frozenset({"water_supply", "power", "heating", "network"})

_MAYBE_AGREES = re.compile(r"也|同[求问感上样意]|附议|加一|一样|^\s*[+＋]")
# 我也是这么想的: agreed with somebody's words, not with their trouble; 加一勺糖: not an answer at all.
_AGREES_IN_MIND = re.compile(r"加一(?=[^\W\d_])|也是?(?:这么|想|觉得|认为|希望|支持|同意|听说?|刚|要|去|来)")
# 支持 right behind a proposal; of a trouble it says nothing.
_BACKS = re.compile(
    r"^(?:(?:我们?|我家|俺|咱)?(?:也|都|举双手|双手|强烈|非常|绝对|完全|必须)?(?:支持|赞成|同意|赞同|(?:想要|需要|希望有)(?!的))"
    r"|顶$|这个(?:建议|主意|提议|想法)?(?:真?好|不错|可以|行))"
)
_POINTS = re.compile(
    r"^[\W_]*(?:就是|是啊|对啊|唉|哎|真是)*+[\W_]*[这那](?:个|部|台|破|条|盏|些)?(?!几天|两天|里|边|附近)|三天两头|隔三差五"
)
# 我屋头也没得水, with the words for home of wherever people come from.
_TOO_AT_HOME = re.compile(
    r"(?:我|俺|咱|阿拉|侬|我们|俺们)(?:们)?(?:家|屋头?|屋里头?|这边|这里|这儿|楼|单元|栋|头)(?:里头?)?也(?:没得?(?!办法|事|关系|问题|什么|说|想|时间|空|去|来|看|人)|冇|停|断|漏|堵|不[亮通热]|坏)"
)
# 我家门口也是这样: of one's own home, so that it is no opinion.
_SAME_HERE = re.compile(
    r"(?:家|栋|楼|单元|屋|我们?这)(?:门口|门前|楼下|楼上|楼道|里头?|这里|这边|这儿|边|外面|隔壁|那里|那边|一?层)?(?:也|同样)(?:都|是)*(?:这样|这个样|那样|一样|这种情况|这情况|如此)"
)
_OF_HOME = re.compile(r"家|栋|楼|单元|户|屋|小区|这边|这里|那边")
_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
# What tells two places of one building apart.
_PARTS = (
    re.compile(rf"(?<![号\d])(?:地下|负)?{_NUMBER}[楼层](?!栋)"),
    re.compile(r"[东南西北前后左右](?=[门侧边面头户]|单元)"),
)

# Community, and what is where.
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open case as far as a new report is compared with it: what opened it, and what those who joined said of it.

    `row` is the case itself where this transaction opened it.
    """

    id: int
    text: str
    place: str
    urgency: str
    opened_at: datetime
    told: tuple[str, ...] = ()
    row: Case | None = None


def key_of(session: Session, matter: Matter, community_id: int | None) -> Key | None:
    """Under what the same thing would be found; None where nothing can be the same as this."""
    if matter.kind != Kind.REPORT or matter.topic in (None, words.CRISIS) or community_id is None:
        return None
    thing = opening.thing_of(matter.topic, opening.site_named(session, matter))
    return (community_id, thing) if thing else None


# Put together once: every batch asks it.
OPEN_UNDER = (
    select(Case.id, Case.community_id, Case.thing, Case.text, Case.place, Case.urgency, Case.opened_at, Case.joined)
    .where(
        # Not as pairs, which SQLite looks up in no index.
        Case.community_id.in_(bindparam("communities", expanding=True)),
        Case.thing.in_(bindparam("things", expanding=True)),
        # As literals: only then does the database know that the index on these holds all of them.
        text('"case".closed_at IS NULL AND "case".thing <> \'\''),
        Case.state.in_(ACTIVE),
        Case.kind == Kind.REPORT,
        Case.opened_at >= bindparam("since", type_=Case.opened_at.type),
    )
    .order_by(Case.id.desc())
    .limit(MOST_CANDIDATES)
)


def note_open(session: Session, keys: Collection[Key], *, now: datetime) -> None:
    """Looks up the open cases under all of these keys in one statement, for the `same_thing` that follow; a second one where some
    have been joined."""
    found: dict[Key, list[Candidate]] = defaultdict(list)
    asked = {
        "communities": list({community_id for community_id, _ in keys}),
        "things": list({thing for _, thing in keys}),
        "since": now - WINDOW,
    }
    rows = session.execute(OPEN_UNDER, asked).all() if keys else []
    told = said_of(session, [row.id for row in rows if row.joined])
    for row in rows:
        candidate = Candidate(row.id, row.text, row.place, row.urgency, row.opened_at, told.get(row.id, ()))
        found[row.community_id, row.thing].append(candidate)
    for key in keys:
        session.memo[SAME_THING, key] = found.get(key, [])


def _note_told(session: Session, case: Case, said: str) -> None:
    """Later reports of the same batch are compared with these words too."""
    known = cast(list[Candidate], session.memo.get((SAME_THING, (case.community_id, case.thing)), []))
    for index, candidate in enumerate(known):
        if candidate.id == case.id:
            known[index] = replace(candidate, told=(*candidate.told, said)[-MOST_SAID:])


def note_opened(session: Session, case: Case, chat: Chat) -> None:
    """A case of this very transaction: what is agreed with from now on, and what later reports of its batch may be the same as."""
    if not case.is_private and case.kind in JOINABLE:
        chat.last_case_id = case.id
        session.memo[Case, case.id] = case
    known = session.memo.get((SAME_THING, (case.community_id, case.thing)))
    if known is not None and case.kind == Kind.REPORT:
        made = Candidate(case.id, case.text, case.place, case.urgency, case.opened_at, row=case)
        cast(list[Candidate], known).insert(0, made)


def note_near(session: Session, chats: Collection[Chat]) -> None:
    """Looks up in one statement what "me too" means in these chats, for the `agreed_with` that follow."""
    keys = {chat.last_case_id for chat in chats} - {None}
    for case in session.scalars(select(Case).where(Case.id.in_(keys))) if keys else ():
        session.memo[Case, case.id] = case


def same_thing(session: Session, matter: Matter, key: Key, *, now: datetime) -> Case | None:
    """The open case that tells of the same trouble at the same place, the likest if there are several."""
    if (SAME_THING, key) not in session.memo:
        note_open(session, [key], now=now)
    best, most = None, ALIKE
    for candidate in cast(list[Candidate], session.memo[SAME_THING, key]):
        if not _may_be_one(matter, candidate, now):
            continue
        names = frozenset(f"{matter.place} {candidate.place}".split())
        alike = likeness_to_all(matter.text, (candidate.text, *candidate.told), names=names)
        if alike >= most:
            best, most = candidate, alike
    if best is None:
        return None
    case = best.row or session.get(Case, best.id)
    # An earlier message of the batch may have ended it.
    return case if case is not None and case.state in ACTIVE and not case.is_private else None


def _may_be_one(matter: Matter, candidate: Candidate, now: datetime) -> bool:
    """What words cannot tell: an emergency joins only an emergency of just now, and other doors or floors are other troubles."""
    is_emergency = candidate.urgency == Urgency.EMERGENCY
    # 还在漏，越漏越大: it is the same, whatever it has become.
    if not remarks.is_going_on(matter.text):
        if matter.urgency == Urgency.EMERGENCY and not is_emergency:
            return False
        if is_emergency and now - candidate.opened_at > WINDOW_OF_EMERGENCY:
            return False
    return matter.topic in WIDE or not are_apart(f"{matter.place} {matter.text}", f"{candidate.place} {candidate.text}")


def are_apart(one: str, other: str) -> bool:
    """Whether two texts about one building name different units, doors, floors or sides of it."""
    first, second = _details(one), _details(other)
    return any(mine and theirs and mine.isdisjoint(theirs) for mine, theirs in zip(first, second, strict=True))


@lru_cache(maxsize=4096)
def _details(words_of_it: str) -> tuple[frozenset[str], ...]:
    plain = normalise(words_of_it)
    found = NOWHERE.find(plain)
    units = frozenset(mention.unit for mention in found if mention.unit)
    doors = frozenset(mention.door for mention in found if mention.door)
    return units, doors, *(frozenset(map(_in_figures, pattern.findall(plain))) for pattern in _PARTS)


def _in_figures(part: str) -> str:
    """五楼 and 5层 are one floor, 负一层 and 地下1楼 another; a side stays as it is."""
    number = read_number(part[:-1].removeprefix("地下").removeprefix("负")) if part[-1] in "楼层" else None
    return f"{'负' if part.startswith(('地下', '负')) else ''}{number}" if number else part


def backs(said: str) -> bool:
    """Whether a text, said under a proposal, speaks for it: 支持, 我也想要, 这个建议好."""
    return len(said) <= LONGEST_AGREEMENT and _BACKS.match(normalise(said)) is not None


def is_for(case: Case, said: str) -> bool:
    """Whether the text agrees with such a case: with a proposal by speaking for it, with anything by having the same."""
    return agrees(said) or (case.kind == Kind.PROPOSAL and backs(said))


def points(said: str) -> bool:
    """Whether a report without a place means what stands just above it: 这电梯三天两头坏."""
    return len(said) <= LONGEST_AGREEMENT and _POINTS.search(said) is not None


def agrees(said: str) -> bool:
    """Whether a text says that somebody has the same trouble: +1, 同求, 我家也是, 我们这栋也停水了."""
    if len(said) > LONGEST_AGREEMENT or not _MAYBE_AGREES.search(said):
        return False
    return _agrees(said, shipped_classifier().number)


@lru_cache(maxsize=4096)
def _agrees(said: str, _words: int) -> bool:
    """`_words` numbers the words that count now: with others the same text may read otherwise."""
    if _AGREES_IN_MIND.search(said):
        return False
    if _SAME_HERE.search(said) or _TOO_AT_HOME.search(said):
        return True
    return shipped_classifier().score(normalise(said)).signals.get(Signal.ME_TOO, 0.0) > AGREES


def agreed_with(session: Session, chat: Chat, said: Noted, understood: Understanding, *, now: datetime) -> Case | None:
    """The case that a "me too" said right after it means; None where it may as well mean something else."""
    case = session.recall(Case, chat.last_case_id) if chat.last_case_id else None
    if case is None or case.community_id != chat.community_id:
        return None  # the group has moved since
    if not may_agree(case, understood):
        return None
    waited = now - _last_told(session, case, chat, now=now)
    if waited > AFTER:
        return None
    if understood.topic == case.topic and case.topic is not None:
        return case
    most = MOST_BETWEEN if _OF_HOME.search(said.text) else 0
    return case if waited <= RIGHT_AFTER and _lines_between(session, case, said) <= most else None


def _last_told(session: Session, case: Case, chat: Chat, *, now: datetime) -> datetime:
    """When a case was spoken of in a chat last: reported, or told of once more."""
    if now - case.opened_at <= RIGHT_AFTER:
        return case.opened_at
    told = select(func.max(CaseMessage.at)).where(CaseMessage.case_id == case.id, CaseMessage.chat_id == chat.id)
    return session.scalar(told) or case.opened_at


def may_agree(case: Case, understood: Understanding) -> bool:
    """Whether what was said can be about this case: nothing private, no other matter, and no other building."""
    if case.is_private or case.kind not in JOINABLE or case.state not in ACTIVE:
        return False
    # Sure of another topic: 我家也漏水 under a report of no water.
    codes = {code for code, _ in understood.topics}
    if max((certainty for _, certainty in understood.topics), default=0.0) < ANY_TOPIC:
        return True
    return case.topic is None or case.topic in codes


def _lines_between(session: Session, case: Case, said: Noted) -> int:
    """How many lines of others stand between a case's last message in a chat and what was said there."""
    session.flush()  # what was said just now
    # A message has its key before the case that it opens, and what came after it with the same batch stands there already.
    near = Received.id.between(case.id - LONGEST_BATCH, said.id - 1)
    query = (
        select(Received.case_id)
        .where(near, Received.chat_id == said.chat_id, Received.text != "", Received.sender != said.sender)
        .order_by(Received.id.desc())
        .limit(MOST_BETWEEN + 1)
    )
    rows = session.scalars(query).all()
    return next((count for count, case_id in enumerate(rows) if case_id == case.id), len(rows))


def join(
    session: Session,
    case: Case,
    person: Person,
    received: Noted,
    *,
    said: str,
    place: str,
    has_own_words: bool,
    now: datetime,
) -> CaseReporter | None:
    """Puts somebody beside the case's reporter; what they said of it stands in its history. None: they are among them already."""
    session.flush()
    if person.id == case.reporter_id or joined.of_person(session, case, person.id) is not None:
        return None
    row = CaseReporter(
        id=new_id(),
        community_id=case.community_id,
        case_id=case.id,
        person_id=person.id,
        received_id=received.id,
        chat_id=received.chat_id,
        message_id=received.message_id,
        place=place,
        has_own_words=has_own_words,
        at=now,
        told_state=case.state,
    )
    data = {"by": str(person.id)} | ({"place": place} if place else {})
    return _put_beside(session, case, row, said=said, data=data, now=now)


def join_by_staff(
    session: Session,
    case: Case,
    person_id: int | None,
    *,
    said: str,
    place: str,
    source: str,
    entered_by: int,
    now: datetime,
) -> CaseReporter | None:
    """The same for somebody who rang or came, None where they left no name; their words stand in the step alone. None: they are
    among them already."""
    session.flush()
    if person_id is not None and person_id == case.reporter_id:
        return None
    if person_id is not None and joined.of_person(session, case, person_id) is not None:
        return None
    row = CaseReporter(
        id=new_id(),
        community_id=case.community_id,
        case_id=case.id,
        person_id=person_id,
        place=place,
        has_own_words=True,
        at=now,
        told_state=case.state,
    )
    data = {"row": str(row.id), "source": source, "entered_by": str(entered_by)} | ({"place": place} if place else {})
    return _put_beside(session, case, row, said=said, data=data, now=now)


def _put_beside(
    session: Session, case: Case, row: CaseReporter, *, said: str, data: dict[str, str], now: datetime
) -> CaseReporter:
    take_step(session, case, Step.JOIN, now=now, actor_id=row.person_id, note=said, data=data, cause_id=row.received_id)
    # Not through the object: its version stays, so that a page opened before can still take its step.
    session.execute(update(Case).where(Case.id == case.id).values(joined=Case.joined + 1))
    session.add(row)
    session.memo[TOLD_HERE, row.person_id] = True
    if row.has_own_words and said:
        _note_told(session, case, said)
    _raise_urgency(session, case, now=now)
    reminders.add_once(session, reminders.JOINED, case, due_at=now + SHOWN_AFTER)
    reminders.add(session, reminders.JOIN_SETTLED, case, due_at=now + joined.UNDO)
    session.flush()
    return row


def _raise_urgency(session: Session, case: Case, *, now: datetime) -> None:
    """What troubles many goes first. Its deadline stays: that was promised, and the desk may change it."""
    count = case.joined + 1
    if count == joined.MANY and case.urgency == Urgency.NORMAL and case.kind == Kind.REPORT:
        data = {"before": {"urgency": case.urgency}, "after": {"urgency": Urgency.URGENT}, "why": joined.WHY}
        take_step(session, case, Step.ESCALATE, now=now, data=data)
        case.urgency = Urgency.URGENT
        told = say("cases.joined_urgent_desk", number=case.number, what=words.what(case), count=count)
        telling.to_desk(session, case, told, now=now)

"""A case in words: what is said of it to the group, to its worker and to the resident. Reads rows, changes nothing."""

import re
from datetime import datetime, timedelta

from sqlalchemy import select

from core.clock import in_china
from core.messages import Kind, Urgency
from core.privacy import mask_place
from core.texts import say
from domain import access, conventions, people
from domain.cases import staff_words
from domain.cases.life import ACTIVE, State, Step
from domain.outbox import Press
from domain.topics import name_of
from nlp import despair, halves, relapses
from storage.areas import Area
from storage.base import Session
from storage.cases import Case, CaseEvent
from storage.people import Person, Role
from storage.phone_tasks import Way

KIND_NAMES = {
    Kind.REPORT: "报事",
    Kind.WISH: "心愿",
    Kind.COMPLAINT: "投诉",
    Kind.DISPUTE: "纠纷",
    Kind.QUESTION: "咨询",
    Kind.REQUEST: "求助",
    Kind.PROPOSAL: "建议",
}
WAY_NAMES = {Way.PHONE: "电话", Way.SMS: "短信", Way.VISIT: "上门"}
URGENCY_NAMES = {Urgency.NORMAL: "一般", Urgency.URGENT: "加急", Urgency.EMERGENCY: "紧急"}
# Matters between people are never talked over in a group.
PRIVATE_KINDS = frozenset({Kind.COMPLAINT, Kind.DISPUTE})
# Nor what goes on in somebody's home, whatever kind of case it is; in danger everybody near must hear of it.
BETWEEN_PEOPLE = frozenset({"family"})
# Nor is somebody's wish to die.
CRISIS = despair.TOPIC
# Troubles that neighbours make for neighbours: there a clause of the convention adds something. It helps against no broken lamp.
HABITS = frozenset(
    {
        "noise",
        "square_dance",
        "dogs",
        "pet_waste",
        "parking",
        "rubbish",
        "falling_object",
        "flying_wire",
        "ebike",
        "fire_lane",
    }
    | {"renovation", "oil_fume"}
)
# What neighbours do who stand behind a case with its reporter; of a trouble they 反映.
_HOW_JOINED = {Kind.PROPOSAL: "支持", Kind.QUESTION: "提问"}
_SMELL_OF_GAS = re.compile(
    r"(?:煤气|燃气|天然气|液化气|瓦斯)[^，。！？\n]{0,6}(?:味|泄|漏|臭|嘶|开着|打开|拧开|没关)|(?:漏|跑|闻[到着见]?|开)[^，。！？\n]{0,4}(?:煤气|燃气|天然气|液化气|瓦斯)"
)
# Emergencies with a first step of their own.
OWN_CALL = frozenset({"gas", "fire", "medical_emergency", "lift", "missing_person"})
LONGEST_CLAUSE = 40
LONGEST_IN_LIST = 24
# What people say when they have reported something and nobody has come: no matter of its own, however it sounds.
URGING = re.compile(
    r"(?:有没有|怎么(?:还)?(?:没有|没)|还(?:没有|没)|就没)人(?:来)?(?:管|处理|修|理)|(?:怎么|咋|还)(?:还)?没(?:有)?人来"
    r"|有人(?:管|处理|修|来(?:了|过)?)(?:吗|么|没|啊|呀|$)"
    r"|没人(?:管|理|来|处理)|催(?:一下|一催|催)|(?:怎么|咋)(?:还)?(?:不|没)(?:来|修|处理|动静)|(?:快|赶紧|赶快|尽快)(?:点)?来(?:个)?人"
    r"|什么时候(?:能|才能|可以)?(?:来|修|处理|弄)|进(?:度|展)(?:怎么样|如何|到哪)"
)
LONGEST_URGING = 20
# What may stand around it; anything else is a matter of its own: 有人晕倒了，快来人.
AROUND_URGING = re.compile(
    r"[\W_]|管|这|那|个|件|事|情|啊|呀|呢|吗|吧|嘛|了|的|都|还|怎么|到底|麻烦|请|帮忙|帮|谁|我们|我|你们|您|大家|一下|赶紧|快|社区|物业|网格员|师傅|"
    r"几天|几个小时|好久|半天|今天|现在|@五微|五微|来"
)
MOST_AROUND = 1
# Said to us, it takes back what was registered; said to neighbours, it may mean anything.
GIVING_UP = re.compile(
    r"[\W_]*(?:那|哦|好的?|谢谢|我家?|我们家?|这边|这个)*[\W_]*(?:就|先|也|已经)?(?:不用了?(?:登记|来|管|修)?了|不需要了|算了|不报了)(?:吧|哈|啊|哦|呢|谢谢|麻烦了|您|你|[\W_])*"
)
MINUTE = timedelta(minutes=1)


def moment(at: datetime) -> str:
    """As said to people: 11月21日 18:00."""
    local = in_china(at)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def left(now: datetime, until: datetime) -> str:
    """How long until then: 2 小时, 35 分钟, 3 天."""
    minutes = max(0, (until - now) // MINUTE)
    if minutes >= 48 * 60:
        return f"{minutes // 1440} 天"
    if minutes >= 60:
        return f"{minutes // 60} 小时"
    return f"{minutes} 分钟"


def place_name(session: Session, case: Case) -> str:
    """The place as the resident said it; where nobody has, "待确认" with the area that the message came from."""
    if case.place:
        return case.place
    area = session.recall(Area, case.area_id) if case.area_id and case.area_id != case.community_id else None
    return say("cases.place_near", area=area.name) if area else say("cases.place_unknown")


def place_for_staff(session: Session, case: Case) -> str:
    """The same for the groups of staff: the place of what is for few is for those alone who work on it."""
    return say("cases.place_private") if access.is_for_few(case) else place_name(session, case)


def is_private_matter(kind: str, topic: str | None, urgency: str) -> bool:
    """Whether it concerns nobody but the people themselves and who helps them."""
    is_of_a_home = topic in BETWEEN_PEOPLE and kind == Kind.REPORT and urgency != Urgency.EMERGENCY
    return kind in PRIVATE_KINDS or topic == CRISIS or is_of_a_home


def what(case: Case) -> str:
    """Topic and place, fit for a group: 井盖 · 3号楼. Of what goes on in a home, neither."""
    if case.topic in BETWEEN_PEOPLE:
        return KIND_NAMES[Kind(case.kind)]
    return what_of(case.kind, case.topic, case.place)


def what_for_staff(case: Case) -> str:
    """The same for the groups of staff: of a matter between people, or a wish, its place is for those alone who work on it."""
    if case.topic == CRISIS:
        return say("cases.crisis_for_staff")
    return what_of(case.kind, case.topic, "" if access.is_for_few(case) else case.place)


def what_of(kind: str, topic: str | None, place: str) -> str:
    """The same, where only these columns of the case are in hand."""
    name = name_of(topic) if topic else KIND_NAMES[Kind(kind)]
    return f"{name} · {mask_place(place)}" if place else name


def worker_name(session: Session, case: Case) -> str:
    """Role and surname of whoever has the case; never the full name."""
    person = session.recall(Person, case.assignee_id) if case.assignee_id else None
    if person is None:
        return say("cases.desk")
    return people.surname_title(person, Role(case.assignee_role or Role.COMMUNITY_WORKER))


def finisher_name(session: Session, case: Case) -> str:
    """The same of whoever said last that it is done: its worker, or somebody at the desk in their place."""
    session.flush()  # the step may have been taken just now
    done = select(CaseEvent.actor_id, CaseEvent.data).where(CaseEvent.case_id == case.id, CaseEvent.step == Step.FINISH)
    last = session.execute(done.order_by(CaseEvent.id.desc()).limit(1)).one_or_none()
    if last is None or last.actor_id in (None, case.assignee_id):
        return worker_name(session, case)
    return people.surname_title(session.get_one(Person, last.actor_id), last.data.get("as"))


def how_joined(case: Case) -> str:
    """The word for what those do who joined the case."""
    return _HOW_JOINED.get(Kind(case.kind), "反映")


def joined_count(case: Case) -> str:
    """How many households stand behind a case: with the same trouble or question, or in favour."""
    return say("cases.joined_count", count=case.joined + 1, how=how_joined(case))


def whom_to_call(case: Case) -> str:
    """What to do first and the number to call. All three numbers stand in each sentence, in case the topic was taken wrongly."""
    return gas_first(case) + call_about(case.topic)


def gas_first(case: Case) -> str:
    """What to do about gas that is spoken of beside something else: a spark comes before any other danger."""
    return say("cases.gas_first") + "\n" if case.topic != "gas" and _SMELL_OF_GAS.search(case.text) else ""


def call_about(topic: str | None) -> str:
    """The same, where nothing has been opened."""
    if topic == CRISIS:
        return say("cases.crisis_alone")
    return say(f"cases.call_{topic}" if topic in OWN_CALL else "cases.call")


def untaken(case: Case) -> str:
    """What the reporter of an emergency hears once when nobody has taken it."""
    if case.topic == CRISIS:
        return say("cases.crisis_untaken")
    return say("cases.emergency_untaken", number=case.number, call=whom_to_call(case))


def private_opened(session: Session, case: Case) -> str:
    """What the reporter of a private matter reads in private: the number, who is on it, that one may go on here."""
    key = "crisis_opened" if case.topic == CRISIS else "private_opened"
    worker = crisis_worker(session, case) if case.topic == CRISIS else worker_name(session, case)
    asks = (
        say("cases.private_ask_place") if case.kind == Kind.REPORT and case.topic != CRISIS and not case.place else ""
    )
    return gas_first(case) + say(f"cases.{key}", number=case.number, worker=worker) + asks


def crisis_worker(session: Session, case: Case) -> str:
    """Who is on it; where nobody has it yet, whoever is on duty."""
    return worker_name(session, case) if case.assignee_id else say("cases.receipt_emergency_nobody")


def private_receipt(case: Case, *, has_link: bool) -> str:
    """All that the group reads of it."""
    if case.topic == CRISIS:
        return gas_first(case) + say("cases.crisis_receipt" if has_link else "cases.crisis_receipt_no_link")
    return say("cases.receipt_private" if has_link else "cases.receipt_private_no_link", number=case.number)


def receipt(session: Session, case: Case, *, asks_place: bool = False) -> str:
    """The one message in the group: number, what was understood, who is on it. It is edited as the case goes on."""
    kind, state = Kind(case.kind), State(case.state)
    if state == State.WITHDRAWN:
        return withdrawn(session, case)
    if kind in (Kind.WISH, Kind.QUESTION, Kind.PROPOSAL) and state in (State.OPEN, State.ASSIGNED):
        text = say(f"cases.receipt_{kind.value}", number=case.number)
        return f"{text}\n{joined_count(case)}" if case.joined else text
    if case.urgency == Urgency.EMERGENCY and state in (State.OPEN, State.ASSIGNED):
        blanks = {"call": whom_to_call(case), "number": case.number, "who": who_was_called(session, case)}
        return say("cases.receipt_emergency", **blanks) + _asks_where_to(case)
    lines = say("cases.receipt", number=case.number, what=what(case), who=_progress(session, case, state))
    lines += "\n" + say("cases.receipt_ask_place") if asks_place else _asks_where_to(case)
    if case.joined:
        lines += "\n" + joined_count(case)
    if kind == Kind.REPORT and case.topic in HABITS and state in (State.OPEN, State.ASSIGNED):
        lines += _clause(session, case)
    return lines


def who_was_called(session: Session, case: Case) -> str:
    """Whoever has an emergency, by role and surname; else the community's people on duty."""
    return worker_name(session, case) if case.assignee_id else say("cases.receipt_emergency_nobody")


def _asks_where_to(case: Case) -> str:
    """Nobody can come where nobody knows the way: asked for as long as an emergency has no place."""
    is_asked = case.urgency == Urgency.EMERGENCY and case.kind == Kind.REPORT and case.state in ACTIVE
    return "\n" + say("cases.receipt_emergency_ask_place") if is_asked and not case.place else ""


def _clause(session: Session, case: Case) -> str:
    """What the residents themselves have agreed on about this, where it is short enough to be read."""
    clause = conventions.clause_for_topic(session, case.community_id, case.topic)
    if clause is None or len(clause.text) > LONGEST_CLAUSE or "\n" in clause.text:
        return ""
    return "\n" + say("cases.receipt_clause", number=clause.number, text=clause.text)


def withdrawn(session: Session, case: Case) -> str:
    """Who took it back: whoever reported it needs no reason, staff always give one."""
    session.flush()  # the step may have been taken just now
    query = select(CaseEvent.note).where(CaseEvent.case_id == case.id, CaseEvent.step == Step.WITHDRAW)
    reason = session.scalars(query.order_by(CaseEvent.id.desc()).limit(1)).one_or_none()
    if not reason:
        return say("cases.receipt_withdrawn", number=case.number)
    return say(
        "cases.receipt_withdrawn_by_desk", number=case.number, reason=staff_words.for_group(session, case, reason)
    )


def progress(session: Session, case: Case) -> str:
    """Where the case stands, in a sentence."""
    return _progress(session, case, State(case.state))


def _progress(session: Session, case: Case, state: State) -> str:
    worker = finisher_name(session, case) if state == State.FINISHED else worker_name(session, case)
    deadline = moment(case.deadline_at) if case.deadline_at else ""
    key = {
        State.OPEN: "receipt_reopened" if case.reopenings else "receipt_unassigned",
        State.ASSIGNED: "receipt_assigned",
        State.ACCEPTED: "receipt_accepted",
        State.ARRIVED: "receipt_arrived",
        State.FINISHED: "receipt_finished",
        State.CLOSED: "receipt_closed" if case.rating is not None else "receipt_closed_unrated",
    }[state]
    return say(f"cases.{key}", worker=worker, deadline=deadline)


def card_buttons(case: Case) -> list[list[Press]]:
    """The steps that the worker can take from here."""

    def press(name: str) -> Press:
        return Press(say(f"cases.button_{name}"), f"cases.{name}", case.id)

    if case.kind == Kind.QUESTION and case.state in (State.ASSIGNED, State.ACCEPTED, State.ARRIVED):
        return [[press("answer"), press("return")]]
    return {
        State.ASSIGNED: [[press("accept"), press("return")]],
        State.ACCEPTED: [[press("arrive"), press("finish"), press("return")]],
        State.ARRIVED: [[press("finish"), press("return")]],
    }.get(State(case.state), [])


def undo_buttons(case: Case) -> list[list[Press]]:
    """For a minute: not registered after all, or not what was meant."""
    undo, not_meant = say("cases.button_undo"), say("cases.button_not_meant")
    return [[Press(undo, "cases.undo", case.id), Press(not_meant, "cases.not_meant", case.id)]]


def rating_buttons(case: Case) -> list[list[Press]]:
    return [
        [
            Press(say("cases.button_satisfied"), "cases.satisfied", case.id),
            Press(say("cases.button_dissatisfied"), "cases.dissatisfied", case.id),
        ]
    ]


def is_urging(text: str) -> bool:
    """Whether somebody only asks when anybody will come."""
    if len(text) > LONGEST_URGING or URGING.search(text) is None:
        return False
    return len(AROUND_URGING.sub("", URGING.sub("", text))) <= MOST_AROUND


def asks_after(text: str) -> bool:
    """Whether somebody asks when anybody will come, perhaps for what: 那个电梯的事有人管吗."""
    return len(text) <= LONGEST_URGING and URGING.search(text) is not None


def is_half(text: str) -> bool:
    """Whether somebody says only what is wrong, and not with what."""
    return halves.is_half(text)


def is_back(text: str) -> bool:
    """Whether somebody says that what was mended is wrong again, or still."""
    return relapses.is_back(text)


def is_giving_up(text: str) -> bool:
    """Whether somebody says no more than that nothing is needed any longer: 不用了, 算了, 谢谢."""
    return len(text) <= LONGEST_URGING and GIVING_UP.fullmatch(text) is not None


def short(text: str) -> str:
    """A text cut for a list."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_IN_LIST else line[: LONGEST_IN_LIST - 1] + "…"

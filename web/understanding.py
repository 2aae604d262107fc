"""What the bot has been taught: corrections kept for training, and words proposed, tried on past messages, taken up and taken back."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.errors import Refused
from core.messages import Decision, Kind, Understanding, Urgency
from domain import area_tree, corrections, keywords
from domain.cases.words import KIND_NAMES, URGENCY_NAMES
from domain.keywords import Effect
from domain.outbox import Session
from domain.topics import name_of, topics
from web.acts import note
from web.auth import ClerkVisitor, DeskVisitor, Visitor, services_of
from web.forms import BY_RULE, PostedForm
from web.pages import done, page, sentence
from web.paging import paging

router = APIRouter(prefix="/understanding")

DECISION_NAMES = {Decision.ACT: "登记", Decision.ASK: "先问一句", Decision.SILENT: "不作声"}
WEIGHT_NAMES = {1.0: "很轻", 2.0: "轻", 4.0: "一般", 8.0: "重", 12.0: "很重"}
USUAL_WEIGHT = 4.0


def kind_name(kind: str) -> str:
    return "闲聊" if kind == Kind.CHATTER else KIND_NAMES[Kind(kind)]


def reading_words(kind: str, topic: str | None, urgency: str) -> str:
    """What a text was taken for, in words: 报事 · 路灯 · 加急."""
    parts = [kind_name(kind)]
    if topic:
        parts.append(name_of(topic))
    if urgency != Urgency.NORMAL:
        parts.append(URGENCY_NAMES[Urgency(urgency)])
    return " · ".join(parts)


def understood_words(understood: Understanding) -> str:
    decision = DECISION_NAMES[understood.decision]
    if understood.decision == Decision.SILENT:
        return decision
    return f"{decision}：{reading_words(understood.kind, understood.topic, understood.urgency)}"


def speaks_for_words(speaks_for: str) -> str:
    if speaks_for.startswith("topic:"):
        return f"事项：{name_of(speaks_for.removeprefix('topic:'))}"
    named = {keywords.SILENCE: "不作声", keywords.URGENT: "加急"}
    return named.get(speaks_for) or f"类别：{kind_name(speaks_for)}"


def choices() -> list[tuple[str, str]]:
    kinds = [kind.value for kind in KIND_NAMES]
    values = [*(f"topic:{code}" for code in topics()), *kinds, keywords.SILENCE, keywords.URGENT]
    return [(value, speaks_for_words(value)) for value in values]


def may_teach(session: Session, visitor: Visitor) -> bool:
    """A word counts in all communities: where there are several, only administrators change it."""
    return visitor.is_clerk and (visitor.is_administrator or area_tree.is_only_community(session))


@router.get("")
async def show(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    """Words and corrections. ?word=… shows what that word would change."""
    asked = request.query_params.get("word", "")
    return await _page(request, visitor, word_id=int(asked) if asked.isdecimal() and len(asked) < 19 else None)


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    word_id: int | None = None,
    status: int = 200,
    refusal: str = "",
    values: dict[str, str] | None = None,
) -> HTMLResponse:
    here = paging(request)

    def look(session: Session) -> dict[str, object]:
        teaches = may_teach(session, visitor)
        rows, total = corrections.of_community(session, visitor.community_id, offset=here.offset, limit=here.size)
        word = keywords.keyword(session, word_id) if word_id and teaches else None
        effect: Effect | None = keywords.effect(session, word, visitor.community_id) if word else None
        return {
            "words": keywords.newest(session) if teaches else [],
            "teaches": teaches,
            "rows": rows,
            "total": total,
            "tried": word,
            "effect": effect,
        }

    found = await services_of(request).database.read(look)
    return page(
        request,
        visitor,
        "understanding.html",
        status,
        **found,
        here_is=here,
        refusal=refusal,
        values=values or {},
        choices=choices(),
        weights=[(str(value), words) for value, words in WEIGHT_NAMES.items()],
        weight_names=WEIGHT_NAMES,
        usual_weight=str(USUAL_WEIGHT),
        speaks_for_words=speaks_for_words,
        reading_words=reading_words,
        understood_words=understood_words,
    )


def _need_teacher(session: Session, visitor: Visitor) -> None:
    if not may_teach(session, visitor):
        raise Refused("understanding.not_administrator")


@router.post("/words")
async def propose(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """Writes a word down and shows what it would change."""
    services = services_of(request)
    now = services.clock.now()
    weight = next((value for value in WEIGHT_NAMES if str(value) == form.text("weight")), 0.0)

    def work(session: Session) -> int:
        _need_teacher(session, visitor)
        row = keywords.propose(
            session,
            form.text("word", longest=BY_RULE),
            form.text("speaks_for", longest=60),
            weight,
            community_id=visitor.community_id,
            by_id=visitor.person_id,
            now=now,
        )
        note(request, visitor, session, "word.propose", row.id)
        return row.id

    try:
        word_id = await services.database.write(work)
    except Refused as refusal:
        return await _page(request, visitor, status=409, refusal=sentence(refusal), values=form.values())
    return done(request, visitor, f"/understanding?word={word_id}", "understanding.proposed")


@router.post("/words/{word_id}/take-up")
async def take_up(request: Request, visitor: ClerkVisitor, word_id: int) -> Response:
    """It counts from now on."""
    return await _change(request, visitor, word_id, is_up=True)


@router.post("/words/{word_id}/take-back")
async def take_back(request: Request, visitor: ClerkVisitor, word_id: int) -> Response:
    """It counts no longer."""
    return await _change(request, visitor, word_id, is_up=False)


async def _change(request: Request, visitor: Visitor, word_id: int, *, is_up: bool) -> Response:
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        _need_teacher(session, visitor)
        row = keywords.keyword(session, word_id)
        if is_up:
            keywords.take_up(session, row, now=now)
        else:
            keywords.take_back(session, row, now=now)
        note(request, visitor, session, "word.take_up" if is_up else "word.take_back", word_id)

    await services.database.write(work)
    return done(request, visitor, "/understanding", f"understanding.{'taken_up' if is_up else 'taken_back'}")


@router.post("/corrections/{correction_id}/remove")
async def remove(request: Request, visitor: ClerkVisitor, correction_id: int) -> Response:
    """It is no longer trained with."""

    def work(session: Session) -> None:
        corrections.remove(session, visitor.community_id, correction_id)
        note(request, visitor, session, "correction.remove", correction_id)

    await services_of(request).database.write(work)
    return done(request, visitor, "/understanding", "understanding.removed")

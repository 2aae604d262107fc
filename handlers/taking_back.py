"""Which matter is taken back: said once it is gone, and asked before another goes with it."""

import re

from core.errors import Refused
from core.texts import say
from domain import dialogues
from domain.cases import listing, opening, parting, words
from domain.cases.life import ALL, State, Step, may
from handlers import cases
from handlers.context import Context, Press

MOST_OFFERED, MOST_LOOKED_AT = 4, 20
LONGEST = 30
_GIVES_UP = re.compile(
    r"(?<![能么])算了(?![一笔账吗么])|不(?:要|用|想|需要|必)(?:再|你们|你|您|社区|麻烦|去)*(?:处理|管|来|登记|追究|投诉|调解|报|弄)了?|"
    r"别(?:处理|管|来|追究|登记)了|不(?:投诉|追究|报|告)了|撤(?:回|销|诉)|私了|^\W*(?:那|哦|好的?)?[，, ]*(?:就)?(?:不用|不需要)了"
)
# 我要撤回, 帮我把刚才的报修取消: that something is to go, and not what.
_WORDS_AROUND = (
    r"(?:你好|您好|麻烦|请问|请|帮我|给我|我们|我|想要|想|要|可不可以|能不能|可以|能|怎么|如何|把|那个|那件|这个|这件|刚刚|刚才|之前|上次|昨天|"
    r"报修|报事|投诉|心愿|登记|工单|单子|事情?|报|说|反映|提|的|一下|了|吧|啊|呀|呢|吗|掉|谢谢|[ ，,。！!？?~])*+"
)
_ASKS_FOR_IT = re.compile(rf"{_WORDS_AROUND}(?:撤[回销掉了]|取消|删[掉除了])[ ]?{_WORDS_AROUND}")
_BUT = re.compile(r"不能|不可以|没法|凭什么|为什么|怎么|难道|[吗么?？]")


def tell(ctx: Context, taken: list[listing.Case]) -> None:
    """In private there is nobody else to read it; in a group the receipt says so."""
    if taken and ctx.is_private:
        ctx.reply("cases.taken_back", what="、".join(_name(case) for case in taken))


def _name(case: listing.Case) -> str:
    return say("cases.taken_back_one", number=case.number, topic=words.what_of(case.kind, case.topic, ""))


def asks_which(ctx: Context, case: listing.Case) -> bool:
    """After one matter has been taken back, a bare 不用了 does not take an older one: it is asked which. False: it is plain."""
    if not ctx.is_private or ctx.incoming.reply_to or case.topic == words.CRISIS:
        return False
    mine = opening.latest_of(ctx.session, ctx.person.id, ctx.chat.id, now=ctx.now, states=ALL)
    gone = [each.closed_at for each in mine if each.state == State.WITHDRAWN and each.closed_at]
    if not gone or max(gone) < case.opened_at:
        return False
    _offer(
        ctx, "cases.take_back_which", [each for each in mine if may(each, Step.WITHDRAW) and each.topic != words.CRISIS]
    )
    return True


def sounds_so(ctx: Context) -> bool:
    """算了，我自己跟他说，不要处理了: more than a bare word, so that it must be asked whether the matter is meant."""
    said = ctx.incoming.text
    return len(said) <= LONGEST and _GIVES_UP.search(said) is not None and _BUT.search(said) is None


def ask_whether(ctx: Context, case: listing.Case) -> None:
    _offer(ctx, "cases.take_back_this", [case])


def asked(ctx: Context) -> bool:
    """我要撤回 to the bot alone, when nothing was told a moment ago: what is still open is offered. False: it is something else."""
    said = ctx.incoming.text
    if not ctx.is_private or ctx.incoming.reply_to or len(said) > LONGEST or _ASKS_FOR_IT.fullmatch(said) is None:
        return False
    told = listing.of_reporter(ctx.session, ctx.person.id, limit=MOST_LOOKED_AT)
    mine = [case for case in told if case.reporter_id == ctx.person.id and may(case, Step.WITHDRAW)]
    if still_open := [case for case in mine if case.topic != words.CRISIS]:
        _offer(ctx, "cases.take_back_open", still_open)
    else:
        ctx.reply("cases.nothing_to_take_back")
    return True


def _offer(ctx: Context, key: str, some: list[listing.Case]) -> None:
    offered = some[:MOST_OFFERED]
    buttons = [
        [Press(say("cases.button_take_back", number=case.number), "cases.take_back", case.id)] for case in offered
    ]
    ctx.reply(key, what="、".join(_name(case) for case in offered), buttons=buttons)


def pressed(ctx: Context, subject: int) -> None:
    """The button under the question: that one and no other."""
    case = listing.reported_by(ctx.session, ctx.person.id, subject)
    if not may(case, Step.WITHDRAW):
        raise Refused("cases.press_unknown")
    passed_on = parting.take_back(ctx.session, case, actor_id=ctx.person.id, now=ctx.now)
    question = dialogues.open_question(ctx.session, ctx.chat.id, ctx.sender, now=ctx.now)
    if question is not None and question.step == cases.DETAILS_STEP and question.data["case"] == str(case.id):
        dialogues.close(ctx.session, question)
    ctx.answer_press()
    told = say("cases.taken_back", what=_name(case))
    if passed_on:
        told = say("cases.joined_passed_on_receipt", number=case.number, how=words.how_joined(case))
    listing.settle_question(ctx.session, ctx.chat, ctx.incoming.message_id, told, now=ctx.now)

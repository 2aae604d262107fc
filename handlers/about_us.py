"""What people ask of the bot itself, said to it alone: is anybody there, what can you do, how does my matter stand, who is our grid worker."""

import re
from collections.abc import Callable
from dataclasses import replace

from core.messages import Decision, Kind
from domain import people
from domain.cases import dispatch, listing
from handlers import cases, start, tasks
from handlers.context import Context

LONGEST, LONGEST_OF_OWN = 24, 18
_BEFORE = r"(?:你好|您好|请问|麻烦|那个|社区|五微|小助手|[ ，,。！!~])*+"
_AFTER = r"(?:一下|谢谢|了|啊|呀|吧|哦|呢|哈|啦|嘛|的|[ ，,。！!？?~…])*+"
_MATTER = r"(?:事情?|问题|单子|工单|报修|报事|投诉|心愿|建议|登记|案子|编号|路灯|电梯|门禁|水管|井盖)"
_TOLD = r"(?:上次|之前|昨天|前几天|那天|今天|刚才)*+(?:我|我们)?(?:上次|之前|昨天|前几天|那天|今天|刚才)*+(?:报|说|登记|反映|提|投诉|许)(?:修|事)?(?:过|上来)?的(?:那个|那件|那些)?"
_HOW_IT_STANDS = r"(?:办|处理|解决|弄|修|进行|进展)?(?:得|的|到)?(?:怎么样|咋样|怎样|如何|哪一?步|哪里|哪儿)|(?:办|处理|解决|弄|修|搞)(?:好|完)?(?:没有?|了[吗没么]|好没有?)|有(?:进展|结果|消息|回复|人管|眉目)了?(?:吗|没有?|么)"

_OF_ME = r"(?:我们|我家|我|的|电话|名字|姓名|信息|地址|隐私|门牌号?|身份|是谁|谁|报|投诉)*+"
_MIGHT = r"(?:我们|我家|我|的|电话|名字|姓名|信息|地址|隐私|这个|这样|别人|邻居|群里|你们?|您|可不可以|能不能|可以|能|会不会|会|是不是|是|要|用|把|让|被)*+"


def _ask_to_forget(ctx: Context) -> None:
    """Whose words and number are kept may have them forgotten: a person of the community's does it, at the desk."""
    ctx.understanding = replace(ctx.understanding, kind=Kind.QUESTION, decision=Decision.ACT, certainty=1.0, topics=())
    cases.report(ctx)


def _tell_who(ctx: Context) -> None:
    """Role and surname of whoever the matters of this place go to."""
    named = [place.area_id for place in ctx.understanding.places if place.area_id is not None]
    area_id = named[-1] if named else ctx.chat.area_id
    served = dispatch.served_by(ctx.session, area_id, ctx.today) if area_id is not None else None
    if served is None:
        ctx.reply("start.whose_grid")
        return
    area, worker = served
    ctx.reply("start.grid_worker", area=area, worker=worker)


_ASKED: tuple[tuple[Callable[[Context], None], re.Pattern[str]], ...] = tuple(
    (answer, re.compile(rf"{_BEFORE}(?:{asked}){_AFTER}"))
    for answer, asked in (
        (
            lambda ctx: ctx.reply("start.hello"),
            r"(?:有没有|有)人(?:在|说话|管)?(?:吗|么|不)?|客服|在线吗|说话|回话|测试|test|喂+|哈喽|嗨|随手拍|(?:我)?有(?:个|件|点)?事(?:情|儿)?(?:要|想)?(?:找|麻烦|请教|求|拜托)(?:你们?|您|社区)|(?:能|可以)(?:不能)?(?:请你|请您|麻烦)?(?:帮)(?:我|个|下)*+忙(?:吗|么|不)?",
        ),
        (
            start.help_text,
            r"(?:你|您)?(?:都|究竟|到底)?(?:能|会|可以)(?:做|干|帮|办|管)(?:我|我们)?(?:做|办|干)?(?:些)?(?:什么|啥|哪些)(?:事情?)?|(?:有|都有)(?:什么|啥|哪些)功能|功能|菜单|教程|使用说明|说明书?"
            r"|(?:怎么|咋|如何|怎样|在哪里?|哪里|去哪里?)(?:才能|可以|能)?(?:用|使用|操作|报修|报事|上报|反映(?:问题)?|登记|提交|许愿|投诉)(?:你|这个|机器人)?",
        ),
        (
            lambda ctx: ctx.reply("start.privacy"),
            rf"{_MIGHT}(?:匿名|实名|保密|泄露){_OF_ME}(?:吗|么|不|嘛|[？?])?"
            rf"|{_MIGHT}(?:公开|看到|看见|知道|发到群里|告诉(?:别人|邻居|他|她|对方)){_OF_ME}(?:吗|么|不|嘛|[？?])",
        ),
        (
            _ask_to_forget,
            r"(?:请|麻烦|帮我|给我|替我|我想|我要|能不能|可以|能|你们)*+(?:把|将)?(?:我|我们|我家)的?(?:个人|全部|所有)*+(?:信息|资料|数据|电话|记录|账号)(?:都|全)?(?:删|清|注销|抹)(?:除|掉|了|空|光)*+"
            r"|(?:请|麻烦|帮我|我想|我要|能不能)*+(?:删除|删掉|清除|注销)(?:我|我们|我家)?的?(?:个人|全部|所有)*+(?:信息|资料|数据|电话|记录|账号)",
        ),
        (
            tasks.tasks,
            r"(?:我|我们|手上|手里|今天|现在|还|一共)*+有?(?:多少|几)(?:件|个|条)?(?:事情?|单子?|工单|任务|案子)?(?:没有?|未|待|要)(?:办|处理|完成|做)(?:的|完|好)?",
        ),
        (
            _tell_who,
            r"(?:你们|你|我们|咱们)?(?:今天|今晚|明天|现在|晚上|周末|夜里)?(?:社区|网格|这里|这边)?(?:(?:是)?(?:谁|哪[个位])(?:在)?值班|值班(?:的|人员|网格员)*+(?:都|又)?是?(?:谁|哪[个位]))",
        ),
        (
            cases.mine,
            rf"(?:帮我|给我|替我|我想|我要|想|能不能|能)*+(?:查|看|问)(?:询|一查|一看|看)?(?:一?下)?(?:{_TOLD}|我的|我)?{_MATTER}?(?:的)?(?:进度|进展|情况|结果|状态)?(?<=[事情题单修诉愿议记案号度展果态况])"
            rf"|(?:{_TOLD}|我的){_MATTER}?(?:现在|都|到底|还|已经)*+(?:{_HOW_IT_STANDS})|(?:办理|处理)?进度|(?:办|处理|解决)(?:得|的)?(?:怎么样|咋样|如何)",
        ),
    )
)
# Whose grid this is: 我们网格员是谁, 3号楼归谁管, 我是几号网格的.
_WHO_IS_OURS = re.compile(
    r"(?:网格员|网格长|楼栋?长|管家)[^，。]{0,4}(?:是谁|叫什么|是哪[个位]|哪[个位])|(?:谁|哪[个位])(?:是|负责)[^，。]{0,8}(?:网格员|网格长|楼|网格|片)|(?:归|由)(?:谁|哪[个位])(?:管|负责)|(?:第?几|哪一?个)(?:号)?网格"
)

# 查到了吗, 有结果了吗: of a matter of the speaker's, if they have one.
_HOW_FAR = re.compile(
    r"(?:查到|有?结果|有?消息|有?回复|有?答复|有?进展|有?下文|有?动静|处理|弄|办|解决|安排)(?:得|的|好|完|出来)?了?(?:怎么样|怎样|没有?|吗|么|到哪)|到哪一?步"
)


def told(ctx: Context) -> bool:
    """One of these, answered at once. False: it is something else."""
    said = ctx.incoming.text.strip()
    if not (ctx.is_private or ctx.incoming.is_addressed) or len(said) > LONGEST or ctx.incoming.attachments:
        return False
    answer = next((answer for answer, asked in _ASKED if asked.fullmatch(said)), None)
    if answer is None and _WHO_IS_OURS.search(said):
        answer = _tell_who
    if answer is None:
        return False
    answer(ctx)
    return True


def asks_how_far(ctx: Context) -> bool:
    """查到了吗, 有结果了吗: who has told of something and asks in private how far it is reads it."""
    said = ctx.incoming.text
    if not ctx.is_private or ctx.incoming.reply_to or len(said) > LONGEST_OF_OWN or _HOW_FAR.search(said) is None:
        return False
    account = people.account_of(ctx.session, ctx.incoming.channel, ctx.sender)
    if account is None or not listing.of_reporter(ctx.session, account.person_id, limit=1):
        return False
    cases.mine(ctx)
    return True

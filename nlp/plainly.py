"""What a line says so plainly that the sum of its words does not outvote it.

Nobody is inside; somebody must stay upstairs because the lift is broken; no water at home; 井盖坏了; a nuisance (nuisances.py); when does the
office open.
Looked for only where it can change the answer: in what was about to be an emergency, or silence.
"""

import re

from core.messages import Kind
from nlp.classify import Scores
from nlp.halves import is_half
from nlp.nuisances import HEADS, nuisance

_NOBODY_INSIDE = re.compile(
    r"(?:里面?|里头|里边)(?:现在|目前|好像|应该|倒是?|幸好|还好|并|是|也|都|又|[ ，,])*+[没无]有?(?:被?[困关卡])?人(?![应答理管回开吭吱接知敢吗吧么])"
    r"|没有?人(?:在(?:电梯)?(?:里|轿厢)|被?[困关卡](?!得|死))|(?:没有?|未|不是)[困关卡][着住到了]?人|无人(?:员?被困)|没被[困关]"
)
_OUT_AGAIN = re.compile(
    r"人(?:员|都|已经?|刚刚?|全|倒是?|早就|自己|也|[ ，,])*+(?:没事|没困|平安|安全)(?![吗吧么])|[人经已刚都给被早自己救放][ ，,]?[救放走跑弄拉接]?出来了(?![吗吧么])"
)
_STILL_INSIDE = re.compile(r"有(?:个|一个|两个|几个)?(?:老|小|女|男)?[人孩]|被困|[困关](?:着|在)|没出来|还有|呼救|救命")
_CANNOT_LEAVE = re.compile(
    r"[上下]不[来去了](?![台手班课单载定])|[出进]不[来去了](?:家|楼|单元)?门|出不了楼|(?:轮椅|童车|婴儿车|推车|家里?的?[^，。！？\s]{0,3})出不[来去]"
)
_LIFT = re.compile(r"电梯|货梯|客梯|升降机|轿厢|这梯|梯又|梯子?[坏停]")
_AT_A_HEIGHT = re.compile(
    r"[树墙杆架塔桥沿棚崖檐]上|[井坑沟池河湖]里|[楼房屋]顶|天台|窗外|窗台|窗户|窗沿|阳台|外墙|架子|脚手架|梯子上|外机|护栏|栏杆|女儿墙|防盗|吊篮|悬"
)
_ANYTHING_ELSE = re.compile("烟|火[^车锅]|火$|煤气|燃气|漏电|触电|晕|血|喘|胸|疼|痛|砍|打架|救命|淹|急救|120|119|110")
_SHUT_IN = re.compile(
    r"[困卡关锁夹憋](?:在|住|着|进|里|死|人)|[困卡锁夹]了|反锁|被[困卡关锁]|[梯厢屋房所间][里内]|里[面头边]|呼救|救命|警铃"
)
# What being shut in or unable to come down accounts for; any other pair or group of danger stands for itself.
_ACCOUNTED = frozenset({"stuck", "perched", "lift_word", "someone", "height"})
_OTHER_DANGERS = frozenset(
    [
        "fire",
        "gas_leak",
        "medical",
        "missing",
        "violence",
        "self_harm",
        "collapse",
        "burning",
        "gas_sign",
        "bleeding",
        "drowning",
        "attack",
        "weapon",
        "despair",
        "break_in",
    ]
)

_OFFICE = (
    r"(?:居委会?|村委会?|党群(?:服务)?中心|网格站|警务室|派出所|司法所|(?:社区)?卫生(?:服务)?(?:站|中心)|便民(?:服务)?(?:中心|大厅|站|点)|(?:政务|办事|办证|服务|社保|医保|户籍|缴费|收费)(?:服务)?(?:大厅|窗口|中心)|"
    r"窗口|社区(?:居委会?|办公室|服务站|服务中心|工作站|大厅|窗口|办)?|街道(?:办事处|办)?|物业(?:公司|办公室|服务中心|前台|客服|管理处)?)"
)
_WHEN = (
    r"(?:今天|明天|后天|现在|平时|一般|周[一二三四五六日天末]|星期[一二三四五六日天]|礼拜[一二三四五六日天]|双休日?|节假日|国庆|春节|元旦|中午|早上|上午|下午|晚上|"
    r"办公室|那边|那里|这边|的|还|都|是|到底|正常|到|[ ，,])*+"
)
_HOURS = r"(?:上班|下班|开门|关门|办公|营业|开放|值班|午休|休息|放假|下午上班)"
_ASKED = (
    rf"(?:(?:几点|什么时候|啥时候|几时|何时|周几|星期几)(?:钟|才|能|开始)?(?:{_HOURS}|开始|截止|发|领|办)|{_HOURS}(?:吗|么|嘛|没有?[？?$ ]|不[？?$ ])|(?:开不开门|上不上班|办不办公)|"
    rf"有没?有?人(?:在|值班|上班|办公)*+(?:吗|么|嘛|[？?])|{_HOURS}时间|"
    r"(?:联系|值班|办公|服务)?(?:电话|号码|联系方式)(?:号码?)?(?:是|有)?(?:多少|几号|什么|啥|[？?]|$)|(?:怎么|咋)联系|在哪|在什么地方|搬(?:到|去)哪)"
)
_ABOUT_OFFICE = re.compile(
    rf"(?<![在打拨])(?<![你他]们)(?<!隔壁){_OFFICE}{_WHEN}{_ASKED}|(?:谁|哪位|有人|有没有人)(?:有|知道|晓得){_OFFICE}的?(?:值班|办公|联系)?(?:电话|号码)|"
    rf"请问{_OFFICE}{_WHEN}(?:电话|地址)"
)
_WITHOUT_AT_HOME = re.compile(
    r"(?:我家|我们家|俺家|咱家|家里|家中|(?:我|^|[ ，,。？！?!])屋里|我们?这(?:里|边|儿|栋|楼|户|单元)?|我们?[楼栋屋]|(?:号楼|[栋幢]|单元|\d室))(?:里|这里|这边|现在|突然|怎么|咋|又|就|已经|刚刚?|今天|一早|早上|晚上|昨晚|从[^，。！？没停断]{1,4}|都|全|还|还是|一直|一点|[ ，,])*+"
    r"(?:没有?(?:自来水|热水|水(?![果平准电表费桶管壶杯])|电(?![视脑梯动话池费影表])|燃气|天然气|煤气|气(?![氛质球温])|暖气|网络?(?![课红购])|信号)|[停断](?:水|电|气|网|暖))(?!的话|时|过|[吗么没不])"
)
# 停电了: so short that hardly a word can speak for it.
_OUT = re.compile(
    r"(?:咦|啊|怎么|咋|是不是|又|都|全)*+(?:[停断][水电气网]|没[水气网]|网断)(?:了|啦|咯|吗|么)+[！!？?。.~ ]*"
)
_BUILDING = re.compile(r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:号楼|号院|[栋幢座]楼?|单元|楼|层|#)")
_SPOT = re.compile("[东南西北]门|门口|门前|旁边|楼道|大厅|[那这]个|[那这的里上边口]")
LONGEST_PLAIN, LONGEST_OUT = 16, 24
# 请派人看看: what may follow any trouble told.
_PLEASE = re.compile(
    r"[ ，,。！!]*(?:请|麻烦|求|快|能不能|可以)*+(?:派个?人|来个?人|来个?师傅|师傅|物业|社区)?(?:过来|来)?(?:帮忙|帮着)?"
    r"(?:[看查修问管](?:[看查修问管]|一?下|一看)|处理一?下|解决一?下)(?:吧|呗|谢谢|[ ，,。！!])*+$"
)
_ABOUT_SHOP = re.compile(
    rf"(?:[饭面药菜餐茶酒网商书花水奶果]店|店铺?|(?<!图书)(?<!文化)(?<!博物)(?<!展览)馆|超市|菜场|菜市场|小卖部|摊子?|诊所|健身房|网吧){_WHEN}{_ASKED}"
)
# 也, +1: agrees with somebody; the rest is told rather than complained of.
_AGREES = re.compile(
    r"\+1|也|同样|一样|还好|(?<!是)不是|没有停|要是|如果|万一|怕|忘(?:记|了)?交|欠费|原来|来[水电气网]了|又有了|好了|恢复|以前|去年|上次|小时候|通知|没交"
)
_HEARD = frozenset(
    [
        "居委",
        "村委",
        "社区",
        "街道",
        "物业",
        "窗口",
        "大厅",
        "党群",
        "便民",
        "警务",
        "派出",
        "司法",
        "生服",
        "务中",
        "没水",
        "没电",
        "没气",
        "没网",
        "没暖",
        "没热",
        "没燃",
        "没信",
        "没煤",
        "没天",
        "没自",
        "有水",
        "有电",
        "有气",
        "有网",
        "有暖",
        "有热",
        "有信",
        "停水",
        "停电",
        "停气",
        "停暖",
        "断水",
        "断电",
        "断网",
        "断气",
        "网断",
    ]
)
_TOLD = ("advert", "notice", "media", "quote", "roster", "figure", "lost")


def is_no_emergency(text: str, scores: Scores) -> bool:
    """Whether nobody is in danger though the words sound like it: a lift with nobody inside, or a broken one that keeps
    somebody upstairs. Any other danger in the same line stands."""
    if not _LIFT.search(text) or _AT_A_HEIGHT.search(text) or _ANYTHING_ELSE.search(text):
        return False
    if not _OTHER_DANGERS.isdisjoint(scores.findings):
        return False
    accounted = _ACCOUNTED | {"sick_sign"} if _is_jammed_only(text, scores) else _ACCOUNTED
    if any(pair.speaks_for == "emergency" and not {pair.first, pair.second} <= accounted for pair in scores.pairs):
        return False
    rest, emptied = _NOBODY_INSIDE.subn(" ", text)
    if emptied:
        return not _STILL_INSIDE.search(rest)
    if _OUT_AGAIN.search(text):
        return not re.search("还有|没出来|里面有", text)
    if "trapped" in scores.findings or _SHUT_IN.search(text):
        return False
    return _CANNOT_LEAVE.search(text) is not None


def _is_jammed_only(text: str, scores: Scores) -> bool:
    """Whether what sounds like choking is a lift: 卡住了."""
    found = scores.findings.get("sick_sign")
    return found is not None and "梯" in text and all(text.startswith("卡", hit.start) for hit in found.hits)


def may_be_plain(seen: set[str]) -> bool:
    """Whether a text with these pairs of characters may say something plainly; most chatter may not."""
    return not (_HEARD.isdisjoint(seen) and HEADS.isdisjoint(seen))


def said_plainly(text: str, scores: Scores) -> Kind | None:
    """The kind of a case that a line states by itself: no water, a nuisance, or a question to the community's own offices."""
    if len(text) <= LONGEST_OUT and _OUT.fullmatch(_PLEASE.sub("", _BUILDING.sub("", text, count=1))):
        return Kind.REPORT
    if any(scores.silence.get(name, 0.0) >= 2.0 for name in _TOLD if name != "advert" or "办证" not in text):
        return None
    if kind := nuisance(text, scores):
        return kind
    if "resolved" not in scores.signals and _WITHOUT_AT_HOME.search(text) and not _AGREES.search(text):
        return Kind.REPORT
    return Kind.QUESTION if _ABOUT_OFFICE.search(text) else None


def says_what_is_wrong(text: str, scores: Scores) -> bool:
    """Whether a line names a thing of the community's, or a building, and what is wrong with it, and nothing else: 井盖坏了."""
    if len(text) > LONGEST_PLAIN:
        return False
    thing = scores.findings.get("thing")
    named = [*thing.hits, *(hit for hits in scores.topic_hits.values() for hit in hits)] if thing else []
    within = {place for hit in named if not is_half(text[hit.start : hit.end]) for place in range(hit.start, hit.end)}
    rest = "".join(character for place, character in enumerate(text) if place not in within)
    rest, buildings = _BUILDING.subn("", rest)
    return bool(thing or buildings) and is_half(_SPOT.sub("", rest).strip(" ，,。！!"))


def is_for_neighbours(text: str, scores: Scores) -> bool:
    """Whether a line asks nothing but when a shop opens or how to reach it, which neighbours know and the office does not."""
    return (
        "asking" in scores.findings
        and not (scores.emergency or scores.urgent)
        and _ABOUT_SHOP.search(text) is not None
        and not _ABOUT_OFFICE.search(text)
    )

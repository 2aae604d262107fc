"""What a line says plainly is taken at its word: who is in danger and who is not, what is missing at home, whom a question is for."""

import pytest

from core.messages import Decision, Kind, Urgency, Utterance
from nlp.understand import understand

EMERGENCY, SILENT = Urgency.EMERGENCY, Decision.SILENT


@pytest.mark.parametrize(
    "text",
    [
        "3号楼电梯坏了，我家老人下不来",
        "电梯坏了，老人下不来",
        "电梯又坏了，轮椅下不去",
        "电梯停运 奶奶下不了楼",
        "7楼老人下不来，电梯什么时候修",
        "电梯坏了我妈坐轮椅出不来",
        "电梯检修，我爸腿脚不好下不去楼",
        "电梯不动了，孕妇下不来",
        "外婆住六楼 电梯坏了下不来上不去",
        "电梯坏两天了，家里老人出不了门",
        "6栋电梯罢工，婴儿车下不去",
        "电梯停用，瘫痪的爷爷下不来做透析",
        "电梯还没修，我妈八十了下不来楼",
    ],
)
def test_who_must_stay_upstairs_is_no_emergency(text: str) -> None:
    understood = understand(Utterance(text))
    assert (understood.decision, understood.kind) == (Decision.ACT, Kind.REPORT)
    assert understood.urgency is not EMERGENCY


@pytest.mark.parametrize(
    "text",
    [
        "孩子爬到树上下不来了",
        "有人坐在楼顶下不来",
        "小孩卡在墙上下不来",
        "有人挂在窗外下不来",
        "老人被关在电梯里下不来",
        "电梯坏了，里面有个老人出不来",
        "孩子反锁在屋里出不来",
        "电梯坏了，老人胸口疼下不来",
        "电梯卡在5楼，有人困在里面",
        "电梯坏了，奶奶摔倒起不来",
        "车里没人，电梯里有人被困",
        "电梯里面没人，但是冒烟了",
        "屋里没人 但是着火了",
        "电梯关了人，对讲里没人应",
        "敲门里面没人应，老人独居两天没见",
        "八楼有人骑在窗框上，一条腿已经出来了",
        "我头晕站不起来 家里没人 谁来帮帮我",
        "楼梯全是烟下不去 我们在六楼",
        "电梯停了，楼道全是烟，老人下不去",
        "电梯困人，出来了一个，里面还有两个没出来",
    ],
)
def test_who_is_in_danger_stays_one(text: str) -> None:
    assert understand(Utterance(text)).urgency is EMERGENCY


@pytest.mark.parametrize(
    "text",
    [
        "电梯又卡在8楼了 里面没人 就是不动 4幢",
        "电梯卡在3楼 没人在里面",
        "电梯停在半空 没有人在里面",
        "电梯困人了 人已经出来了",
        "电梯卡住，没困人",
        "5号楼电梯卡了 人没事 快来修",
        "电梯关人了，已经救出来了",
        "里面没人 电梯一直在响不动",
        "电梯卡在2楼半，好在里面没人",
        "电梯夹层卡住了，里头没有人，来个师傅",
        "电梯坏了卡在一楼，无人被困",
        "刚才电梯关了人 人都放出来了 电梯还是坏的",
    ],
)
def test_nobody_inside_is_no_emergency(text: str) -> None:
    understood = understand(Utterance(text))
    assert understood.decision is not SILENT
    assert understood.urgency is not EMERGENCY


@pytest.mark.parametrize(
    "text",
    [
        "今天停水吗？我家没水了",
        "我家没水了",
        "停电了吗？我家没电了",
        "什么情况？家里没网了",
        "今天停气吗 我家没气了",
        "我家没暖气了，你们呢",
        "有人知道怎么回事吗？我家没水了",
        "我家停水了",
        "谁家有水？我家没水了",
        "今天停水吗？我们家没水",
        "是不是停电了？家里没电",
        "怎么回事？我们这栋没热水了",
        "我家突然停电了 你们有电吗",
        "停电了",
        "停水了！",
        "怎么又没水了",
        "断网了",
    ],
)
def test_what_is_missing_at_home_is_a_report(text: str) -> None:
    understood = understand(Utterance(text))
    assert (understood.decision is SILENT, understood.kind) == (False, Kind.REPORT)


@pytest.mark.parametrize(
    "text",
    [
        "没水+1",
        "+1 我家没水了",
        "我家没水果了",
        "我家没电视",
        "我家没水了 刚才来水了",
        "我手机没电了",
        "没电了",
        "雨停了",
        "我家没水了，原来是没交水费",
        "又不是我家停水",
        "鬼屋里停电了 吓哭",
        "今天停水吗",
    ],
)
def test_agreement_and_what_is_over_open_nothing(text: str) -> None:
    assert understand(Utterance(text)).decision is SILENT


@pytest.mark.parametrize(
    "text",
    [
        "请问居委会几点下班",
        "社区周六上班吗",
        "居委会电话多少",
        "办证窗口中午休息吗",
        "请问居委会几点上班",
        "社区周日有人吗",
        "社区电话是多少",
        "谁有居委会的电话",
        "街道办在哪里",
        "物业几点下班",
        "我们居委会在哪",
        "村委会今天上班吗",
        "便民大厅周末开门吗",
        "社区服务中心下午几点开门",
        "社保窗口周六办公吗",
        "居委会中午有人值班吗",
        "居委会几点开始发口罩",
        "派出所电话多少",
        "社区卫生服务中心周日开门吗",
    ],
)
def test_question_to_the_office_is_heard(text: str) -> None:
    understood = understand(Utterance(text))
    assert (understood.decision is SILENT, understood.kind) == (False, Kind.QUESTION)


@pytest.mark.parametrize(
    "text",
    [
        "面馆几点下班",
        "超市几点关门",
        "社区超市几点关门",
        "社区门口的理发店今天开门吗",
        "楼下药店电话多少",
        "你几点下班",
        "你打物业电话",
        "你妈在居委会上班吗",
        "你们周六上班吗",
        "谁有开锁电话",
        "张姐居委会上班，人挺好",
        "我问过社区了 周一上班",
        "我姨在居委会上班 天天忙",
    ],
)
def test_question_to_neighbours_is_left_to_them(text: str) -> None:
    assert understand(Utterance(text)).decision is SILENT


@pytest.mark.parametrize(
    "text",
    ["井盖坏了", "电梯坏了", "路灯不亮", "3号楼的电梯，坏了", "3号楼五楼，漏水了", "快递柜打不开", "垃圾桶满了！"],
)
def test_thing_and_what_is_wrong_with_it_is_a_report(text: str) -> None:
    understood = understand(Utterance(text))
    assert (understood.decision, understood.kind) == (Decision.ACT, Kind.REPORT)


@pytest.mark.parametrize("text", ["电梯没坏", "我手机坏了", "雨停了", "3号楼的", "闹钟响了", "井盖"])
def test_other_short_lines_are_not(text: str) -> None:
    assert understand(Utterance(text)).decision is not Decision.ACT


@pytest.mark.parametrize(
    ("said", "decision"),
    [
        ("停水了，请派人看看", Decision.ACT),
        ("3号楼停电了，麻烦查一下", Decision.ACT),
        ("健身器材坏了", Decision.ACT),
        ("停水了，大家储点水", Decision.SILENT),
    ],
)
def test_failure_told_in_few_words_is_a_report(said: str, decision: Decision) -> None:
    understood = understand(Utterance(said))
    assert (understood.decision, understood.kind is Kind.REPORT) == (decision, decision is Decision.ACT)

"""What a resident's words are taken for, with what stands beside them; and that no text breaks it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.messages import Decision, Kind, Signal, Understanding, Urgency, Utterance
from nlp.classify import shipped_classifier
from nlp.places import NOWHERE, PlaceEntry, build_places
from nlp.tables import KINDS
from nlp.understand import understand, warm_up

ACT, ASK, SILENT = Decision.ACT, Decision.ASK, Decision.SILENT


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm_up()


def read(text: str) -> tuple[Kind, Decision, str | None]:
    understanding = understand(Utterance(text))
    return understanding.kind, understanding.decision, understanding.topic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3号楼门口井盖坏了", (Kind.REPORT, ACT, "manhole")),
        ("二单元楼道灯不亮了", (Kind.REPORT, ACT, "corridor_light")),
        ("有人飞线充电", (Kind.REPORT, ACT, "flying_wire")),
        ("消防通道被堵了", (Kind.REPORT, ACT, "fire_lane")),
        ("楼上半夜拖椅子吵得睡不着", (Kind.DISPUTE, ACT, "noise")),
        ("物业态度太差 电话也不接", (Kind.COMPLAINT, ACT, "property_service")),
        ("高龄补贴怎么办", (Kind.QUESTION, ACT, "elder_allowance")),
        ("居住证去哪儿办", (Kind.QUESTION, ACT, "residence_permit")),
        ("想要一个轮椅", (Kind.WISH, ACT, "elder_care")),
        ("奶奶想学手机", (Kind.WISH, ACT, "elder_care")),
        ("希望给老人装个扶手", (Kind.PROPOSAL, ACT, "elder_care")),
        ("降压药吃完了,帮我买", (Kind.REQUEST, ASK, "errands")),
        ("帮忙搬个沙发 我弄不动", (Kind.WISH, ACT, "errands")),
        ("电梯又停了", (Kind.REPORT, ACT, "lift")),
        ("谁家狗又在叫", (Kind.REPORT, ACT, "dogs")),
        ("老人证在哪办", (Kind.QUESTION, ACT, "elder_allowance")),
        ("今天天气不错", (Kind.CHATTER, SILENT, None)),
        ("灯没坏", (Kind.CHATTER, SILENT, None)),
        ("谢谢师傅 电梯修好了", (Kind.CHATTER, SILENT, None)),
        ("【通知】明天停水检修", (Kind.CHATTER, SILENT, None)),
        ("#接龙 1.小王 2.小李", (Kind.CHATTER, SILENT, None)),
        ("捡到一把钥匙", (Kind.CHATTER, SILENT, None)),
        ("新店开业 全场半价", (Kind.CHATTER, SILENT, None)),
        ("", (Kind.CHATTER, SILENT, None)),
        ("😂😂", (Kind.CHATTER, SILENT, None)),
    ],
)
def test_words_are_taken_for_what_they_are(text: str, expected: tuple[Kind, Decision, str | None]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("楼道好大的煤气味", Urgency.EMERGENCY),
        ("电梯里困了人", Urgency.EMERGENCY),
        ("奶奶摔倒起不来", Urgency.EMERGENCY),
        ("有人要跳楼", Urgency.EMERGENCY),
        ("门口井盖没了", Urgency.URGENT),
        ("路灯坏了", Urgency.NORMAL),
        ("热得要着火了", Urgency.NORMAL),
        ("笑死我了", Urgency.NORMAL),
        ("没有着火", Urgency.NORMAL),
        ("明天消防演习 会冒烟", Urgency.NORMAL),
        ("昨天电影里着火了", Urgency.NORMAL),
        ("走丢的老人找到了", Urgency.NORMAL),
    ],
)
def test_danger_is_told_from_talk_about_it(text: str, expected: Urgency) -> None:
    assert understand(Utterance(text)).urgency is expected


@pytest.mark.parametrize(
    "text",
    [
        "盖浇饭太咸 差评 以后不点了",
        "送餐太慢 汤洒了一半 电话也打不通",
        "商家不看备注 送餐员态度还差 差评",
        "积分到期 请登录查询领取 退订回T",
        "代开发票 各种办证 电话联系",
    ],
)
def test_reviews_and_adverts_are_left_alone(text: str) -> None:
    assert read(text) == (Kind.CHATTER, SILENT, None)


@pytest.mark.parametrize("number", ["110", "119", "120"])
@pytest.mark.parametrize(
    "line",
    [
        "{}号楼水管爆了，水流了一地",
        "{}号楼门口垃圾没人清，臭死了",
        "{} 号楼的灯坏了",
        "{}栋电梯又停了",
        "{}幢单元门打不开",
        "{}弄路灯不亮",
        "{}-3-501 厨房下水堵了",
        "3栋{}室水表坏了",
        "修一下要{}块，水管还是漏",
    ],
)
def test_building_is_no_emergency_number(number: str, line: str) -> None:
    text = line.format(number)
    assert understand(Utterance(text)).urgency is understand(Utterance(line.format("118"))).urgency
    assert shipped_classifier().score(text).emergency == 0.0


@pytest.mark.parametrize("text", ["119！三楼浓烟滚滚", "快打119 楼道着火了", "老人晕倒了 打120号快", "119快来 着火了"])
def test_called_number_stays_one(text: str) -> None:
    assert understand(Utterance(text)).urgency is Urgency.EMERGENCY
    assert shipped_classifier().score("打120").emergency > 0.0


def test_emergency_is_acted_upon_at_once() -> None:
    understanding = understand(Utterance("谢谢大家 快打119 我家着火了"))
    assert (understanding.kind, understanding.decision) == (Kind.REPORT, ACT)
    assert "fire" in [reason.speaks_for for reason in understanding.because]


@pytest.mark.parametrize("text", ["你好", "谢谢", "", "😂", "嗯", "这里"])
@pytest.mark.parametrize("where", ["is_private", "is_addressed"])
def test_addressed_words_are_never_ignored(text: str, where: str) -> None:
    utterance = Utterance(text, is_private=where == "is_private", is_addressed=where == "is_addressed")
    understanding = understand(utterance)
    assert (understanding.kind, understanding.decision) == (Kind.CHATTER, ASK)


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("还没修", Signal.STILL_BROKEN),
        ("什么时候能修好", Signal.STILL_BROKEN),
        ("修好了吗", Signal.STILL_BROKEN),
        ("修好了 谢谢", Signal.RESOLVED),
        ("不用修了", Signal.WITHDRAWN),
        ("打错了,是5号楼", Signal.CORRECTION),
        ("我家也是", Signal.ME_TOO),
        ("+1", Signal.ME_TOO),
        ("谢谢", Signal.THANKS),
        ("3号楼门口", Signal.NONE),
        ("今天天气不错", Signal.NONE),
    ],
)
def test_line_under_a_receipt_tells_what_it_says_of_the_case(text: str, signal: Signal) -> None:
    understanding = understand(Utterance(text, reply_to_text="BX-20261121-0001 已登记：电梯"))
    assert (understanding.signal, understanding.kind) == (signal, Kind.CHATTER)


@pytest.mark.parametrize("text", ["还没修", "修好了 谢谢", "我家也是", "+1", "打错了,是5号楼"])
def test_the_same_line_without_a_case_gets_silence(text: str) -> None:
    assert understand(Utterance(text)).decision is SILENT


def test_forwarded_line_is_not_a_report() -> None:
    assert understand(Utterance("路灯坏了")).decision is ACT
    assert understand(Utterance("路灯坏了", is_forwarded=True)).decision is SILENT


def test_places_point_into_the_text_as_sent() -> None:
    places = build_places([PlaceEntry(7, "building", "3号楼", ("三栋",))])
    sent = "\u200b\u200b快看 ３号楼 电梯坏了"
    understanding = understand(Utterance(sent), places)
    assert [(place.area_id, sent[place.start : place.end]) for place in understanding.places] == [(7, "３号楼")]


def test_reasons_name_the_words_of_the_text() -> None:
    understanding = understand(Utterance("小区路灯坏了没人修"))
    assert {reason.word for reason in understanding.because} >= {"路灯", "坏了", "没人修"}
    by_tables = [reason.weight for reason in understanding.because if reason.speaks_for != "model"]
    assert by_tables == sorted(by_tables, reverse=True)
    (of_model,) = understanding.because[len(by_tables) :]
    assert (of_model.word, of_model.speaks_for, of_model.weight > 0) == ("整句话", "model", True)


def test_pairs_of_characters_are_named_where_the_tables_know_few_words() -> None:
    because = understand(Utterance("老人证在哪办")).because
    assert [reason.speaks_for for reason in because] == ["asking", "someone", "model", "model", "model"]
    assert [len(reason.word) for reason in because[2:]] == [2, 2, len("整句话")]


def test_every_kind_that_opens_a_case_can_be_scored() -> None:
    assert set(KINDS) == {kind.value for kind in Kind} - {"chatter"}


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.characters(codec=None), max_size=4096),
    st.text(alphabet="我家楼上电梯坏了没人管3号楼-单元501 吗，？\ud800\u200b", max_size=400),
    st.booleans(),
)
def test_no_text_breaks_it(text: str, near: str, flag: bool) -> None:
    utterance = Utterance(text + near, flag, not flag, flag, flag, near)
    understanding = understand(utterance)
    assert isinstance(understanding, Understanding)
    assert 0.0 <= understanding.certainty <= 1.0
    assert all(0 <= place.start < place.end <= len(utterance.text) for place in understanding.places)
    assert understanding.decision is not SILENT or flag or not utterance.is_private


@pytest.mark.parametrize(
    "text", ["我家" * 2048, "有人" * 2048, "3栋2单元501" * 500, "\u200b" * 4096, "帮我狗堵占" * 800]
)
def test_the_longest_text_is_read_whole(text: str) -> None:
    """How long it takes is measured by `wuwei nlp evaluate`; a clock in a test fails on a busy machine."""
    assert len(text) >= 4000
    found = understand(Utterance(text), NOWHERE)
    assert found == understand(Utterance(text), NOWHERE)


@pytest.mark.parametrize("text", ["六点半", "黑暗料理", "文化人"])
def test_few_characters_that_name_nothing_are_talk(text: str) -> None:
    assert understand(Utterance(text)).decision is SILENT

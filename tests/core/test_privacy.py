"""Planted numbers in the many ways people write them are masked; everything else people write stays as it is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.privacy import mask, mask_for_group, mask_name, mask_phone, mask_place, mask_talk

MOBILES = [
    "13812345678",
    "138 1234 5678",
    "138-1234-5678",
    "138－1234－5678",
    "138—1234—5678",
    "138 - 1234 - 5678",
    "138.1234.5678",
    "138，1234，5678",
    "138、1234、5678",
    "138/1234/5678",
    "138_1234_5678",
    "138*1234*5678",
    "138·1234·5678",
    "1381234 5678",
    "13812 345678",
    "138 12345678",
    "1 3 8 1 2 3 4 5 6 7 8",
    "1-3-8-1-2-3-4-5-6-7-8",
    "(138)12345678",
    "（138）1234 5678",
    "+8613812345678",
    "+86 138 1234 5678",
    "+86-138-1234-5678",
    "86 13812345678",
    "008613812345678",
    "0086 138 1234 5678",
    "１３８１２３４５６７８",
    "１３８－１２３４－５６７８",
    "一三八一二三四五六七八",
    "幺三八一二三四五六七八",
    "1三8一2三4五6七8",
    "138\u200b1234\u200b5678",
    "138\u3000123\u300045678",
    "138\u00a01234\u00a05678",
    "𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖",
    "19912345678",
    "16612345678",
]
LANDLINES = [
    "0571-88123456",
    "0571 88123456",
    "057188123456",
    "(0571)88123456",
    "（0571）8812 3456",
    "0571-8812-3456",
    "010-12345678",
    "021—65123456",
    "０５７１－８８１２３４５６",
    "0453-8812345",
]
IDENTITIES = [
    "110101199003071234",
    "11010119900307123X",
    "11010119900307123x",
    "110101 19900307 1234",
    "110101-19900307-123X",
    "110101 1990 0307 1234",
    "1101 0119 9003 0712 34",
    "１１０１０１１９９００３０７１２３４",
    "110101900307123",
    "33010620011231001X",
]
CARDS = ["6222021234567890123", "6222 0212 3456 7890 123", "6222-0212-3456-7890", "4512345678901234"]
PLATES = [
    "浙A12345",
    "浙A·12345",
    "浙A 12345",
    "浙A-12345",
    "浙a12345",
    "浙Ａ１２３４５",
    "沪AD12345",
    "粤B12345D",
    "京A1234学",
    "鲁B1234警",
    "粤Z1234港",
    "苏E·D12345",
]
FORMS = [*MOBILES, *LANDLINES, *IDENTITIES, *CARDS, *PLATES]
SENTENCES = ["{}", "我的号码是{}，麻烦回个电话", "联系{}", "王师傅{}吧", "（{}）", "3号楼漏水。{}", "{}是邻居的"]


def digits_of(text: str) -> str:
    """Every kind of digit as an Arabic one, all else left out."""
    plain = text.translate(str.maketrans("〇一二三四五六七八九零幺", "012345678901"))
    import unicodedata

    return "".join(str(unicodedata.digit(letter)) for letter in plain if unicodedata.digit(letter, None) is not None)


def test_forms_are_at_least_sixty() -> None:
    assert len(FORMS) >= 60
    assert len(set(FORMS)) == len(FORMS)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_mask_hides_personal_numbers(form: str, sentence: str) -> None:
    masked = mask(sentence.format(form))
    assert form not in masked
    # At most the first and last few letters are left of it, wherever it stood.
    before, after = sentence.split("{}")
    assert masked.startswith(before)
    assert masked.endswith(after)
    middle = masked[len(before) : len(masked) - len(after)]
    assert len(middle) == len(form)
    assert middle.count("*") - form.count("*") >= 4
    assert len(digits_of(middle)) <= 6


@pytest.mark.parametrize(
    "text",
    [
        "3号楼2单元501漏水",
        "2026-11-21 10:30",
        "2026年11月21日上午9点",
        "1990-12-31 18:00:00",
        "20261121",
        "BX-20261121-0007",
        "请打12345、110、119、120、96300",
        "400-800-8200",
        "交了1,234.56元",
        "一共10000000元",
        "一九四九年十月一日",
        "二〇二六年十一月二十一日",
        "①下水道 ②路灯 ③电梯",
        "1201 1202 1203 都停水",
        "5栋、13栋、138平方",
        "周一三五七点集合",
        "新garden小区",
        "云B栋3012",
        "京东快递到了，取件码 12-3-4567",
        "电梯编号 DT-0032",
        "全角数字３号楼",
        "电话没人接，等了30分钟",
        "微信群里说过了",
        "温度 36.5，湿度 45%",
        "第1-13号车位",
        "100-200米",
        "192.168.1.10",
    ],
)
def test_mask_leaves_ordinary_words_alone(text: str) -> None:
    assert mask(text) == text


def test_mask_keeps_enough_to_recognise() -> None:
    assert mask("打 138-1234-5678 找我") == "打 138-****-**78 找我"
    assert mask("身份证110101199003071234") == "身份证110*************34"
    assert mask("浙A·12345 挡路") == "浙A·****5 挡路"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话：88123456", "电话：88****56"),
        ("座机8812 3456", "座机88** **56"),
        ("QQ 123456789", "QQ 12*******"),
        ("微信号：abc_123456", "微信号：ab*_******"),
        ("护照 E12345678", "护照 E1*******"),
        ("发到 wang.xm@example.com", "发到 w***.**@*******.***"),
    ],
)
def test_mask_hides_numbers_by_the_word_before(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("3号楼2单元501漏水", "3号楼2单元***漏水"),
        ("三号楼二单元五零一室", "三号楼二单元***室"),
        ("3-2-501 停水", "3-2-*** 停水"),
        ("13栋1302室", "13栋***室"),
        ("501室的", "***室的"),
        ("8#1203 噪音", "8#*** 噪音"),
        ("5号楼301，电话13812345678", "5号楼***，电话138******78"),
    ],
)
def test_mask_for_group_hides_doors_too(text: str, masked: str) -> None:
    assert mask_for_group(text) == masked


@pytest.mark.parametrize("text", ["3号楼门口", "3号楼2026年建的", "5栋120户停水", "8座300人签名", "二单元楼道灯"])
def test_mask_for_group_leaves_places_alone(text: str) -> None:
    assert mask_for_group(text) == text


def test_mask_name_keeps_the_first_letter() -> None:
    assert [mask_name(name) for name in ("王小明", "李", "", "欧阳修")] == ["王**", "李", "", "欧**"]


def test_mask_phone_keeps_both_ends() -> None:
    assert [mask_phone(phone) for phone in ("13812345678", "138 1234 5678", "0571-88123456", "12345", "")] == [
        "138****5678",
        "138 **** 5678",
        "057*-****3456",
        "*****",
        "",
    ]


@settings(deadline=None)
@given(st.text())
def test_mask_changes_nothing_but_letters_into_stars(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, masked, strict=True))
    assert mask(masked) == masked


@settings(deadline=None)
@given(st.text(), st.text(), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_mask_finds_a_phone_between_any_words(before: str, after: str, phone: str) -> None:
    """Unless digits touch it: then it is part of a longer number."""
    separated = re.compile(r"[\d一二三四五六七八九零〇幺○+－\-\s]")
    if (before and (separated.match(before[-1]) or before[-1].isdigit())) or (
        after and (separated.match(after[0]) or after[0].isdigit())
    ):
        return
    assert phone not in mask(f"{before}。{phone}。{after}")


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("207号", "***号"),
        ("16号301", "***号***"),
        ("132-967", "132-***"),
        ("9-4", "9-***"),
        ("12-3-8", "12-3-***"),
        ("3-2-501", "3-2-***"),
        ("6-10-2023 东门", "6-10-*** 东门"),
        ("3号楼", "3号楼"),
        ("12号院 3-2单元", "12号院 3-2单元"),
        ("5幢2单元", "5幢2单元"),
        ("3号2单元", "3号2单元"),
        ("3号二单元501", "3号二单元***"),
        ("3号楼2单元501", "3号楼2单元***"),
    ],
)
def test_place_in_a_group_names_no_door(place: str, shown: str) -> None:
    assert mask_place(place) == shown


@pytest.mark.parametrize(
    ("talk", "shown"),
    [
        ("301 已换软管", "*** 已换软管"),
        ("楼上401和317李**家都同意", "楼上***和***李**家都同意"),
        ("三零一、302都通水了", "***、***都通水了"),
        ("B1201和502业主说好了", "B***和***业主说好了"),
        ("电话139-1234-5678，座机0571-88123456", "电话***，座机***"),
        ("车牌浙A12345已挪，3号楼2单元501也通了", "车牌***已挪，3号楼2单元***也通了"),
    ],
)
def test_talk_of_staff_shows_no_door_and_nothing_of_a_number(talk: str, shown: str) -> None:
    assert mask_talk(talk) == shown


@pytest.mark.parametrize(
    "talk",
    [
        "换了3个灯泡，2号楼正常",
        "花了301元，换了105 米线",
        "512路站牌、2012年的井盖",
        "走访了317家，共301户",
        "可拨打 110、112、119、12345",
        "与 BX-20261121-1001 是同一件，3:05到场，水压0.301",
    ],
)
def test_talk_of_staff_keeps_what_is_no_door(talk: str) -> None:
    assert mask_talk(talk) == talk


@pytest.mark.parametrize(
    "text",
    [
        "社区电话0571-88123456",
        "值班电话88123456",
        "居委会座机：8812 3456",
        "物业服务中心24小时值班电话 0571-88123456",
        "医保咨询电话是 8765432",
        "400-800-8888 转 2",
        "请打 12345、96110 或 110",
    ],
)
def test_number_of_an_office_stands(text: str) -> None:
    assert (mask(text), mask_for_group(text), mask_talk(text)) == (text, text, text)


@pytest.mark.parametrize(
    "text",
    [
        "物业王经理家电话88123456",
        "报修人电话88123456",
        "我家座机0571-88123456",
        "社区电话13812345678",
        "街道88123456789012345",
    ],
)
def test_number_of_somebody_beside_an_office_does_not(text: str) -> None:
    assert "8123456" not in mask(text)
    assert "123456" not in mask_talk(text)

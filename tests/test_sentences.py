"""Holds what the bot says to the rules of Chinese typesetting, and the examples it gives to what it understands."""

import re

from core.messages import Decision, Kind, Utterance
from core.texts import sentences
from domain.cases import words
from nlp.topics import topics
from nlp.understand import understand

HAN = "\u4e00-\u9fff"
# Blanks that begin or end with a digit or a Latin letter.
LATIN_BLANKS = "number|count|most|row|size|minutes|days|workdays|deadline|time|code"
# Dates and what people type are written as people write them: 12月1日 8点, 3号楼.
TOUCHING = re.compile(
    rf"(?<![{HAN}]月)[{HAN}](?<![年月日周第点])(?:[A-Za-z0-9]|\{{(?:{LATIN_BLANKS})\}})"
    rf"|(?:[A-Za-z0-9]|\{{(?:{LATIN_BLANKS})\}})(?![年月日点号时分])[{HAN}]"
)
HALF_WIDTH = re.compile(rf"[{HAN}”）】][,;!?:()]|[,;!?()][{HAN}“（【]|\.\.\.|(?<!…)…(?!…)")
QUOTED = re.compile(r"“[^”]*”|《[^》]*》|「[^」]*」|\[\[[^\]]*\]\]")
EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


def test_sentences_have_a_space_between_chinese_and_latin() -> None:
    wrong = {key: found[0] for key, text in sentences().items() if (found := TOUCHING.search(QUOTED.sub("", text)))}
    assert wrong == {}


def test_sentences_have_full_width_punctuation() -> None:
    wrong = {key: found[0] for key, text in sentences().items() if (found := HALF_WIDTH.search(text))}
    assert wrong == {}


def test_sentences_are_polite_and_plain() -> None:
    assert {key for key, text in sentences().items() if re.search("你(?!们)", text)} == set()
    assert {key for key, text in sentences().items() if len(EMOJI.findall(text)) > 1} == set()


EXAMPLES = {
    "3 号楼门口井盖坏了": Kind.REPORT,
    "3 号楼门口路灯不亮": Kind.REPORT,
    "3 号楼电梯坏了": Kind.REPORT,
    "高龄补贴怎么办": Kind.QUESTION,
    "想给独居的奶奶要一个助行器": Kind.WISH,
}


def test_examples_in_the_sentences_are_understood() -> None:
    """What we tell people to say must work when they say just that, in a group and without being asked back."""
    shown = [
        said
        for key in ("start.help", "start.welcome", "start.not_understood", "cases.mine_none")
        for said in re.findall(r"如“([^”]+)”", sentences()[key])
    ]
    assert set(shown) == set(EXAMPLES)
    assert {said: understand(Utterance(said)).kind for said in shown} == EXAMPLES
    assert {understand(Utterance(said)).decision for said in shown} == {Decision.ACT}


def test_every_emergency_has_all_three_numbers() -> None:
    """The topic may be taken wrongly; the number to call must stand there all the same."""
    calls = {key: text for key, text in sentences().items() if re.match(r"cases\.call(?:_|$)", key)}
    assert {key.removeprefix("cases.call_") for key in calls} == {"cases.call", *words.OWN_CALL}
    assert {key for key, text in calls.items() if not all(number in text for number in ("110", "119", "120"))} == set()
    assert topics().keys() >= words.OWN_CALL


def test_text_checks_see_faults() -> None:
    assert TOUCHING.search("共3行")
    assert TOUCHING.search("{deadline}前处理")
    assert not TOUCHING.search("每月15日，共 3 行，{deadline} 前")
    assert HALF_WIDTH.search("好的,谢谢")
    assert not HALF_WIDTH.search("好的，9:00，（如 PT8H）")

"""What a remark is about that opens no case: another thing than what was told before (水管修好了, after 小广告贴得到处都是), or nothing of the
community's at all (今天的红烧肉). Such remarks have no topics of their own; here their words are asked all the same."""

from nlp.classify import Scores, shipped_classifier
from nlp.features import characters, findings
from nlp.model import shipped_model
from nlp.normalise import has_words, normalise

MAY_BE = 0.1  # from here a remark may be about a topic
PLAIN_TALK = -1.2  # the model's gate of what is nothing but talk; a sigh over a trouble, 真是受不了, lies above
_SAYS_ONLY_WHAT_IS_WRONG = "没不又还"  # 没清 speaks for a topic, and names no thing
_TOPIC = "topic:"


def is_of_another(said: str, told: str, topic: str | None) -> bool:
    """Whether `said` names something, and neither words of what was `told` nor its topic. Who names nothing may mean anything."""
    text = normalise(said)
    scores = shipped_classifier().score(text)
    topics = dict(shipped_model().topics_in(shipped_model().total_of(characters(text), findings(scores))))
    if topic and (topics.get(topic, 0.0) >= MAY_BE or f"{_TOPIC}{topic}" in scores.topic_hits):
        return False
    named, known = _named(text, scores), normalise(told)
    return bool(named) and not any(_shares(word, known) for word in named)


def names_something(said: str) -> bool:
    """Whether a remark names a thing or what it is about."""
    text = normalise(said)
    return bool(_named(text, shipped_classifier().score(text)))


def _named(text: str, scores: Scores) -> set[str]:
    things = scores.findings["thing"].hits if "thing" in scores.findings else []
    hits = [*things, *(hit for found in scores.topic_hits.values() for hit in found)]
    return {word for hit in hits if (word := text[hit.start : hit.end])[0] not in _SAYS_ONLY_WHAT_IS_WRONG}


def _shares(word: str, known: str) -> bool:
    """Whether a word or a half of it stands in what was told: 门 and 门禁, 电梯 and 电梯门."""
    return word in known or any(word[start : start + 2] in known for start in range(len(word) - 1))


def is_plain_talk(said: str) -> bool:
    """Whether a line is so surely talk of something else that what was sent with it is no part of a matter either."""
    text = normalise(said)
    return has_words(text) and shipped_model().margins_of(characters(text)).gate < PLAIN_TALK

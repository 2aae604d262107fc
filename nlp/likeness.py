"""How likely two texts tell of the same trouble, when both are about one place: by topic, by aspect and by their words.

Place and time are the caller's matter. Words alone would join 路灯不亮 and 路灯下面堆垃圾, topics alone 电梯坏了 and 小孩在电梯里撒尿;
only together do they tell.
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from nlp.classify import shipped_classifier
from nlp.features import EDGE, characters, findings, spread
from nlp.model import shipped_model
from nlp.normalise import normalise
from nlp.places import NOWHERE

# From here two texts about one place are taken for the same trouble.
ALIKE = 0.5
REMEMBERED = 4096
LONG = 40  # from so many pairs a text tells its matter in words; below, in its topic
_HEAD = 600
# What a text says is wrong with a thing, which tells two troubles with the same thing apart.
_ASPECTS = frozenset({"fault", "dirt", "disorder", "noise", "misdeed", "quarrel", "wishing", "proposing", "booking"})
# Pairs that stand in any complaint and tell nothing.
_EMPTY_WORDS = (
    "领导 尊敬 您好 你好 我们 我是 小区 业主 问题 反映 希望 请求 咨询 投诉 举报 建议 关于 居民 解决 情况 现在 一直 没有 部门 政府 谢谢 相关 "
    "严重 影响 生活 有关 能否 什么 何时 可以 怎么 已经 因为 但是 所以 如果 进行 不能 还是 就是 这个 那个 我家 咱们 大家 麻烦 能不 不能 有人 没人 "
    "又坏 坏了 一下 处理 管管 今天 昨天 晚上 楼下 楼上 门口 这边 那边 有点 怎么 还没"
)
_EMPTY = frozenset(_EMPTY_WORDS.split())


@dataclass(frozen=True, slots=True)
class _Described:
    """A text as far as it is compared."""

    pairs: dict[str, float]
    topics: dict[str, float]
    aspects: frozenset[str]


@lru_cache(maxsize=REMEMBERED)
def _describe(text: str, _words: int) -> _Described:
    """`_words` numbers the words that count now: with others the same text may read otherwise."""
    text = normalise(text)[:_HEAD]
    for place in reversed(NOWHERE.find(text)):
        text = f"{text[: place.start]} {text[place.end :]}"
    scores = shipped_classifier().score(text)
    found = findings(scores)
    counts = Counter(map("".join, pairwise(spread(text))))
    pairs = {
        pair: (1.0 + math.log(count)) * (0.2 if pair in _EMPTY else 1.0)
        for pair, count in counts.items()
        if EDGE not in pair
    }
    size = math.sqrt(sum(weight * weight for weight in pairs.values())) or 1.0
    model = shipped_model()
    topics = dict(model.topics_in(model.totals_of(characters(text), found)))
    return _Described(
        {pair: weight / size for pair, weight in pairs.items()}, topics, _ASPECTS.intersection(scores.findings)
    )


def likeness(one: str, other: str) -> float:
    """How likely both tell of one trouble, 0 to 1, given that they are about one place. The order does not matter."""
    words = shipped_classifier().number
    first, second = _describe(one, words), _describe(other, words)
    shared = sum(weight * second.pairs[pair] for pair, weight in first.pairs.items() if pair in second.pairs)
    by_topic = sum(min(weight, second.topics[code]) for code, weight in first.topics.items() if code in second.topics)
    if min(len(first.pairs), len(second.pairs)) >= LONG:
        told = 10.0 * shared + by_topic - 3.2
    else:
        told = 4.4 * math.sqrt(by_topic) + _by_aspect(first, second) + 8.0 * max(0.0, shared - 0.5) - 3.9
    return round(1.0 / (1.0 + math.exp(-told)), 3)


def _by_aspect(first: _Described, second: _Described) -> float:
    """Broken and dirty are two troubles; where one text does not say what is wrong, it says nothing against."""
    if not first.aspects or not second.aspects:
        return 0.0
    shared = first.aspects & second.aspects
    return 2.3 * len(shared) / len(first.aspects | second.aspects) if shared else -1.3

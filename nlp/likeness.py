"""How likely two texts tell of the same trouble, when both are about one place.

A line of talk tells it by topic and by aspect, a long report by the words it comes back to and those of its first sentence.
Place and time are the caller's matter; the names of the place stand in every report from there, and tell nothing. Words alone
would join 路灯不亮 and 路灯下面堆垃圾, topics alone 电梯坏了 and 小孩在电梯里撒尿; only together do they tell.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest

from nlp.classify import shipped_classifier
from nlp.everyday import EVERYDAY
from nlp.features import EDGE, characters, findings
from nlp.model import shipped_model
from nlp.normalise import normalise
from nlp.places import NOWHERE

# From here two texts about one place are taken for the same trouble.
ALIKE = 0.5
REMEMBERED = 4096
LONG = 48  # from so many characters a text tells its matter in words; below, in its topic
_MOST_READ = 600
_SIZES = (1, 2, 3, 4)
_SAYS_SOMETHING = 4  # runs in a first sentence that is more than a greeting
_HEAD = 0.7  # what the first sentence counts beside the whole text
_COMES_BACK = 1.3  # a word said four times counts six times
_MOST_RUNS = 100  # the weightiest of a text; the rest would cost time and tell nothing
_SAME_WORDS = 0.26  # from here two long texts share what they are about
_MARKS = re.compile(r"[^\u4e00-\u9fffa-z0-9]+")
_SENTENCE_END = re.compile(r"[\s。！？；]+")
# What a text says is wrong with a thing, which tells two troubles with the same thing apart.
_ASPECTS = frozenset({"fault", "dirt", "disorder", "noise", "misdeed", "quarrel", "wishing", "proposing", "booking"})
# Words that stand in any complaint and tell nothing.
_EMPTY = re.compile(
    "尊敬的?|领导|书记|[局市]长|政府|部门|您好|你好|我们|你们|他们|我是|我家|咱们|大家|自己|本人|业主|居民|市民|老?百姓|小区|社区|街道|附近|周边|"
    "问题|情况|反映|希望|请求|请问|恳请|咨询|投诉|举报|建议|要求|需要|解决|处理|管管|进行|尽快|特此|谢谢|麻烦|得到|造成|导致|影响|生活|严重|非常|强烈|"
    "关于|有关|相关|对于|由于|因为|所以|但是|可是|而且|如果|或者|作为|任何|其他|已经|现在|目前|至今|一直|今[天年]|昨天|每天|晚上|时间|时候|多次|再次|以后|经常|"
    "没有|存在|不是|就是|还是|都是|也是|这是|不能|无法|不到|应该|能否|是否|可以|知道|什么|为[何了]|何时|怎么|如何|难道|到底|根本|甚至|完全|真的|"
    "这[个些样种么]|那个|这边|那边|有的|有人|一[些下样]|有点|很多|又?坏了|还没|楼[上下]|门口"
)
# Digits and letters say something in a run only: 204路, p2p.
_ALONE = EVERYDAY | frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_GONE = "，"

Runs = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Described:
    """A text as far as it is compared. `runs` has length 1 as a vector."""

    runs: Runs
    is_long: bool
    topics: dict[str, float]
    aspects: frozenset[str]


@lru_cache(maxsize=REMEMBERED)
def _describe(text: str, names: frozenset[str], _words: int) -> _Described:
    """`_words` numbers the words that count now: with others the same text may read otherwise."""
    text = normalise(text)[:_MOST_READ]
    for place in reversed(NOWHERE.find(text)):
        text = f"{text[: place.start]}{_GONE}{text[place.end :]}"
    scores = shipped_classifier().score(text)
    found = findings(scores)
    model = shipped_model()
    topics = dict(model.topics_in(model.total_of(characters(text), found)))
    for name in sorted(filter(None, map(normalise, names)), key=len, reverse=True):
        text = text.replace(name, _GONE)
    return _Described(_runs(text), len(text) >= LONG, topics, _ASPECTS.intersection(scores.findings))


def _runs(text: str) -> Runs:
    """What a text is about: runs of one to four characters, by how often it comes back to them, its first sentence above all."""
    sentences = [_counted(sentence) for sentence in _SENTENCE_END.split(text)]
    head = _weighed(next((counts for counts in sentences if len(counts) >= _SAYS_SOMETHING), Counter()))
    whole = Counter[str]()
    for counts in sentences:
        whole.update(counts)
    both = ((weight + _HEAD * head.get(run, 0.0), run) for run, weight in _weighed(whole).items())
    return _of_length_one({run: weight for weight, run in nlargest(_MOST_RUNS, both)})


def _counted(sentence: str) -> Counter[str]:
    edged = _MARKS.sub(EDGE, _EMPTY.sub(EDGE, sentence))
    counts = Counter(edged[start : start + size] for size in _SIZES for start in range(len(edged) - size + 1))
    return Counter({run: count for run, count in counts.items() if EDGE not in run and run not in _ALONE})


def _weighed(counts: Counter[str]) -> Runs:
    return _of_length_one({run: count**_COMES_BACK for run, count in counts.items()})


def _of_length_one(runs: Runs) -> Runs:
    size = math.sqrt(sum(weight * weight for weight in runs.values())) or 1.0
    return {run: weight / size for run, weight in runs.items()}


def likeness(one: str, other: str, *, names: frozenset[str] = frozenset()) -> float:
    """How likely both tell of one trouble, 0 to 1, given that they are about one place, which may be called by these names.

    The order does not matter.
    """
    return _probability(closeness(one, other, names=names))


def likeness_to_all(text: str, told: Sequence[str], *, names: frozenset[str] = frozenset()) -> float:
    """How likely a text tells of the trouble that all of `told`, at least one text, are taken to tell of."""
    return _probability(of_nearest([closeness(text, other, names=names) for other in told]))


def of_nearest(closenesses: Sequence[float]) -> float:
    """The mean of the greatest third, at least one: who tells it in other words need only be near to some, and of many not to one alone."""
    nearest = nlargest(-(-len(closenesses) // 3), closenesses)
    return sum(nearest) / len(nearest)


def closeness(one: str, other: str, *, names: frozenset[str] = frozenset()) -> float:
    """The same as `likeness`, as logarithm of the odds; 0 where it is as likely as not."""
    words = shipped_classifier().number
    first, second = _describe(one, names, words), _describe(other, names, words)
    shared = sum(weight * second.runs[run] for run, weight in first.runs.items() if run in second.runs)
    if first.is_long and second.is_long:
        return 15.0 * (shared - _SAME_WORDS)
    topics = first.topics.keys() & second.topics.keys()
    by_topic = sum(min(first.topics[code], second.topics[code]) for code in topics)
    return 4.4 * math.sqrt(by_topic) + _by_aspect(first, second) + 8.0 * max(0.0, shared - 0.5) - 3.9


def _probability(odds: float) -> float:
    return round(1.0 / (1.0 + math.exp(-odds)), 3)


def _by_aspect(first: _Described, second: _Described) -> float:
    """Broken and dirty are two troubles; where one text does not say what is wrong, it says nothing against."""
    if not first.aspects or not second.aspects:
        return 0.0
    shared = first.aspects & second.aspects
    return 2.3 * len(shared) / len(first.aspects | second.aspects) if shared else -1.3

"""Cutting Chinese text into words, with our topic words in the dictionary.

rjieba (jieba in Rust) does the work; jieba itself is the fallback where no rjieba wheel exists, and the oracle in the
tests. Both get the same words with the same fixed frequency, so both cut alike.
"""

import logging
import warnings
from collections.abc import Iterable
from typing import Protocol

# High enough that a topic word beats its parts, low enough that it does not tear its neighbours.
WORD_FREQUENCY = 20_000


class Segmenter(Protocol):
    """Cuts a text into words; their concatenation is the text. Lone surrogates must be gone before (`normalise`)."""

    def cut(self, text: str) -> list[str]: ...


class RjiebaSegmenter:
    """The fast one. A new dictionary means a new instance: adding words while another thread cuts raises."""

    def __init__(self, words: Iterable[str]) -> None:
        import rjieba  # noqa: PLC0415  a platform without the wheel falls back to jieba

        # Importing the library reads its dictionary once (0.13 s); whoever comes first, at the start, takes that one over.
        self._jieba = vars(rjieba).pop("_DEFAULT_JIEBA", None) or rjieba.Jieba()
        for word in words:
            self._jieba.add_word(word, WORD_FREQUENCY, "n")

    def cut(self, text: str) -> list[str]:
        return list(self._jieba.cut(text))


class JiebaSegmenter:
    """The plain one, about twenty times slower. Keeps no cache on disk: the library's shared file in the temporary
    folder can be forged by any local user."""

    def __init__(self, words: Iterable[str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's own deprecations are not ours to mend
            import jieba  # noqa: PLC0415  a second's work that only the fallback should pay
        jieba.setLogLevel(logging.WARNING)
        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
        tokenizer.initialized = True  # skips the library's own start, which reads and writes the cache
        for word in words:
            tokenizer.add_word(word, WORD_FREQUENCY, "n")
        self._jieba = tokenizer

    def cut(self, text: str) -> list[str]:
        return list(self._jieba.lcut(text))


def build_segmenter(words: Iterable[str]) -> Segmenter:
    """rjieba where it is installed, else jieba."""
    listed = sorted(set(words))
    try:
        return RjiebaSegmenter(listed)
    except ImportError:
        return JiebaSegmenter(listed)

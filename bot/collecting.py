"""How often Python looks for what nobody refers to any more. A start makes dictionaries and mappings that stay: looking through them is in vain."""

import gc

COLLECT_AFTER = (50_000, 20, 20)


def collect_rarely() -> None:
    """From now on: loading the program's parts alone would be looked through some hundred times, a tenth of its start."""
    gc.set_threshold(*COLLECT_AFTER)


def spare_what_is_loaded() -> None:
    """It stays: the collector need not walk through dictionaries and mappings again and again, a tenth of a second each time."""
    gc.freeze()
    collect_rarely()

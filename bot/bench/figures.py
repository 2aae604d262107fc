"""What a measurement says: one row of the table of targets, with the ratio of each round, its median, least and most."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a pair: ours and the peer's figure, measured one after the other. No peer: None."""

    ours: float
    peer: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of targets. `skipped` says why nothing was measured; `floor` and `goal` are of `judged`.

    `judged` names what the target is about: "ratio" or "ours"; `is_less_better` turns the comparison round.
    """

    number: int
    name: str
    unit: str
    rounds: tuple[Round, ...] = ()
    floor: float | None = None
    goal: float | None = None
    moonshot: float | None = None
    judged: str = "ratio"
    is_less_better: bool = False
    detail: Mapping[str, object] = field(default_factory=dict)
    skipped: str = ""

    @property
    def ours(self) -> float | None:
        return _median([one.ours for one in self.rounds])

    @property
    def peer(self) -> float | None:
        return _median([one.peer for one in self.rounds if one.peer is not None])

    @property
    def ratios(self) -> list[float]:
        return [one.ratio for one in self.rounds if one.ratio is not None]

    @property
    def ratio(self) -> float | None:
        return _median(self.ratios)

    @property
    def reached(self) -> str | None:
        """The highest target that the median reaches; None when there is none to reach."""
        value = self.ratio if self.judged == "ratio" else self.ours
        if value is None or self.floor is None:
            return None
        for name, target in (("moonshot", self.moonshot), ("goal", self.goal), ("floor", self.floor)):
            if target is not None and (value <= target if self.is_less_better else value >= target):
                return name
        return "below the floor"

    def as_json(self) -> dict[str, object]:
        """The shape that `wuwei bench --json` promises: row, name, ours, peer, ratio, rounds; and what explains them."""
        said: dict[str, object] = {
            "row": self.number,
            "name": self.name,
            "unit": self.unit,
            "ours": _short(self.ours),
            "peer": _short(self.peer),
            "ratio": _short(self.ratio),
            "ratio_min": _short(min(self.ratios, default=None)),
            "ratio_max": _short(max(self.ratios, default=None)),
            "rounds": [
                {"ours": _short(one.ours), "peer": _short(one.peer), "ratio": _short(one.ratio)} for one in self.rounds
            ],
            "targets": {"of": self.judged, "floor": self.floor, "goal": self.goal, "moonshot": self.moonshot},
            "reached": self.reached,
        }
        if self.detail:
            said["detail"] = dict(self.detail)
        if self.skipped:
            said["skipped"] = self.skipped
        return said

    def as_line(self) -> str:
        """The row for a person at the terminal."""
        head = f"{self.number:>2}  {self.name}"
        if self.skipped:
            return f"{head}：跳过——{self.skipped}"
        parts = [f"{_figure(self.ours)} {self.unit}"]
        if self.peer is not None:
            low, high = min(self.ratios), max(self.ratios)
            parts.append(f"对手 {_figure(self.peer)}")
            parts.append(f"比值 {_figure(self.ratio)}（{_figure(low)}–{_figure(high)}，{len(self.rounds)} 轮）")
        if self.reached is not None:
            parts.append(self.reached)
        extra = "  ".join(f"{name}={_words(value)}" for name, value in self.detail.items())
        return f"{head}：{'，'.join(parts)}" + (f"\n      {extra}" if extra else "")


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _words(value: object) -> str:
    return _figure(value) if isinstance(value, float) else str(value)

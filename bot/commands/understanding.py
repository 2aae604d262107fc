"""`wuwei nlp`: predictions, figures on labelled lines, why a text is understood so, and training."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from core.errors import ConfigError
from core.messages import Utterance
from nlp.addresses import judge_addresses
from nlp.duplicates import judge_duplicates
from nlp.endurance import clock, endure
from nlp.evaluate import evaluate, predict
from nlp.explain import explain
from nlp.petitions import cross_check, read_petitions, train_topics
from nlp.train import train
from nlp.understand import understand


def predict_file(file: Path) -> None:
    for row in _rows(file):
        typer.echo(json.dumps(predict(str(row.get("text", ""))), ensure_ascii=False))


def evaluate_file(file: Path, *, as_json: bool) -> None:
    rows = list(_rows(file))
    texts = [str(row.get("text", "")) for row in rows]
    _tell({**evaluate(rows), "speed": clock(texts), "endurance": endure("".join(texts))}, as_json=as_json)


def duplicates_file(file: Path, *, as_json: bool) -> None:
    _tell(judge_duplicates(list(_rows(file))), as_json=as_json)


def addresses_file(file: Path, *, as_json: bool) -> None:
    _tell(judge_addresses(list(_rows(file))), as_json=as_json)


def _tell(figures: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    for name, figure in figures.items():
        for line in _figure_lines(name, figure):
            typer.echo(line)


def explain_text(text: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(predict(text), ensure_ascii=False))
        return
    for line in explain(understand(Utterance(text))):
        typer.echo(line)


def train_files(files: Sequence[Path], out: Path, *, corrections: Sequence[Mapping[str, str]] = ()) -> None:
    """Lines with kinds train the model of the group's talk; texts with a `label` train topics alone. Corrections count as lines."""
    if corrections:
        with TemporaryDirectory() as folder:
            extra = Path(folder) / "corrections.jsonl"
            lines = [json.dumps(line, ensure_ascii=False) for line in corrections]
            extra.write_text("\n".join(lines) + "\n", encoding="utf-8")
            _train([*files, extra], out)
    else:
        _train(files, out)


def _train(files: Sequence[Path], out: Path) -> None:
    labelled = [row for file in files if file.suffix == ".jsonl" for row in _rows(file)]
    if labelled and all("label" in row and "kind" not in row for row in labelled):
        petitions = read_petitions(labelled)
        train_topics(petitions, out)
        lines, figures = len(petitions), cross_check(petitions)
    else:
        for file in files:
            if not file.is_file():
                raise ConfigError([f"找不到文件 {file}"])
        trained = train(files, out)
        lines, figures = trained.lines, dict(trained.figures)
        for fault in trained.faults:
            typer.echo(f"{fault.file} 第 {fault.line} 行已跳过：{fault.text}", err=True)
    typer.echo(f"用 {lines} 行训练，写入 {out}")
    for name, (value, whole, (low, high)) in figures.items():
        typer.echo(f"{name}: {value:.1%}  n={whole}  {low:.1%}–{high:.1%}")


def _rows(file: Path) -> Iterator[Mapping[str, object]]:
    """The objects of a file, one a line; all lines that are none are told at once, before anything is worked."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ConfigError([f"找不到文件 {file}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"文件 {file} 不是 UTF-8 编码；请另存为 UTF-8"]) from None
    rows, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line)
        if row is None:
            faults.append(f'第 {number} 行不是带 "text" 的 JSON 对象')
        else:
            rows.append(row)
    if faults:
        raise ConfigError(faults)
    return iter(rows)


def _row(line: str) -> Mapping[str, object] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("text"), str) else None


def _figure_lines(name: str, figure: object) -> Iterator[str]:
    if isinstance(figure, Mapping) and "value" in figure:
        value, interval = figure["value"], figure["interval"]
        if value is None:
            yield f"{name}: -"
        else:
            yield f"{name}: {value:.1%}  n={figure['of']}  95% {interval[0]:.1%}–{interval[1]:.1%}"
    elif isinstance(figure, Mapping):
        for part, inner in figure.items():
            yield from _figure_lines(f"{name}.{part}", inner)
    elif isinstance(figure, list):
        for inner in figure:
            yield f"{name}: " + "  ".join(f"{part}={value}" for part, value in inner.items())
    else:
        yield f"{name}: {figure}"

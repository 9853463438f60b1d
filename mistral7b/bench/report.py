"""What is written of a run: the published table of one's own endpoint, runs for `capacity`, and what got worse.

A figure is worse beyond noise if the 95% intervals of the two runs do not overlap: stricter than a test of the
difference at 5% (N. Schenker, J. F. Gentleman, The American Statistician 55, 2001), as one gate judges many figures.
Errors are, if their counts differ by more than 1.96 standard deviations of the difference of two Poisson counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import sqrt

from mistral7b.bench.plan import Cell
from mistral7b.bench.results import LEVELS, Record
from mistral7b.capacity.measurements import Figure, Metric, Row, Run, published_figures
from mistral7b.tgi.tokenizer import count_tokens

CONVENTION = (
    "tokens/s: with all users in flight all the time, whole rounds of each after a warm-up of two answers. In the "
    "published benchmark 1 + {share:.2f} · (users - 1) were, on average (docs/performance-model.md): compare its "
    "throughput with `as published`. Latencies compare as they are. "
    "Requests/s: what was answered in the measured time; a latency begins when the request was due."
)
_PUBLISHED: dict[str, Metric] = {
    "as_published_tokens_per_s": "throughput_tokens_per_s",
    "per_token_ms_p50": "p50_latency_ms_per_token",
}
_JUDGED = ("tokens_per_s", *(f"{name}_{level}" for name in ("per_token_ms", "first_token_s") for level in LEVELS))


def complete(load: Record, share: float) -> Record:
    """The load with the tokens of its prompt, its throughput as published, and what was published of it."""
    cell, figures = Cell(**load["cell"]), load["figures"]
    if cell.users and figures:
        factor = (1 + share * (cell.users - 1)) / cell.users
        figures["as_published_tokens_per_s"] = {name: rate * factor for name, rate in figures["tokens_per_s"].items()}
    own = not cell.users or cell.unit == "tokens" or cell.stream
    same = {} if own else {f.metric: f.value for f in published_figures() if f.row == _row(load)}
    return load | {"prompt_tokens": count_tokens(cell.request().inputs), "published": same}


def runs(loads: list[Record]) -> list[Record]:
    """As `capacity check` and `fit` take them: whole loads with users, as a rate has no concurrency."""
    found = []
    for one in (each for each in loads if each["cell"]["users"] and each["complete"] and each["figures"]):
        latency, rate = (one["figures"][name]["value"] for name in ("latency_s_mean", "tokens_per_s"))
        lengths, failed = (one["prompt_tokens"], one["completion_tokens_mean"]), sum(one["errors"].values())
        found.append(asdict(Run(one["cell"]["users"], *lengths, latency, rate, one["counted"], failed)))
    return found


def markdown(document: Record, share: float) -> str:
    """The published tables: a row for each prompt, a column for each number of users or rate; published in brackets."""
    rows: dict[str, dict[str, Record]] = {}
    for one in sorted(document["loads"], key=lambda one: (one["cell"]["users"], one["cell"]["rate"])):
        prompt, answer, load, *streamed = one["name"].split(", ")
        rows.setdefault(", ".join([prompt, answer, *streamed]), {})[load] = one
    columns = dict.fromkeys(load for row in rows.values() for load in row)
    text = f"# {document['endpoint']} on {document['instances']} × {document['instance_type']}\n"
    for figure in ("tokens_per_s", *_PUBLISHED):
        lines = [[figure, *columns], ["---"] * (1 + len(columns))]
        lines += [[name, *(_shown(row[n], figure) if n in row else "" for n in columns)] for name, row in rows.items()]
        text += "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{text}\n{CONVENTION.format(share=share)} `*`: with errors, or not to its end. `-`: no figure.\n"


def _shown(load: Record, figure: str) -> str:
    value, known = load["figures"].get(figure), load["published"].get(_PUBLISHED.get(figure))
    mark = "" if load["complete"] and not load["errors"] else "*"
    return f"{value['value']:.1f}{mark}" + (f" ({known:g})" if known else "") if value else "-"


def figures(loads: list[Record]) -> list[Figure]:
    """Those of whole answers by users, for the picture: throughput as published, as the picture's lines are."""
    whole = [one for one in loads if one["figures"] and one["cell"]["users"] and not one["cell"]["stream"]]
    return [Figure(_row(one), m, one["figures"][name]["value"]) for one in whole for name, m in _PUBLISHED.items()]


def incomparable(before: Record, about: Record, names: Sequence[str]) -> list[str]:
    """Why a run with loads of these names cannot be compared with the baseline."""
    differ = [name for name in ("instance_type", "instances") if before[name] != about[name]]
    absent = [f"{one['name']}: not among the loads" for one in before["loads"] if one["name"] not in names]
    return [f"{name}: {before[name]} -> {about[name]}: figures do not compare" for name in differ] + absent


def problems(document: Record, before: Record | None, tolerance: float) -> list[str]:
    """Why the run has failed: its early end, figures that are withheld, and what is worse than in the baseline."""
    early = [] if document["ending"] == "complete" else [f"the run ended early: {document['ending']}"]
    withheld = [f"{one['name']}: no figures, as {one['undriven']}" for one in document["loads"] if one["undriven"]]
    return early + withheld + ([*worse(before, document, tolerance)] if before else [])


def worse(before: Record, now: Record, tolerance: float) -> Iterator[str]:
    """What got worse than in the baseline, by how much: beyond the tolerance and beyond noise."""
    loads = {one["name"]: one for one in now["loads"]}
    for old in before["loads"]:
        new = loads.get(old["name"])
        if new is None or not new["complete"]:
            yield f"{old['name']}: not measured to its end"
            continue
        for figure in _JUDGED:
            pair = [one["figures"].get(figure) for one in (old, new)]
            small, large = pair if figure != "tokens_per_s" else pair[::-1]
            beyond = all(pair) and large["value"] > small["value"] * (1 + tolerance)
            if beyond and None not in (large["low"], small["high"]) and large["low"] > small["high"]:
                was, comes = (one["value"] for one in pair)
                yield f"{old['name']}: {figure} {was:.4g} -> {comes:.4g} ({comes / was - 1:+.1%})"
        errors, expected = (sum(one["errors"].values()) for one in (new, old))
        expected *= new["requests"] / max(1, old["requests"])
        if errors - expected > max(1.96 * sqrt(errors + expected), tolerance * expected):
            yield f"{old['name']}: {errors} errors in {new['requests']} requests, {expected:.1f} in as many before"


def _row(load: Record) -> Row:
    return Row(load["cell"]["prompt"], load["cell"]["answer_tokens"], load["cell"]["users"])

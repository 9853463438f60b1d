"""How costs are shown: of one environment by item, or of several side by side."""

from collections.abc import Iterable, Iterator

from mistral7b.operate.costs import Estimate, Item, Span
from mistral7b_cli.layout import Table
from mistral7b_cli.output import say


def say_costs(headings: tuple[str, str], items: Iterable[Item], estimates: Iterable[Estimate]) -> None:
    """Prints a table of items, or of environments, and what the estimates rest on."""
    rows = [(one.item, _span(one.count, "{:g}"), *_usd(one)) for one in items]
    say(Table("", (*headings, "USD an hour", "USD a month"), rows, numbers=True))
    notes = (note for one in estimates for note in (f"In USD: {one.prices}.", f"Not counted: {one.not_counted}."))
    say("\n".join(sorted(set(notes))))


def cost_lines(found: Estimate) -> Iterator[str]:
    """A line for each item, and one for all."""
    for one in (*found.items, found.total):
        count = f"{_span(one.count, '{:g}')} × " if one.count else ""
        yield "{}{}: {} USD an hour, {} a month".format(count, one.item, *_usd(one))


def _usd(one: Item) -> tuple[str, str]:
    unknown = None if one.usd_per_hour else "?"
    return unknown or _span(one.usd_per_hour, "{:.4g}"), unknown or _span(one.usd_per_month, "{:,.2f}")


def _span(span: Span | None, form: str) -> str:
    """From the least to the most, or one figure if they are equal."""
    return " to ".join(dict.fromkeys(map(form.format, span or ())))

"""A small table: our figure, the baseline's of the same run, the promise, and whether it is met."""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD = ("", "ours", "baseline", "promise", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``met`` None: nothing is promised here."""

    what: str
    ours: str
    baseline: str = ""
    promise: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        verdict = {True: "met", False: "NOT MET", None: ""}[self.met]
        return self.what, self.ours, self.baseline, self.promise, verdict


@dataclass(slots=True)
class Table:
    """The figures of one benchmark, and what must be known to read them."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [HEAD, *(row.cells() for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
        body = (
            "  ".join(
                cell.ljust(width) if i in (0, 3, 4) else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        first, *rest = body
        notes = [f"  {note}" for note in self.notes]
        return "\n".join(["", self.title, first, rule, *rest, *notes])


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all values do not pass (nearest rank)."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def spread(values: list[float]) -> str:
    """``p50 / p99 / max``."""
    return " / ".join(f"{percentile(values, share):.0f}" for share in (0.5, 0.99, 1.0))

"""Benchmarks go on when one measurement fails, and say which figure is missing."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import __main__ as program
from benchmarks import first_visit, lighthouse, sites
from benchmarks.first_visit import Visit
from benchmarks.options import Options
from benchmarks.table import Row, Table


def test_a_benchmark_that_fails_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail: the error of the first one ended the program."""

    def fails(_options: Options) -> Table:
        raise RuntimeError("NO_NAVSTART\nand a long report")

    def works(options: Options) -> Table:
        return Table("Works", [Row("figure", f"{options.duration(3):.0f} s")])

    monkeypatch.setattr(program, "BENCHMARKS", {"first": fails, "second": works})
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    program.main()
    said = capsys.readouterr().out
    assert "first: not measured (RuntimeError: NO_NAVSTART)\n" in said
    assert "figure   3 s" in said


def no_report(*_given: object) -> lighthouse.Report:
    raise lighthouse.NoReportError("NO_NAVSTART")


def test_a_first_visit_without_its_paint_keeps_its_other_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen to fail: the error of Lighthouse ended the benchmark."""
    monkeypatch.setattr(lighthouse, "report", no_report)
    paints = first_visit.paint_times(["lighthouse"], "http://127.0.0.1/")
    found = first_visit.table(Visit("page", data=50_000), Visit(""), [paints, [1.0]], "how")
    cells = {row.what: row.cells() for row in found.rows}
    assert cells["kB over the wire"][1] == "50.0"
    (paint,) = (row for what, row in cells.items() if "Paint" in what)
    assert paint[1:] == ("not measured", "1.00 s", "<= 1.3 s", "")


def test_lighthouse_goes_on_to_the_next_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail: the second error on one page ended the program."""

    def some_report(_command: list[str], address: str, *_more: str) -> lighthouse.Report:
        return no_report() if address == "bad" else REPORT

    monkeypatch.setattr(lighthouse, "tool", lambda: ["lighthouse"])
    monkeypatch.setattr(lighthouse, "report", some_report)
    monkeypatch.setattr(lighthouse, "pages", lambda _: {"one": lambda: "bad", "two": lambda: ""})
    site = SimpleNamespace(address="")
    monkeypatch.setattr(sites, "ours", lambda *_a, **_k: nullcontext(site))
    lighthouse.main()
    lines = [text.split() for text in capsys.readouterr().out.splitlines()[2:]]
    assert [(text[0], text[-1]) for text in lines] == [
        ("one", "measured"),
        ("one", "measured"),
        ("two", "contrast"),
        ("two", "contrast"),
    ]


REPORT: dict[str, Any] = {
    "categories": {
        name: {"score": 1, "auditRefs": [{"id": "contrast", "weight": 1}]}
        for name in lighthouse.PROMISED
    },
    "audits": {name: {"numericValue": 0} for name in lighthouse.TIMES} | {"contrast": {"score": 0}},
}

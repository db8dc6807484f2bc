"""Templates and style sheets stay readable; what is urgent or allowed is decided in Python."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from jinja2 import Environment, nodes

from webapp.domain.catalogue import Level, Urgency
from webapp.domain.invites import Role
from webapp.domain.protocol import Access

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
DRAWINGS = ROOT / "templates" / "figures"
SHEETS = sorted((ROOT / "static" / "css").rglob("*.css"))
LONGEST_LINE = 120
MOST_LINES = 250
DECIDED_IN_PYTHON = {*get_args(Level), *get_args(Urgency), *get_args(Access)} | {
    role.name.lower() for role in Role
}
COMPARISONS = ("equalto", "eq", "==", "in", "ne", "!=")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(template: Path | str) -> nodes.Template:
    text = template if isinstance(template, str) else template.read_text(encoding="utf-8")
    return Environment(trim_blocks=True, lstrip_blocks=True).parse(text)


def nested_conditions(template: nodes.Template) -> list[int]:
    """Lines with ``a if b else c if d else e``."""
    return [
        outer.lineno
        for outer in template.find_all(nodes.CondExpr)
        if any(outer is not inner for inner in outer.find_all(nodes.CondExpr))
    ]


def decisions(template: nodes.Template) -> list[str]:
    """Levels, urgencies, kinds of access and roles that something is compared with."""
    compared = [
        *template.find_all(nodes.Compare),
        *(test for test in template.find_all(nodes.Test) if test.name in COMPARISONS),
        *(
            f
            for f in template.find_all(nodes.Filter)
            if f.name in ("selectattr", "rejectattr", "select", "reject")
        ),
    ]
    constants = [const.value for node in compared for const in node.find_all(nodes.Const)]
    return sorted({value for value in constants if value in DECIDED_IN_PYTHON})


@pytest.mark.parametrize(
    "template", [t for t in TEMPLATES if DRAWINGS not in t.parents], ids=name_of
)
def test_no_line_of_a_template_is_too_long(template: Path) -> None:
    lines = template.read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if len(line) > LONGEST_LINE] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_template_has_no_nested_conditions_and_decides_nothing(template: Path) -> None:
    tree = parsed(template)
    assert nested_conditions(tree) == []
    assert decisions(tree) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=name_of)
def test_no_style_sheet_is_too_long(sheet: Path) -> None:
    assert len(sheet.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_what_is_refused_is_recognised() -> None:
    assert nested_conditions(parsed("\n{{ 1 if a else 2 if b else 3 }}")) == [2]
    assert nested_conditions(parsed("{{ 1 if a else 2 }}{{ 3 if b else 4 }}")) == []
    assert decisions(parsed('{% if flag.urgency == "emergency" %}{% endif %}')) == ["emergency"]
    assert decisions(parsed('{% if level in ("clear", "help") %}{% endif %}')) == ["clear", "help"]
    assert decisions(parsed('{{ flags | rejectattr("urgency", "eq", "urgent") }}')) == ["urgent"]
    assert decisions(parsed('{% if role is eq("owner") %}{% endif %}')) == ["owner"]
    assert decisions(parsed('<p class="help">{{ status == "stopped" }}</p>')) == []

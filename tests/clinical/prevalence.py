"""What share of adults each protocol clears, changes, sends to a clinician or refuses.

``python -m tests.clinical.prevalence`` prints the table, ``--write`` puts it into
``docs/hazards.md``. The rules are the real ones: each condition of ``prevalence.json`` (percent of
adults, answers to the questions, source) is screened alone, and the worst of what a person has
decides. How conditions meet in one person is not known, so both ends are given: independent of each
other, and all in the same people. Only what lasts counts, not the day: no fever, alcohol, meal or
sign of an emergency.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tests.support.builders import shipped
from webapp.domain.catalogue import LEVELS, Catalogue, Level, Question
from webapp.domain.glucose import Ketones, Reading
from webapp.domain.protocol import Model, Protocol
from webapp.domain.screening import Answers, questions_for, screen

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs" / "hazards.md"
BEGIN, END = "<!-- prevalence: begin -->", "<!-- prevalence: end -->"
GROUPS: dict[str, tuple[Level, ...]] = {
    "cleared": ("clear",),
    "with changes": ("changes",),
    "a clinician first": ("clinician",),
    "refused": ("not-today", "help"),
}


class Healthy(Model):
    """Choices whose first harmless answer does not fit, and what a meter showed if asked."""

    given: dict[str, str]
    reading: Reading
    ketones: Ketones


class Condition(Model):
    """What some people have; ``percent`` of adults, or of those with diabetes.

    ``among`` everybody leaves the protocols for diabetes out, whose people have it anyway.
    """

    id: str
    percent: Annotated[float, Field(gt=0, lt=100)]
    among: Literal["all", "everybody", "diabetes"] = "all"
    given: dict[str, str]
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    source: Annotated[str, Field(min_length=10)]


class Data(Model):
    healthy: Healthy
    conditions: tuple[Condition, ...]


@cache
def data() -> Data:
    return Data.model_validate_json((HERE / "prevalence.json").read_text(encoding="utf-8"))


def unknown_answers(catalogue: Catalogue, found: Data) -> list[str]:
    """Questions and answers of the data that the catalogue does not know, in words."""
    wrong = []
    for name, given in (
        ("healthy", found.healthy.given),
        *((c.id, c.given) for c in found.conditions),
    ):
        for question, token in given.items():
            asked = catalogue.questions.get(question)
            if asked is None:
                wrong.append(f"{name}: there is no question {question}")
            elif asked.options and token not in [option.id for option in asked.options]:
                wrong.append(f"{name}: {question} has no answer {token}")
    return wrong


def plain_answer(question: Question, healthy: Healthy) -> str:
    if question.id in healthy.given:
        return healthy.given[question.id]
    if question.kind == "choice":
        return next((o.id for o in question.options if not o.outcomes), question.options[0].id)
    return "yes" if question.kind == "promise" else "no"


def level_of(
    catalogue: Catalogue, protocol: Protocol, healthy: Healthy, condition: Condition | None
) -> Level:
    """The verdict on somebody with this condition alone, or with none.

    Raises ValueError when a question stays open: then the data do not fit the rules.
    """
    asked = questions_for(catalogue, protocol)
    given = {question.id: plain_answer(question, healthy) for question in asked}
    places: dict[str, tuple[str, ...]] = {}
    if condition:
        given |= {name: token for name, token in condition.given.items() if name in given}
        places = {name: where for name, where in condition.places.items() if name in given}
    answers = Answers(given=given, places=places, reading=healthy.reading, ketones=healthy.ketones)
    verdict = screen(catalogue, protocol, answers)
    if verdict.missing:
        who = condition.id if condition else "healthy"
        raise ValueError(f"{protocol.id}, {who}: no answer to {', '.join(verdict.missing)}")
    return verdict.level


Shares = dict[str, float]


def shares(levels: list[tuple[Level, float]], least: Level) -> tuple[Shares, Shares]:
    """Share of people in each group: conditions independent, and all in the same people.

    ``levels`` are verdicts with the share of people (0 to 1), ``least`` is everybody's verdict.
    """

    def up_to(worst: Level) -> tuple[float, float]:
        """Share with no worse verdict than this one."""
        bar = LEVELS.index(worst)
        worse = [share for level, share in levels if LEVELS.index(level) > bar]
        if LEVELS.index(least) > bar:
            return 0.0, 0.0
        alone = 1.0
        for share in worse:
            alone *= 1 - share
        return alone, 1 - max(worse, default=0.0)

    found: tuple[Shares, Shares] = ({}, {})
    below = (0.0, 0.0)
    for name, group in GROUPS.items():
        here = up_to(group[-1])
        for part, now, before in zip(found, here, below, strict=True):
            part[name] = now - before
        below = here
    return found


def shares_of(catalogue: Catalogue, protocol: Protocol) -> tuple[Shares, Shares]:
    """The shares of one protocol, by the conditions that concern its people."""
    diabetes = protocol.condition == "diabetes-mellitus"
    left_out = "everybody" if diabetes else "diabetes"
    found = data()
    levels = [
        (level_of(catalogue, protocol, found.healthy, one), one.percent / 100)
        for one in found.conditions
        if one.among != left_out
    ]
    return shares(levels, level_of(catalogue, protocol, found.healthy, None))


def percent(one: float, other: float) -> str:
    low, high = sorted((round(one * 100), round(other * 100)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def table() -> str:
    """The table with its conditions, as Markdown. Raises ValueError where the data do not fit."""
    library = shipped()
    if wrong := unknown_answers(library.catalogue, data()):
        raise ValueError("; ".join(wrong))
    lines = [f"| protocol | {' | '.join(GROUPS)} |", f"|---|{'---|' * len(GROUPS)}"]
    for name, entry in sorted(library.entries.items()):
        if entry.protocol.session is not None and entry.protocol.phases:
            alone, together = shares_of(library.catalogue, entry.protocol)
            cells = (percent(alone[group], together[group]) for group in GROUPS)
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
    lines += ["", "| condition | percent | source |", "|---|---|---|"]
    among = {"all": "", "everybody": "", "diabetes": " of people with diabetes"}
    lines += [
        f"| {one.id} | {one.percent:g}{among[one.among]} | {one.source} |"
        for one in data().conditions
    ]
    return "\n".join(lines)


def in_docs(text: str) -> str:
    """What stands between the markers of a document."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def with_table(text: str, found: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{found}\n\n{END}{rest.partition(END)[2]}"


def main(arguments: list[str]) -> int:
    found = table()
    if "--write" in arguments:
        text = DOCS.read_text(encoding="utf-8")
        DOCS.write_text(with_table(text, found), encoding="utf-8")
    else:
        print(found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

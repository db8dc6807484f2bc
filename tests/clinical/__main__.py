"""Run a file of made-up people: ``python -m tests.clinical [FILE]``.

Prints verdict against expectation, a line a person. ``--questions`` prints every question with its
texts and answers, so that somebody else can write such a file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.clinical.people import CASES, cases, clinic, faults
from tests.support.builders import SHIPPED, shipped, shipped_protocol
from webapp.domain.screening import questions_for
from webapp.routes.screening_form import places_of
from webapp.routes.screenings import tokens_of


def question_lines() -> Iterator[str]:
    catalogue = shipped().catalogue
    asked = {
        name: {q.id for q in questions_for(catalogue, shipped_protocol(name))} for name in SHIPPED
    }
    for question in catalogue.questions.values():
        names = [name for name in SHIPPED if question.id in asked[name]]
        where = "every protocol" if len(names) == len(SHIPPED) else ", ".join(names)
        yield f"{question.id} ({question.kind}): {question.text}"
        yield from (f"    - {sign}" for sign in question.signs)
        yield from (f"    {token}: {text}" for token, text in tokens_of(question))
        for way in question.follows:
            yield f"    asked after {way.question} = {' or '.join(way.answers)}"
        yield f"    asked in: {where}"
    yield "places by protocol, for questions of the kind place:"
    for name in SHIPPED:
        yield f"    {name}: {', '.join(places_of(shipped_protocol(name)))}"
    yield "reading: shown number, lo, hi or none; value, unit mmol/L or mg/dL; before (ten minutes"
    yield "    earlier); trend steady, falling, falling-fast or unknown"
    yield (
        "ketones: a number in mmol/L, negative, trace, + or ++ for a strip, null when not measured"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clinical", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=CASES)
    parser.add_argument("--questions", action="store_true", help="print questions and answers")
    wanted = parser.parse_args()
    if wanted.questions:
        print("\n".join(question_lines()))
        return 0
    wrong = 0
    with clinic() as place:
        for case in cases(wanted.file):
            result = place.see(case)
            found = faults(case, result)
            wrong += bool(found)
            expect = case["expect"]
            urgency = f" {expect['urgency']}" if expect.get("urgency") else ""
            print(
                f"{'WRONG' if found else 'ok   '} {case['id']}: {result.told()} "
                f"(expected {expect['at_least']} to {expect['at_most']}{urgency})"
            )
            for line in (*found, *(f"unknown question {name}" for name in result.unknown)):
                print(f"        {line}")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

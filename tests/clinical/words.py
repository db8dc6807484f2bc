"""Measures every question: ``python -m tests.clinical.words`` lists the too long or too hard.

At most 14 words and three alternatives; a sign on a line of its own has at most eight words.
Reading ease by Flesch (A new readability yardstick, J Appl Psychol 1948;32:221-233), at least 70:
"fairly easy". Syllables are counted as in ``tests/test_wording.py``; of fewer than six words the
formula says nothing, so there only long words count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tests.support.builders import shipped
from tests.test_wording import FEWEST, reading_ease, syllables, words
from webapp.domain.catalogue import Catalogue, Question

MOST_WORDS = 14
MOST_ALTERNATIVES = 3
MOST_SIGN_WORDS = 8
LEAST_EASE = 70
MOST_SYLLABLES = 3  # of a word where the formula says nothing
BETWEEN = re.compile(r",\s*(?:(?:or|and)\s+)?|\s+or\s+|;\s*", re.IGNORECASE)
# Cards that list single words, by their ids, with how many they may list.
CARDS = {"new-since": 5}


def alternatives(text: str) -> int:
    """How many things a text lists: parts between commas, semicolons and "or"."""
    return len([part for part in BETWEEN.split(text) if re.search(r"\w", part)])


def signs_of(question: Question) -> tuple[str, ...]:
    """The signs that stand on lines of their own below the text, where a question has some."""
    found: Iterable[str] = getattr(question, "signs", ())
    return tuple(found)


def faults_of_question(question: Question) -> Iterator[str]:
    """What is wrong with the words of a question, with the measured value."""
    if (count := len(words(question.text))) > MOST_WORDS:
        yield f"{count} words, at most {MOST_WORDS}"
    most = CARDS.get(question.id, MOST_ALTERNATIVES)
    if (count := alternatives(question.text)) > most:
        yield f"{count} alternatives, at most {most}"
    for line in signs_of(question):
        if (count := len(words(line))) > MOST_SIGN_WORDS:
            yield f"{count} words in the sign {line!r}, at most {MOST_SIGN_WORDS}"
    yield from hard(". ".join((question.text, *signs_of(question))))


def hard(text: str) -> Iterator[str]:
    """Why a text is hard to read; nothing when it is not."""
    if len(words(text)) < FEWEST:
        yield from (
            f"the word {word!r} has {syllables(word)} syllables, at most {MOST_SYLLABLES}"
            for word in words(text)
            if syllables(word) > MOST_SYLLABLES
        )
    elif (ease := reading_ease(text)) < LEAST_EASE:
        yield f"reading ease {ease:.0f}, at least {LEAST_EASE}"


def faults(catalogue: Catalogue) -> dict[str, list[str]]:
    """What is wrong with the words of all questions, by id; those that are fine are left out."""
    found = {q.id: [*faults_of_question(q)] for q in catalogue.questions.values()}
    return {name: wrong for name, wrong in found.items() if wrong}


def main() -> int:
    catalogue = shipped().catalogue
    found = faults(catalogue)
    for name, wrong in found.items():
        print(f"{name}: {'; '.join(wrong)}\n    {catalogue.questions[name].text}")
    print(f"{len(found)} of {len(catalogue.questions)} questions")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())

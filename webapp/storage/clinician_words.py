"""Database queries of the clinicians' words that are kept for clients."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from webapp.domain.clinician_word import KeptWord
from webapp.storage.sessions import Storage
from webapp.storage.tables import clinician_words


def words_of_client(storage: Storage, client: str) -> list[KeptWord]:
    """Return the kept words of a client, the latest first. One query."""
    mine = sa.select(clinician_words).where(clinician_words.c.client == client)
    query = mine.order_by(clinician_words.c.told_at.desc(), clinician_words.c.question)
    with storage.engine.connect() as connection:
        return [word_of_row(row) for row in connection.execute(query)]


def keep_words(storage: Storage, client: str, told: Sequence[KeptWord]) -> None:
    """Keep these words, each in the place of an earlier one. Raises NotSavedError."""

    def work(connection: sa.Connection) -> None:
        for statement in statements_to_keep(client, told):
            connection.execute(statement)

    storage.carry_out(work)


def drop_words(storage: Storage, client: str, questions: Collection[str]) -> None:
    """End the words for these questions. Raises NotSavedError."""
    change = sa.delete(clinician_words).where(
        clinician_words.c.client == client, clinician_words.c.question.in_(questions)
    )
    storage.carry_out(lambda connection: connection.execute(change))


def statements_to_keep(client: str, told: Sequence[KeptWord]) -> list[sa.Executable]:
    """Return the statements that keep these words of a client."""
    if not told:
        return []
    questions = [word.question for word in told]
    same = clinician_words.c.client == client, clinician_words.c.question.in_(questions)
    rows = [row_of_word(client, word) for word in told]
    return [sa.delete(clinician_words).where(*same), sa.insert(clinician_words).values(rows)]


def row_of_word(client: str, word: KeptWord) -> dict[str, object]:
    """Return a kept word as a row of its table."""
    return {
        "id": secrets.token_urlsafe(12),
        "client": client,
        "question": word.question,
        "answer": word.answer,
        "who": word.who,
        "said_on": word.on,
        "told_at": word.told_at,
        "days": word.days,
    }


def word_of_row(row: sa.Row[Any]) -> KeptWord:
    """Return the kept word of a row."""
    return KeptWord(
        question=row.question,
        answer=row.answer,
        who=row.who,
        on=row.said_on,
        told_at=row.told_at,
        days=row.days,
    )

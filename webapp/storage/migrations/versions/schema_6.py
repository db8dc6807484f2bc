"""Schema 6: a clinician's word for an answer of a client."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "clinician_words",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "client",
            sa.String(32),
            sa.ForeignKey("clients.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("question", sa.String(60), nullable=False),
        sa.Column("answer", sa.String(60), nullable=False),
        sa.Column("who", sa.String(16), nullable=False),
        sa.Column("said_on", sa.String(10), nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.UniqueConstraint("client", "question"),
    )

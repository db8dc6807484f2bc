"""Schema 3: clients, courses, feedback, and unobserved time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


WHOSE = (
    "ALTER TABLE sessions ADD COLUMN client VARCHAR(32) REFERENCES clients (id) ON DELETE CASCADE",
    "ALTER TABLE sessions ADD COLUMN course VARCHAR(32) REFERENCES courses (id) ON DELETE CASCADE",
    "ALTER TABLE sessions ADD COLUMN early VARCHAR(16)",
    "ALTER TABLE sessions ADD COLUMN begun_at BIGINT",
)
BEGUN = (
    "UPDATE sessions SET begun_at = "
    "(SELECT at FROM events WHERE session = sessions.id AND kind = 'start')"
)


def upgrade() -> None:
    courses()
    watch()


def courses() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("code", sa.String(8), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    client = sa.ForeignKey("clients.id", ondelete="CASCADE")
    op.create_table(
        "courses",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("client", sa.String(32), client, nullable=False, index=True),
        sa.Column("protocol", sa.String(60), nullable=False),
        sa.Column("title", sa.String(60), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("target", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("aside", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("helped", sa.String(8)),
    )
    session = sa.ForeignKey("sessions.id", ondelete="CASCADE")
    op.create_table(
        "summaries",
        sa.Column("session", sa.String(32), session, primary_key=True),
        sa.Column("before", sa.Integer),
        sa.Column("after", sa.Integer),
        sa.Column("skin", sa.String(8)),
        sa.Column("note", sa.Text),
    )
    for statement in (*WHOSE, BEGUN):
        op.execute(statement)
    op.create_index("ix_sessions_begun", "sessions", ["begun_at", "id"])
    op.create_index("ix_sessions_client_begun", "sessions", ["client", "begun_at"])
    op.create_index("ix_sessions_course_begun", "sessions", ["course", "begun_at"])


def watch() -> None:
    op.create_table(
        "gaps",
        sa.Column("session", sa.String(32), sa.ForeignKey("sessions.id"), primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True),
        sa.Column("until", sa.BigInteger),
    )
    op.create_table(
        "sights",
        sa.Column("session", sa.String(32), sa.ForeignKey("sessions.id"), primary_key=True),
        sa.Column("process", sa.String(16), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "screens",
        sa.Column("session", sa.String(32), sa.ForeignKey("sessions.id"), primary_key=True),
        sa.Column("screen", sa.String(32), primary_key=True),
        sa.Column("apart", sa.Integer, nullable=False),
        sa.Column("alone", sa.Integer, nullable=False),
    )

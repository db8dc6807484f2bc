"""The tables of clients and courses, and what people said about their sessions.

``storage.py`` has the tables of the session itself. Erasing a client erases its courses; sessions
carry their client and course, their events and readings hang on them.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

clients = sa.Table(
    "clients",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("code", sa.String(8), nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

courses = sa.Table(
    "courses",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column(
        "client", sa.ForeignKey("clients.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("protocol", sa.String(60), nullable=False),
    sa.Column("title", sa.String(60), nullable=False),
    sa.Column("terms", sa.Text, nullable=False),
    sa.Column("target", sa.Integer),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("aside", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("helped", sa.String(8)),
)

# Goes with its session.
summaries = sa.Table(
    "summaries",
    metadata,
    sa.Column("session", sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("before", sa.Integer),
    sa.Column("after", sa.Integer),
    sa.Column("skin", sa.String(8)),
    sa.Column("note", sa.Text),
)

"""Tables of clients, courses, feedback, devices, invites and jobs.

The tables of sessions stand in ``sessions.py``. Deleting a client deletes its courses and sessions,
with all rows that depend on them.
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

# A clinician's word for an answer of a client; ``said_on`` is an ISO day.
clinician_words = sa.Table(
    "clinician_words",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("client", sa.ForeignKey("clients.id", ondelete="CASCADE"), nullable=False),
    sa.Column("question", sa.String(60), nullable=False),
    sa.Column("answer", sa.String(60), nullable=False),
    sa.Column("who", sa.String(16), nullable=False),
    sa.Column("said_on", sa.String(10), nullable=False),
    sa.Column("told_at", sa.BigInteger, nullable=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.UniqueConstraint("client", "question"),
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

# Who may come in. Made labels ("Tablet 2"), no names; tokens and codes as hashes. Never exported.
devices = sa.Table(
    "devices",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("joined_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger, index=True),
    sa.UniqueConstraint("kind", "number"),
)

invites = sa.Table(
    "invites",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("code_hash", sa.String(64), nullable=False, index=True),
    sa.Column("role", sa.Integer, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False, server_default="0"),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("device", sa.String(32)),
)

# What takes long, as every process shows it; of this site alone, so no export has it.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("begun_at", sa.BigInteger, nullable=False),
    sa.Column("told_at", sa.BigInteger, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("stage", sa.String(60), nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("outcome", sa.String(8)),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

# Of this very site: an export leaves them out, a restore leaves them as they are.
LOCAL_TABLES = frozenset({"devices", "invites", "jobs"})

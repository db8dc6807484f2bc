"""Rows in, frozen domain objects out: SQLAlchemy Core on SQLite or PostgreSQL."""

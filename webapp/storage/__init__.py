"""Storage: SQLAlchemy Core on SQLite or PostgreSQL; rows in, frozen domain objects out."""

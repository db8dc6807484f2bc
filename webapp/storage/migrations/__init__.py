"""Alembic migrations, one a schema; ``webapp/storage/upgrade.py`` runs them."""

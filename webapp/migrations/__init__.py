"""Alembic migrations, one a schema; ``webapp/upgrade.py`` runs them."""

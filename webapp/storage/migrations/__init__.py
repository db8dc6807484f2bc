"""Alembic migrations, one for each schema; ``webapp/storage/upgrade.py`` runs them."""

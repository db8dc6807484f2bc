"""Alembic environment: runs migrations in the transaction of the connection that it is given.

On SQLite that transaction was begun by ``BEGIN IMMEDIATE`` on a driver that begins none by itself
(``database.py``): otherwise each statement would stand alone, and a kill would leave half of them.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

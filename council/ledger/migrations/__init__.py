"""Alembic migrations of the record store, shipped with the package; `council.ledger.migrating` runs them."""

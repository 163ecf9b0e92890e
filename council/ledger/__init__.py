"""The record store: append-only, hash-chained, on SQLite and PostgreSQL."""

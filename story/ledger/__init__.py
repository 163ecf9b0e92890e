"""The story ledger: tales and chapters, kept for ever, in memory, SQLite and PostgreSQL."""

"""What callers read of a realm: plain documents, made from states, events and ledger rows. Pure; percents appear here only."""

"""The force taxonomy of document 004 as pure functions: what presses on a player between the named encounters."""

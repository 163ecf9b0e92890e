"""Models behind the members: clients, limits, retries and recordings. The only rooms of `agents` that do I/O."""

"""Where the world is kept: one port, and the databases behind it."""

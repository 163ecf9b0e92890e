"""One player's story between two chapters: arc, threads, promises, cast, and what was established."""

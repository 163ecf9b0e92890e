"""What the world does, over its store: taking acts in, ticking, asking the council, applying its verdicts."""

"""The loop of a chapter: hear the world, plan, write, close, and tell the world what the hero did."""

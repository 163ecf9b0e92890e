"""The bus: what happened in the world, delivered to whoever subscribes, at least once and in order."""

"""The planner: a validated outline of beats for one chapter, the same for the same inputs and seed (domain.md C11)."""

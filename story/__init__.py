"""What the story planner receives of a decision."""

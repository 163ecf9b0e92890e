"""Players' acts as influence: what they are worth, and what is odd about them. Pure."""

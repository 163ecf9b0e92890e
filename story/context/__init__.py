"""What of the world reaches one player's story, and why the rest does not (register rows S0-70 to S0-76, domain.md C10)."""

"""A day in a realm, played by simulated people: who they are, what they do, and the tale of it."""

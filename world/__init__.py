"""The realm in integers, and the port through which a world asks the council."""

"""The living realm: its state, and how a tick moves it. Pure."""

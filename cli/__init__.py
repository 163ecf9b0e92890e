"""The command line, `council`."""

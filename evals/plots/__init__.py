"""Plots as SVG text: small enough for a phone, readable without colour, the same bytes for the same numbers."""

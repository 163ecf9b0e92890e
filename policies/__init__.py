"""Contracts, exact numbers, rules and policies: what every other package speaks."""

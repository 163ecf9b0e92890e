"""Evaluation of policies over recorded decisions."""

"""The wire contracts: request, answer, effects and modifications."""

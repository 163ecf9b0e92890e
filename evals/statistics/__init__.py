"""Statistics of votes, verdicts and runs: pure functions over plain sequences. Where there is no value it is None, never 0."""

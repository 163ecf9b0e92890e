"""The catalogue of signals and thresholds, one file per owner."""

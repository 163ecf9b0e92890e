"""The decision: triage, assessment, merge, graph, record, replay."""

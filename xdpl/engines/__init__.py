"""Engines: how the step of a model becomes a run over time."""

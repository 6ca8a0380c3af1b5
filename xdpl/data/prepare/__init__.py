"""Preparation of the sample datasets from their upstream files, one module each."""

__all__: list[str] = []

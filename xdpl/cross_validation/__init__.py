"""Protocols run: what was asked, whether it can run, the fits one by one, and their scores together."""

"""Optimisers that are asked for points and told values, for all sites at once."""

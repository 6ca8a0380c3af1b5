"""Order in maps of parameters."""

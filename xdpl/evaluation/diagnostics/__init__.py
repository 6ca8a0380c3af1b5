"""Can learned parameters be trusted? What data tell of them, and whether gradients are right."""

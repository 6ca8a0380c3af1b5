"""Training: samples, losses, the optimiser loop and its checkpoints."""

"""From the step of a model to graphs of elementwise operations: the step itself, and its adjoint."""

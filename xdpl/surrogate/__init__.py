"""Surrogates: networks that imitate a model, so that it has gradients, and whether they can be trusted."""

from xdpl.surrogate.audit import audit
from xdpl.surrogate.design import design
from xdpl.surrogate.emulate import emulate
from xdpl.surrogate.loop import Loop
from xdpl.surrogate.stopped import AuditError
from xdpl.surrogate.surrogate import Surrogate

__all__ = ["AuditError", "Loop", "Surrogate", "audit", "design", "emulate"]

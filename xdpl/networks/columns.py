"""Which column of a network's output is which parameter of which member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdpl.models import Model, Parameter
from xdpl.models.ordering import Ordering

__all__ = ["Columns"]


@dataclass(frozen=True)
class Columns:
    """The columns of a network's output.

    Parameters
    ----------
    parameters : tuple of Parameter
    members : int
        Parameter sets of each site.
    shared : frozenset of str
        Parameters of which all members have the same.
    dynamic : tuple of str
        Parameters that vary in time.
    ordering : Ordering
        What keeps an order at every site; the parameters of a chain are all dynamic or all static,
        all shared or none.
    """

    parameters: tuple[Parameter, ...]
    members: int = 1
    shared: frozenset[str] = frozenset()
    dynamic: tuple[str, ...] = ()
    ordering: Ordering = field(default_factory=Ordering)

    @classmethod
    def of(
        cls, model: Model, members: int = 1, dynamic: Sequence[str] = (), ordering: Ordering | None = None
    ) -> Columns:
        """The columns for a model; what comes after its step is shared by the members."""
        shared = {p.name for p in model.parameters} - {p.name for p in model.step_parameters}
        ordering = Ordering() if ordering is None else ordering
        return cls(tuple(model.parameters), members, frozenset(shared), tuple(dynamic), ordering)

    def count(self, p: Parameter) -> int:
        """Columns of a parameter."""
        return 1 if p.name in self.shared else self.members

    @property
    def names(self) -> tuple[str, ...]:
        """The parameter of each column."""
        return tuple(p.name for p in self.parameters for _ in range(self.count(p)))

    @property
    def moving(self) -> tuple[int, ...]:
        """Columns that vary in time."""
        return tuple(i for i, name in enumerate(self.names) if name in self.dynamic)

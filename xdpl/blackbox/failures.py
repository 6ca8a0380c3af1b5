"""How runs that failed are told of."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Failures"]

# Different messages that are listed.
_MOST = 10


@dataclass
class Failures:
    """Messages of the runs of a call that failed.

    Parameters
    ----------
    messages : list of str
    runs : int
        How many there were in all.
    """

    messages: list[str] = field(default_factory=list)
    runs: int = 0

    def attrs(self) -> dict[str, Any]:
        """Their number, and how often there was which message; plain values."""
        common = Counter(self.messages).most_common(_MOST)
        return {"failed_runs": len(self.messages), "failed_messages": json.dumps(dict(common))}

    def warn(self, call: str, what: str, *, stacklevel: int) -> None:
        """Warn if there are any; `what` became of them."""
        if self.messages:
            text = f"{call}: {len(self.messages)} of {self.runs} runs failed and are {what}; the first: "
            warnings.warn(text + self.messages[0], stacklevel=stacklevel + 1)

"""What a refused connection check means, and what goes wrong in the first hour.

Data: ``connection_remedies.json`` (of which step a code speaks, what it proves of the
others, what to do) and ``first_hour.json``, each in both languages. Which code speaks of
which step is our reading of https://cloud.tencent.com/document/product/269/1671.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .codes import HERE


@dataclass(frozen=True, slots=True)
class Refusal:
    """``step`` is the one that failed, ``proves`` are those that the code vouches for."""

    step: str
    proves: Sequence[str]
    remedy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hint:
    """One known failure by language: its name, how it shows, what to do."""

    name: Mapping[str, str]
    seen: Mapping[str, str]
    remedy: Mapping[str, str]


_ROWS = json.loads((HERE / "connection_remedies.json").read_text("utf-8"))
_REFUSALS = {
    code: Refusal(row["step"], row["proves"], row["remedy"])
    for row in _ROWS
    for code in row["codes"] or [None]
}
FIRST_HOUR = [
    Hint(**row) for row in json.loads((HERE / "first_hour.json").read_text("utf-8"))
]


def about(code: int) -> Refusal:
    """Of a code that is on no list, that it has to be looked up."""
    return _REFUSALS.get(code) or _REFUSALS[None]

"""What each file of this folder states about its call, and how answers are read.

``ImClient.call`` posts a call, the page of a delivery shows its payload, the sandbox
reads its path, and those that make it keep its limits.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from notifications.tencent.responses import Fields, storable

T = TypeVar("T")


class OtherShape(ValueError):
    """The message names the field of the answer that is not as documented."""


class Call(ABC, Generic[T]):
    """One call; an accepted answer is parsed into ``T``.

    A subclass is a dataclass of the arguments. To make it: ``ImClient.call``.
    """

    SERVICE: ClassVar[str] = "group_open_http_svc"

    COMMAND: ClassVar[str]

    # For the whole application, where the page of the call names no other number. Of
    # sends and details the operator sets it: IM_CALLS_PER_SECOND.
    CALLS_PER_SECOND: ClassVar[int] = 200

    # Bytes of the answer. Tencent's own limit is 1 MB.
    MAX_ANSWER: ClassVar[int] = 2 * 1024 * 1024

    @classmethod
    def path(cls) -> str:
        return f"/v4/{cls.SERVICE}/{cls.COMMAND}"

    @abstractmethod
    def check(self) -> None:
        """Raise ``ValueError`` for a call that Tencent refuses or misunderstands."""

    @abstractmethod
    def payload(self) -> dict[str, object]:
        """The body of the request, as documented."""

    @abstractmethod
    def parse(self, fields: Fields) -> T:
        """The values of an accepted answer. Raises ``OtherShape``."""


def check_count(values: Sequence[str], most: int) -> None:
    if not 1 <= len(values) <= most:
        raise ValueError(f"{len(values)} values; a call takes 1 to {most}.")


def rows_in(fields: Fields, name: str) -> list[dict[str, Any]]:
    """The list of objects in a field. Raises ``OtherShape``."""
    rows = fields.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OtherShape(name)
    return rows


def id_in(row: Fields, name: str) -> str:
    """The ID in a field. Raises ``OtherShape``."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise OtherShape(name)
    return storable(value)

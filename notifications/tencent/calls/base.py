"""The base class of the calls, and helpers that parse responses.

``ImClient.call`` posts a call, the delivery page shows its payload, the sandbox uses
its path, and the callers keep its limits.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from notifications.tencent.responses import Fields, storable

T = TypeVar("T")

# Tencent's numbers of messages, and times in Unix seconds.
UINT32 = range(2**32)


class OtherShape(ValueError):
    """A field of the response is not as documented; the message names the field."""


class RecipientsNotAllowed(ValueError):
    """The call names members of a group type that takes messages to all members only."""


class Call(ABC, Generic[T]):
    """One call; ``parse`` returns the data of an accepted response as ``T``.

    A subclass is a dataclass of the arguments. ``ImClient.call`` makes the call.
    """

    SERVICE: ClassVar[str] = "group_open_http_svc"

    COMMAND: ClassVar[str]

    # The limit of the whole application; Tencent's page of a call may name another
    # one. The setting IM_CALLS_PER_SECOND replaces it for sends and details.
    CALLS_PER_SECOND: ClassVar[int] = 200

    # Bytes of the response. Tencent's own limit is 1 MB.
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
        """The data of an accepted response. Raises ``OtherShape``."""


def check_count(values: Sequence[object], maximum: int) -> None:
    if not 1 <= len(values) <= maximum:
        raise ValueError(f"{len(values)} values; a call takes 1 to {maximum}.")


def rows_in(fields: Fields, name: str) -> list[dict[str, Any]]:
    """The list of objects in a field. Raises ``OtherShape``."""
    rows = fields.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OtherShape(name)
    return rows


def integer_in(row: Fields, name: str, values: range) -> int:
    """The integer in a field. Raises ``OtherShape``."""
    value = row.get(name)
    if type(value) is not int or value not in values:
        raise OtherShape(name)
    return value


def id_in(row: Fields, name: str) -> str:
    """The ID in a field. Raises ``OtherShape``."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise OtherShape(name)
    return storable(value)

"""What a channel is: everything that differs between the ways to reach a group.

The engine, the pages and the commands use these classes. Outside of this folder, no
code compares the word of a channel.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, ClassVar

from django.utils.functional import Promise

from notifications.models import Channel as ChannelWord
from notifications.models import Delivery, DeliveryQuery, Notification
from notifications.tencent.calls.base import Call
from notifications.tencent.calls.group_msg_get_simple import HistoryMessage
from notifications.tencent.message_options import MessageOptions
from notifications.tencent.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Message:
    """What a notification says, the same for all of its groups."""

    # ``repr=False`` keeps what members see out of logs that contain a claim.
    content: str = field(repr=False)
    options: MessageOptions

    @classmethod
    def of(cls, notification: Notification) -> "Message":
        return cls(notification.content, notification.options)


@dataclass(frozen=True, slots=True)
class Target:
    """The group of one delivery. ``recipients`` is ``None`` for all members."""

    group_id: str
    group_type: str
    recipients: Sequence[str] | None = field(repr=False)
    random: int | None = None
    msg_seq: int | None = None  # of the message that a recall or a correction changes

    @classmethod
    def of(cls, delivery: Delivery) -> "Target":
        return cls(
            delivery.group_id,
            delivery.group_type,
            delivery.recipient_ids,
            delivery.random,
            delivery.msg_seq,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a call, and what Tencent says about the message.

    ``needs_query``: the refusal shows that the message is not as it was; only the history
    shows how it is.
    """

    outcome: Outcome
    msg_seq: int | None = None
    msg_time: int | None = None  # Unix seconds
    drop_reason: str = ""
    needs_query: bool = False


class State(Enum):
    """What the history has of a message that was to be changed."""

    CHANGED = auto()
    CHANGED_BEFORE = auto()  # by another person or program: this call was refused
    AS_BEFORE = auto()
    TAKEN_BACK = auto()  # so its text cannot be changed
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a message whose result is not known.

    ``former_texts``: those that the message may have had before. ``error_code``: that
    with which Tencent refused the call.
    """

    text: str = field(repr=False)
    former_texts: Sequence[str] = field(repr=False)
    error_code: int | None


class Channel(ABC):
    """One way to reach a group; the instances are in ``CHANNELS``."""

    word: ClassVar[ChannelWord]
    # The call that sends: its command names the row of its pace.
    sending_call: ClassVar[type[Call[Any]]]
    # One line about members who are offline.
    description: ClassVar[Promise]
    # What it means for members that Tencent accepted a call.
    accepted: ClassVar[Promise]
    # What members see above the text.
    shown_as: ClassVar[Promise]
    # Feature → types of groups that refuse it. The features are "message" (the whole
    # call), "recipients", and the names of the options.
    refused_by_type: ClassVar[Mapping[str, frozenset[str]]]
    # Names of the capabilities without which the application can neither send nor name
    # members (delivery/capabilities); empty: it needs none.
    capability: ClassVar[str]
    members_capability: ClassVar[str] = ""
    max_recipients: ClassVar[int]  # of one notification
    max_content_bytes: ClassVar[int]
    has_options: ClassVar[bool] = False
    # Each delivery has a number of its own, by which Tencent drops repeats.
    draws_random: ClassVar[bool] = False
    # An ErrorCode after which members may have seen the message leaves the delivery
    # unconfirmed. Otherwise it fails with the code; 10002 may be retried.
    settles_uncertain_codes: ClassVar[bool] = False
    # It changes the messages of another notification, and is not written on Write.
    is_amendment: ClassVar[bool] = False
    # “Stop all sending” stops it as well.
    obeys_switch: ClassVar[bool] = True

    @property
    def command(self) -> str:
        """The name of the call that sends, as in ``error_codes.info``."""
        return self.sending_call.COMMAND

    def refuses(self, group_type: str, feature: str = "message") -> bool:
        return group_type in self.refused_by_type.get(feature, ())

    def used_features(self, options: MessageOptions) -> list[str]:
        """The keys of ``refused_by_type`` that a message to all members uses."""
        return [
            feature
            for feature in self.refused_by_type
            if feature == "message" or getattr(options, feature, False)
        ]

    def why_not_amendable(self, options: MessageOptions) -> Promise | str:
        """Why what was sent can be neither taken back nor corrected; empty if it can."""
        return ""

    def reaches_offline(self, options: MessageOptions) -> bool:
        """Whether members who are offline see the message later."""
        return False

    @abstractmethod
    def recipients_per_call(self) -> int:
        """How many named members one call takes."""

    @abstractmethod
    def call(self, message: Message, target: Target) -> Call[Any]:
        """The call for one delivery, equal in each of its attempts."""

    @abstractmethod
    def classify(self, outcome: Outcome, data: object) -> Result:
        """The result of a call; ``data`` is what the call has parsed."""

    @abstractmethod
    def query_kind(self, message: Message, target: Target) -> DeliveryQuery.Kind | None:
        """How Tencent is queried about an unconfirmed delivery; ``None`` if not at all."""

    @abstractmethod
    def first_query_at(
        self, message: Message, target: Target, *, ended_at: datetime
    ) -> datetime | None:
        """When Tencent is queried about a delivery that ended unconfirmed.

        ``None`` if it cannot be queried about this one.
        """

    def state(self, change: Change, message: HistoryMessage) -> State:
        """What became of a change; ``message`` is in its place in the history."""
        return State.OTHER

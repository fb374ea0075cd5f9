"""Asks Tencent whether the named members are in the chosen groups.

Only on request, since the chat service may respond slowly or not at all. Tencent does
not document what it does with named IDs that are not members.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications import conf, permissions
from notifications.compose.recipients import clean_recipients
from notifications.delivery.requests import FAILED, ask, wait_for_answer
from notifications.models import ChatGroup, WorkerRequest
from notifications.permissions import require
from notifications.rate_limit.clock import engine_clock
from notifications.rate_limit.limiter import RateLimiter
from notifications.rate_limit.slots import wait_for_slot
from notifications.tencent import error_codes
from notifications.tencent.calls.get_specified_group_member_info import (
    GetSpecifiedGroupMemberInfo,
)
from notifications.tencent.client import ImClient
from notifications.tencent.ids import is_group_id
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from notifications.tencent.responses import Response

MAX_GROUPS = 20

# In seconds, since a person waits: no call starts later than this after the first, and
# each has a limit to connect and one to respond. Ten seconds in total.
MAX_START_DELAY = 5.0

CONNECT_TIMEOUT = 2.0

READ_TIMEOUT = 3.0

# How long the page waits for the worker.
ANSWER_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class UncheckedGroup:
    """A group whose members are not known.

    ``outcome`` of the call; ``None`` if there was no call, because of the group.
    """

    group: ChatGroup
    outcome: Outcome | None = None


@dataclass(slots=True)
class MemberCheckResult:
    """``complete`` groups have all members; ``missing`` pairs a group with the IDs that
    are not in it.

    ``failure`` is an outcome that ended the check, since it does not concern a single
    group. ``not_asked`` groups remained then, or when the time was up.
    """

    members: int
    complete: list[ChatGroup] = field(default_factory=list)
    missing: list[tuple[ChatGroup, list[str]]] = field(default_factory=list)
    unchecked: list[UncheckedGroup] = field(default_factory=list)
    not_asked: list[ChatGroup] = field(default_factory=list)
    failure: Outcome | None = None


def request_member_check(
    user: User, group_ids: Sequence[str], member_ids: Sequence[str]
) -> MemberCheckResult | None:
    """Ask the worker to check the members; ``None`` if there is no answer yet.

    The same call after that returns the answer. Raises as ``check_members``.
    """
    require(user, permissions.SEND)
    members = clean_recipients(member_ids) or []
    ids = [group.group_id for group in _groups(group_ids)]
    parameters = {"groups": ids, "members": members}
    request = ask(user, WorkerRequest.Kind.MEMBERS, parameters)
    stored = wait_for_answer(request, ANSWER_SECONDS)
    if stored is None:
        return None
    if FAILED in stored:
        raise ValidationError(
            _("The worker could not check them. Its log has the reason.")
        )
    groups = {group.group_id: group for group in _groups(ids)}
    failure = stored["failure"]
    return MemberCheckResult(
        stored["members"],
        [groups[group_id] for group_id in stored["complete"]],
        [(groups[group_id], missing) for group_id, missing in stored["missing"]],
        [
            UncheckedGroup(groups[group_id], outcome and stored_outcome(outcome))
            for group_id, outcome in stored["unchecked"]
        ],
        [groups[group_id] for group_id in stored["not_asked"]],
        failure and stored_outcome(failure),
    )


def answer(user: User, parameters: dict[str, Any]) -> dict[str, Any]:
    """Check the members of a request, as JSON values: the handler of the worker."""
    result = check_members(user, parameters["groups"], parameters["members"])
    return {
        "members": result.members,
        "complete": [group.group_id for group in result.complete],
        "missing": [(group.group_id, missing) for group, missing in result.missing],
        "unchecked": [
            (row.group.group_id, row.outcome and asdict(row.outcome))
            for row in result.unchecked
        ],
        "not_asked": [group.group_id for group in result.not_asked],
        "failure": result.failure and asdict(result.failure),
    }


def stored_outcome(stored: dict[str, Any]) -> Outcome:
    reason = stored["reason"]
    return Outcome(
        **stored
        | {
            "kind": OutcomeKind(stored["kind"]),
            "reason": None if reason is None else Reason(reason),
        }
    )


def check_members(
    user: User,
    group_ids: Sequence[str],
    member_ids: Sequence[str],
    *,
    max_start_delay: float = MAX_START_DELAY,
) -> MemberCheckResult:
    """Query which of the members are in each group; nothing is recorded.

    Takes ten seconds at most. Raises ``PermissionDenied``; ``ValidationError`` for
    invalid IDs and for more than ``MAX_GROUPS`` groups. For the worker, outside of a
    transaction: it needs the key.
    """
    require(user, permissions.SEND)
    members = clean_recipients(member_ids) or []
    groups = _groups(group_ids)
    result = MemberCheckResult(len(members))
    with short_client() as client:
        check = _MemberCheck(client, max_start_delay)
        for place, group in enumerate(groups):
            if group.all_members_only or not group.is_usable:
                result.unchecked.append(UncheckedGroup(group))
                continue
            if not check.run(group, members, result):
                result.not_asked = [
                    other
                    for other in groups[place:]
                    if other.is_usable and not other.all_members_only
                ]
                break
    return result


def _groups(group_ids: Sequence[str]) -> list[ChatGroup]:
    """The groups in the order of the IDs; raises ``ValidationError``."""
    unique = list(dict.fromkeys(group_ids))
    if not unique:
        raise ValidationError(_("Choose the groups first."))
    if len(unique) > MAX_GROUPS:
        raise ValidationError(
            _(
                "%(n)d groups are chosen; members can be checked for %(limit)d at "
                "most. Choose fewer."
            )
            % {"n": len(unique), "limit": MAX_GROUPS}
        )
    # Invalid IDs are not queried: PostgreSQL refuses a null character.
    known = {
        group.group_id: group
        for group in ChatGroup.objects.filter(
            group_id__in=[value for value in unique if is_group_id(value)]
        )
    }
    if unknown := [value for value in unique if value not in known]:
        raise ValidationError(
            _("“%(id)s” is not in the list of groups. Remove it.") % {"id": unknown[0]}
        )
    return [known[value] for value in unique]


@contextmanager
def short_client() -> Iterator[ImClient]:
    """A client with short timeouts; closed afterwards."""
    connection = conf.connection()
    endpoint = connection.endpoint
    client = replace(
        connection,
        endpoint=replace(
            endpoint,
            connect_timeout=min(endpoint.connect_timeout, CONNECT_TIMEOUT),
            read_timeout=min(endpoint.read_timeout, READ_TIMEOUT),
            total_deadline=READ_TIMEOUT,
        ),
    ).client()
    try:
        yield client
    finally:
        client.close()


class _MemberCheck:
    """Makes one call after another, within the rate limit that all processes share."""

    def __init__(self, client: ImClient, max_start_delay: float) -> None:
        self._client = client
        self._limiter = RateLimiter(
            f"{settings.IM_SDK_APP_ID}:{GetSpecifiedGroupMemberInfo.COMMAND}",
            GetSpecifiedGroupMemberInfo.CALLS_PER_SECOND * conf.RATE_SHARE,
            engine_clock(),
        )
        self._until = time.monotonic() + max_start_delay

    def run(
        self, group: ChatGroup, members: Sequence[str], result: MemberCheckResult
    ) -> bool:
        """Check one group; false if the check cannot continue with other groups."""
        missing: list[str] = []
        size = GetSpecifiedGroupMemberInfo.MAX_MEMBERS
        for start in range(0, len(members), size):
            portion = members[start : start + size]
            response = self._call(group.group_id, portion)
            if response is None:
                return False
            if response.data is None:
                outcome = response.outcome
                if _concerns_group(outcome):
                    result.unchecked.append(UncheckedGroup(group, outcome))
                    return True
                code = outcome.error_code
                if code and error_codes.info(code).is_rate_limit:
                    self._limiter.slow_down()
                result.failure = outcome
                return False
            missing += [member for member in portion if member not in response.data]
        if missing:
            result.missing.append((group, missing))
        else:
            result.complete.append(group)
        return True

    def _call(
        self, group_id: str, portion: Sequence[str]
    ) -> Response[frozenset[str]] | None:
        """The response of Tencent; ``None`` when the time is up."""
        while True:
            failure = self._client.connect()
            if failure is not None:
                return Response(failure)
            if not self._wait_for_slot():
                return None
            response = self._client.call(GetSpecifiedGroupMemberInfo(group_id, portion))
            if not response.outcome.retry_with_new_signature:
                return response

    def _wait_for_slot(self) -> bool:
        while time.monotonic() < self._until:
            for slot in self._limiter.take(1):
                if wait_for_slot(slot, self._limiter.clock):
                    return True
            time.sleep(0.005)
        return False


def _concerns_group(outcome: Outcome) -> bool:
    """Whether calls for other groups may succeed."""
    if outcome.kind is not OutcomeKind.REJECTED or outcome.error_code is None:
        return False
    info = error_codes.info(outcome.error_code)
    return info.scope is error_codes.Scope.GROUP and not info.is_rate_limit

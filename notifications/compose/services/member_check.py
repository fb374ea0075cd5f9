"""Asking Tencent whether the named members are in the chosen groups.

Only where somebody asks for it, since the chat service may answer slowly or not at all.
What Tencent does with named IDs that are not members is not documented.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications import conf, permissions
from notifications.compose.recipients import clean_recipients
from notifications.models import ChatGroup
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
from notifications.tencent.outcomes import Outcome, OutcomeKind
from notifications.tencent.responses import Response

MAX_GROUPS = 20

# Somebody waits: no call begins later than this many seconds after the first, and each
# has so many to connect and to answer. Ten together.
BEGIN_WITHIN = 5.0

CONNECT_WITHIN = 2.0

ANSWER_WITHIN = 3.0


@dataclass(frozen=True, slots=True)
class UncheckedGroup:
    """A group of which Tencent did not say who is in it.

    ``outcome`` is what it answered; ``None``: it was not asked, because of the group.
    """

    group: ChatGroup
    outcome: Outcome | None = None


@dataclass(slots=True)
class MemberCheckResult:
    """What Tencent said.

    ``complete`` are groups that all members are in; ``missing`` says who is not in
    which group. ``trouble`` is an answer that ended the asking: it is not about a
    group. ``not_asked`` are the groups that were left then, or when time was up.
    """

    members: int
    complete: list[ChatGroup] = field(default_factory=list)
    missing: list[tuple[ChatGroup, list[str]]] = field(default_factory=list)
    not_said: list[UncheckedGroup] = field(default_factory=list)
    not_asked: list[ChatGroup] = field(default_factory=list)
    trouble: Outcome | None = None


def check_members(
    user: User,
    group_ids: Sequence[str],
    member_ids: Sequence[str],
    *,
    begin_within: float = BEGIN_WITHIN,
) -> MemberCheckResult:
    """Ask for each group who of the members is in it; writes nothing to any record.

    Takes ten seconds at most. Raises ``PermissionDenied``; ``ValidationError`` for IDs
    that cannot be, for more than ``MAX_GROUPS`` groups, and while the settings do not
    say how to reach Tencent. Call it outside of a transaction.
    """
    require(user, permissions.SEND)
    members = clean_recipients(member_ids) or []
    groups = _groups(group_ids)
    if not conf.is_configured():
        raise ValidationError(
            _(
                "This console is not connected to Tencent yet, so members cannot be "
                "checked. Ask whoever runs it to set IM_SDK_APP_ID and IM_SECRET_KEY."
            )
        )
    found = MemberCheckResult(len(members))
    with _client() as client:
        asking = _MemberCheck(client, begin_within)
        for place, group in enumerate(groups):
            if group.all_members_only or not group.is_usable:
                found.not_said.append(UncheckedGroup(group))
                continue
            if not asking.ask(group, members, found):
                found.not_asked = [
                    rest
                    for rest in groups[place:]
                    if rest.is_usable and not rest.all_members_only
                ]
                break
    return found


def _groups(group_ids: Sequence[str]) -> list[ChatGroup]:
    """In the order that was given; raises ``ValidationError``."""
    wanted = list(dict.fromkeys(group_ids))
    if not wanted:
        raise ValidationError(_("Choose the groups first."))
    if len(wanted) > MAX_GROUPS:
        raise ValidationError(
            _(
                "%(n)d groups are chosen; members can be checked for %(limit)d at "
                "most. Choose fewer."
            )
            % {"n": len(wanted), "limit": MAX_GROUPS}
        )
    # What cannot be an ID is not asked for: PostgreSQL refuses a null character.
    known = {
        group.group_id: group
        for group in ChatGroup.objects.filter(
            group_id__in=[value for value in wanted if is_group_id(value)]
        )
    }
    unknown = [value for value in wanted if value not in known]
    if unknown:
        raise ValidationError(
            _("“%(id)s” is not in the list of groups. Remove it.") % {"id": unknown[0]}
        )
    return [known[value] for value in wanted]


@contextmanager
def _client() -> Iterator[ImClient]:
    """A client that is in a hurry; closed afterwards."""
    connection = conf.connection()
    endpoint = connection.endpoint
    client = replace(
        connection,
        endpoint=replace(
            endpoint,
            connect_timeout=min(endpoint.connect_timeout, CONNECT_WITHIN),
            read_timeout=min(endpoint.read_timeout, ANSWER_WITHIN),
            total_deadline=ANSWER_WITHIN,
        ),
    ).client()
    try:
        yield client
    finally:
        client.close()


class _MemberCheck:
    """One call after another, each at a moment of the pace that all processes share."""

    def __init__(self, client: ImClient, begin_within: float) -> None:
        self._client = client
        self._limiter = RateLimiter(
            f"{settings.IM_SDK_APP_ID}:{GetSpecifiedGroupMemberInfo.COMMAND}",
            GetSpecifiedGroupMemberInfo.CALLS_PER_SECOND * conf.RATE_SHARE,
            engine_clock(),
        )
        self._until = time.monotonic() + begin_within

    def ask(
        self, group: ChatGroup, members: Sequence[str], found: MemberCheckResult
    ) -> bool:
        """About one group; false when time is up, or nothing more can be learnt."""
        missing: list[str] = []
        size = GetSpecifiedGroupMemberInfo.MAX_MEMBERS
        for start in range(0, len(members), size):
            asked_for = members[start : start + size]
            answer = self._call(group.group_id, asked_for)
            if answer is None:
                return False
            if answer.data is None:
                if _is_about_the_group(answer.outcome):
                    found.not_said.append(UncheckedGroup(group, answer.outcome))
                    return True
                self._slow_down_after(answer.outcome)
                found.trouble = answer.outcome
                return False
            missing += [member for member in asked_for if member not in answer.data]
        if missing:
            found.missing.append((group, missing))
        else:
            found.complete.append(group)
        return True

    def _call(
        self, group_id: str, asked_for: Sequence[str]
    ) -> Response[frozenset[str]] | None:
        """What Tencent answered; ``None`` when time is up."""
        while True:
            trouble = self._client.connect()
            if trouble is not None:
                return Response(trouble)
            if not self._wait_for_turn():
                return None
            answer = self._client.call(GetSpecifiedGroupMemberInfo(group_id, asked_for))
            if not answer.outcome.signed_anew:
                return answer

    def _wait_for_turn(self) -> bool:
        while time.monotonic() < self._until:
            for slot in self._limiter.take(1):
                if wait_for_slot(slot, self._limiter.clock):
                    return True
            time.sleep(0.005)
        return False

    def _slow_down_after(self, outcome: Outcome) -> None:
        if outcome.error_code and error_codes.info(outcome.error_code).is_rate_limit:
            self._limiter.slow_down()


def _is_about_the_group(outcome: Outcome) -> bool:
    """Whether another group may be answered all the same."""
    if outcome.kind is not OutcomeKind.REJECTED or outcome.error_code is None:
        return False
    info = error_codes.info(outcome.error_code)
    return info.scope is error_codes.Scope.GROUP and not info.is_rate_limit

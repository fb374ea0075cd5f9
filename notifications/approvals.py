"""Changes that need a second person: one requests it, another one approves it.

The folder of a change registers a ``Kind``. Where nobody else could approve, the change is
carried out at once, and the row stays as an alert. The person who requested a change never
approves it, superusers included. Permissions are read in the transaction of each step, by
``permissions.require``. docs/internals.md has the order of locks: people, then approvals.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import audit_log, permissions
from notifications.audit_log import Detail, Event
from notifications.models import Approval

Status = Approval.Status


@dataclass(frozen=True, slots=True)
class Kind:
    """What a change needs and does.

    ``approvers`` returns the people who may approve a change of the row with this number;
    the person who requests it is left out of them. ``people`` returns the ids of the people
    whom the change locks. ``carry_out`` makes the change of a request, on behalf of the
    given person, and returns what that person is shown.
    """

    word: str
    label: Promise
    permission: str
    approvers: Callable[[int], QuerySet[User]]
    people: Callable[[int], Iterable[int]]
    carry_out: Callable[[Approval, User], str]


# By word; the folders register theirs.
KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    KINDS[kind.word] = kind
    return kind


def kind_label(word: str) -> str:
    return str(KINDS[word].label) if word in KINDS else word


_DETAILS = (
    Detail("kind", gettext_lazy("What"), kind_label),
    Detail("reason", gettext_lazy("Reason")),
    Detail("requested_by", gettext_lazy("Requested by")),
)

REQUESTED = Event(
    "approval_requested",
    gettext_lazy("second administrator asked for"),
    gettext_lazy("Asked for a second administrator, for %(person)s."),
    *_DETAILS,
)

APPROVED = Event(
    "approval_given",
    gettext_lazy("approved"),
    gettext_lazy("Approved a change of %(person)s."),
    *_DETAILS,
)

CANCELLED = Event(
    "approval_cancelled",
    gettext_lazy("request cancelled"),
    gettext_lazy("Cancelled a request for a change of %(person)s."),
    *_DETAILS,
)


def pending() -> QuerySet[Approval]:
    """Requests that can be approved now."""
    rows = Approval.objects.filter(status=Status.PENDING, expires_at__gt=timezone.now())
    return rows.select_related("requested_by", "decided_by")


@transaction.atomic
def request(
    user: User,
    kind: Kind,
    number: int,
    *,
    subject: str,
    values: dict[str, Any] | None = None,
    reason: str = "",
) -> tuple[Approval, str]:
    """Request a change, or carry it out at once where nobody else could approve.

    The second value is what ``carry_out`` returned. Raises ``PermissionDenied``;
    ``ValidationError`` if this change of this row is requested already.
    """
    permissions.require(user, kind.permission)
    now = timezone.now()
    same = Approval.objects.filter(
        kind=kind.word, object_number=number, status=Status.PENDING
    )
    for row in same.order_by("pk").select_for_update():
        if row.expires_at > now:
            raise ValidationError(_("This is requested already."))
        _decide(row, Status.EXPIRED, None)
    approval = Approval.objects.create(
        kind=kind.word,
        object_number=number,
        subject=subject,
        values=values or {},
        reason=reason,
        requested_by=user,
    )
    if kind.approvers(number).exclude(pk=user.pk).exists():
        _write(REQUESTED, user, approval)
        return approval, ""
    _decide(approval, Status.ALONE, None)
    return approval, kind.carry_out(approval, user)


@transaction.atomic
def approve(user: User, pk: int) -> tuple[Approval, str]:
    """Carry out what another person requested.

    Raises ``PermissionDenied`` for the person who requested it, for a person who may not
    approve it, and if the person who requested it may not do so any more;
    ``ValidationError`` if it was decided meanwhile or has expired.
    """
    approval = _locked(user, pk)
    kind = KINDS[approval.kind]
    requester = approval.requested_by
    is_approver = kind.approvers(approval.object_number).filter(pk=user.pk).exists()
    if user.pk == requester.pk or not is_approver:
        raise PermissionDenied(
            _("Another administrator must approve this: neither of the two concerned.")
        )
    permissions.require(requester, kind.permission)
    if approval.expires_at <= timezone.now():
        raise ValidationError(_("This request has expired. It must be made again."))
    _decide(approval, Status.APPROVED, user)
    _write(APPROVED, user, approval, requested_by=requester.get_username())
    return approval, kind.carry_out(approval, user)


@transaction.atomic
def withdraw(user: User, pk: int) -> Approval:
    """Any person with the permission of the change cancels the request.

    Raises ``PermissionDenied``, and ``ValidationError`` if it was decided meanwhile.
    """
    approval = _locked(user, pk)
    _decide(approval, Status.CANCELLED, user)
    requester = approval.requested_by.get_username()
    _write(CANCELLED, user, approval, requested_by=requester)
    return approval


def _locked(user: User, pk: int) -> Approval:
    """The pending request, locked after the people who decide."""
    approval = Approval.objects.get(pk=pk)
    # All at once, in their order: two people may decide on each other's requests.
    kind = KINDS[approval.kind]
    concerned = kind.people(approval.object_number)
    permissions.lock_people([user.pk, approval.requested_by_id, *concerned])
    permissions.require(user, kind.permission)
    approval = Approval.objects.select_for_update(of=("self",)).get(pk=pk)
    if approval.status != Status.PENDING:
        raise ValidationError(_("This request was decided meanwhile."))
    return approval


def _decide(approval: Approval, status: Status, user: User | None) -> None:
    approval.status = status
    approval.decided_by = user
    approval.decided_at = timezone.now()
    approval.save(update_fields=["status", "decided_by", "decided_at"])


def _write(event: Event, user: User, approval: Approval, **detail: Any) -> None:
    if approval.reason:
        detail["reason"] = approval.reason
    audit_log.write(
        event,
        user.get_username(),
        person=approval.subject,
        kind=approval.kind,
        **detail,
    )

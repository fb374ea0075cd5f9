"""Changes by which an administrator could log in as another person.

They need a second administrator where there is one, are in the trail, and are shown as an
alert on the person's page and to the person at the next login. They are the same for all
people: who may not send today could get the role afterwards.
"""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import approvals
from notifications.access import factors
from notifications.access.queries import has_factor
from notifications.access.services import links, people
from notifications.models import Approval
from notifications.permissions import users_with
from notifications.ui.dates import local_time

ALERT_LIFETIME = timedelta(days=30)

PERMISSION = "auth.change_user"


def _approvers(pk: int) -> QuerySet[User]:
    """Who may approve a change of this person: not the person."""
    administrators = users_with(PERMISSION).exclude(pk=pk)
    if User.objects.get(pk=pk).is_superuser:
        return administrators.filter(is_superuser=True)
    return administrators


def _remove_factors(approval: Approval, user: User) -> str:
    person = User.objects.get(pk=approval.object_number)
    factors.require_can_reset(user, person)
    factors.remove_factors(person, user.get_username())
    return ""


def _change_address(approval: Approval, user: User) -> str:
    person = User.objects.get(pk=approval.object_number)
    before = people.begin_person(user, person)
    previous, person.email = person.email, approval.values["email"]
    if previous != approval.values["before"]:
        raise ValidationError(_("The address was changed meanwhile."))
    person.save(update_fields=["email"])
    people.record_person(user.get_username(), person.pk, before)
    links.inform_of_address(person, previous)
    return ""


def _make_link(approval: Approval, user: User) -> str:
    person = User.objects.get(pk=approval.object_number)
    people.begin_person(user, person)
    links.require_local_login(person)
    return links.shown_password_link(user.get_username(), person)


def _register(word: str, label: Any, carry_out: Any) -> approvals.Kind:
    kind = approvals.Kind(
        word, label, PERMISSION, _approvers, lambda pk: [pk], carry_out
    )
    return approvals.register(kind)


FACTOR_RESET = _register(
    "factor_reset", gettext_lazy("Remove the second factor"), _remove_factors
)

ADDRESS_CHANGE = _register(
    "address_change", gettext_lazy("Change the email address"), _change_address
)

PASSWORD_LINK = _register(
    "password_link", gettext_lazy("Show a link for a new password"), _make_link
)

KINDS = (FACTOR_RESET, ADDRESS_CHANGE, PASSWORD_LINK)


@transaction.atomic
def reset_factors(user: User, person: User, *, reason: str = "") -> Approval:
    """Remove all second factors of a person who lost them, or request it.

    Raises ``PermissionDenied``, ``ValidationError``.
    """
    people.begin_person(user, person)
    factors.require_can_reset(user, person)
    if not has_factor(person):
        raise ValidationError(
            _("No second factor is set up for %(person)s.")
            % {"person": person.get_username()}
        )
    return _request(user, FACTOR_RESET, person, reason=reason)[0]


def change_address(user: User, person: User, before: str, after: str) -> Approval:
    """Change the address of another person, or request it.

    The caller holds the locks of ``begin_person``. Raises ``ValidationError``.
    """
    values = {"before": before, "email": after}
    return _request(user, ADDRESS_CHANGE, person, values=values)[0]


@transaction.atomic
def make_link(
    user: User, person: User, request: HttpRequest, *, reason: str = ""
) -> tuple[bool, str]:
    """Mail a link to set the password, or make one to show, or request one.

    Returns whether a second administrator must approve it, and the path of the link, if it
    is shown. Raises ``PermissionDenied``, ``ValidationError``.
    """
    people.begin_person(user, person)
    person = User.objects.get(pk=person.pk)
    links.require_local_login(person)
    if links.gets_mail(person):
        links.mail_password_link(user.get_username(), person, request)
        return False, ""
    if links.is_invited(person):
        return False, links.shown_password_link(user.get_username(), person)
    approval, path = _request(user, PASSWORD_LINK, person, reason=reason)
    return approval.status == Approval.Status.PENDING, path


def _request(
    user: User, kind: approvals.Kind, person: User, **kwargs: Any
) -> tuple[Approval, str]:
    name = person.get_username()
    return approvals.request(user, kind, person.pk, subject=name, **kwargs)


# --- alerts --------------------------------------------------------------------------------


def change_requests() -> QuerySet[Approval]:
    """All requests of these kinds, decided ones included."""
    return Approval.objects.filter(kind__in=[kind.word for kind in KINDS])


def of_person(pk: int) -> QuerySet[Approval]:
    """Pending requests, and changes of the last 30 days."""
    rows = change_requests().filter(
        object_number=pk, requested_at__gt=timezone.now() - ALERT_LIFETIME
    )
    return rows.select_related("requested_by", "decided_by")


def show_at_login(user: User, request: HttpRequest, **_signal: Any) -> None:
    """Receiver of Django's ``user_logged_in``: tell the person what was changed."""
    if not hasattr(request, "_messages"):  # a script that opens a session
        return
    done = [Approval.Status.APPROVED, Approval.Status.ALONE]
    rows = of_person(user.pk).filter(status__in=done, seen_at=None)
    for row in rows:
        sentence = _(
            "This login was changed by %(name)s, %(at)s: %(change)s. If you did not want "
            "it, log out everywhere, change your password and tell an auditor."
        )
        values = {
            "name": row.requested_by.get_username(),
            "at": local_time(row.decided_at),
            "change": approvals.kind_label(row.kind),
        }
        messages.warning(request, sentence % values)
    rows.update(seen_at=timezone.now())

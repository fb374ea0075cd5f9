"""Pages for a person's administrators: link for a password, lost factor, approvals."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import approvals
from notifications.access import factors
from notifications.access.queries import has_factor, is_required_for
from notifications.access.services import links, people, protected_changes
from notifications.models import Approval
from notifications.ui.pages import page, require_permission, require_recent_proof
from notifications.ui.text import clean_note


def password_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a link with which a person sets the password."""
    user = require_permission(request, "auth.change_user")
    person = get_object_or_404(User, pk=pk)
    people.require_can_change(user, person)
    require_recent_proof(request)
    if request.method == "POST":
        return make_link(request, user, person)
    return page(
        request,
        "notifications/access/password_link.html",
        _("A link for a new password"),
        person=person,
        gets_mail=links.gets_mail(person),
        is_invited=links.is_invited(person),
    )


def make_link(request: HttpRequest, user: User, person: User) -> HttpResponse:
    """Make the link and show what has become of it; also after a person was added."""
    try:
        reason = clean_note(request.POST.get("reason", ""))
        is_pending, path = protected_changes.make_link(
            user, person, request, reason=reason
        )
    except ValidationError as error:
        return _refused(request, person.pk, error)
    if path:
        return _show_link(request, person, path)
    if is_pending:
        _say_pending(request)
    else:
        sentence = _("A link was sent to %(address)s. It is valid for a day.")
        messages.success(request, sentence % {"address": person.email})
    return redirect("admin:auth_user_change", person.pk)


def reset_factors(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, since the administrator acts on the request of a person."""
    user = require_permission(request, "auth.change_user")
    person = get_object_or_404(User, pk=pk)
    factors.require_can_reset(user, person)
    require_recent_proof(request)
    if request.method == "POST":
        try:
            reason = clean_note(request.POST.get("reason", ""))
            approval = protected_changes.reset_factors(user, person, reason=reason)
        except ValidationError as error:
            return _refused(request, person.pk, error)
        if approval.status == Approval.Status.PENDING:
            _say_pending(request)
        else:
            sentence = _("The second factor of %(person)s is removed.")
            messages.success(request, sentence % {"person": person.get_username()})
        return redirect("admin:auth_user_change", person.pk)
    return page(
        request,
        "notifications/access/lost_factor.html",
        _("Remove the second factor of %(person)s?")
        % {"person": person.get_username()},
        person=person,
        is_set_up=has_factor(person),
        is_required=is_required_for(person),
    )


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_permission(request, "auth.change_user")
    approval = get_object_or_404(protected_changes.change_requests(), pk=pk)
    require_recent_proof(request)
    try:
        approval, path = approvals.approve(user, pk)
    except ValidationError as error:
        return _refused(request, approval.object_number, error)
    if path:
        person = User.objects.get(pk=approval.object_number)
        return _show_link(request, person, path)
    messages.success(request, _("Approved and done."))
    return redirect("admin:auth_user_change", approval.object_number)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_permission(request, "auth.change_user")
    approval = get_object_or_404(protected_changes.change_requests(), pk=pk)
    require_recent_proof(request)
    try:
        approvals.withdraw(user, pk)
    except ValidationError as error:
        return _refused(request, approval.object_number, error)
    messages.success(request, _("The request is cancelled."))
    return redirect("admin:auth_user_change", approval.object_number)


def _show_link(request: HttpRequest, person: User, path: str) -> HttpResponse:
    return page(
        request,
        "notifications/access/password_link_shown.html",
        _("A link for a new password"),
        person=person,
        url=request.build_absolute_uri(path),
    )


def _say_pending(request: HttpRequest) -> None:
    messages.info(
        request,
        _("A second administrator must approve this, on this page, within three days."),
    )


def _refused(request: HttpRequest, pk: int, error: ValidationError) -> HttpResponse:
    for message in error.messages:
        messages.error(request, message)
    return redirect("admin:auth_user_change", pk)

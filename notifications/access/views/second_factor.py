"""Pages of the second factor: set up, new recovery codes, removal, reset by an administrator."""

from base64 import b32encode
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe
from django_otp.plugins.otp_totp.models import TOTPDevice

from notifications.access import login_state
from notifications.access.forms import AppCodeForm, PasswordForm
from notifications.access.login_state import LoginStep
from notifications.access.queries import device_of, is_required_for, second_factor_of
from notifications.access.services import second_factor as services_second_factor
from notifications.access.views.login import (
    add_code_error,
    pending_login,
    set_retry_after,
)
from notifications.ui.pages import page, require_permission, session_key

# Session key: the id of the unconfirmed device whose key this browser may show.
PENDING_DEVICE = "second_factor_begun"

KEY_LIFETIME = timedelta(minutes=10)

KEY_GROUP = 4

View = Callable[[HttpRequest, User], HttpResponse]


def require_setup_access(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Admit logged-in people, and half-authenticated people who must set up a factor.

    Half-authenticated people who have a second factor are refused: otherwise they could
    replace it without its code.
    """

    @never_cache
    @sensitive_post_parameters("password", "code")
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        person = _person(request)
        if person is None:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return view(request, person)

    return inner


def _person(request: HttpRequest) -> User | None:
    if admin.site.has_permission(request) and isinstance(request.user, User):
        return request.user
    person = pending_login(request, LoginStep.SET_UP)
    if person is not None and device_of(person) is not None:
        # Set up in another browser meanwhile: require its code.
        login_state.begin_login(request, person)
        return None
    return person


@require_setup_access
@require_safe
def second_factor(request: HttpRequest, person: User) -> HttpResponse:
    """Show the second factor of the person."""
    state = second_factor_of(person)
    if not state.is_set_up:
        return redirect("admin:second_factor_set_up")
    return _page(request, "second_factor.html", _("Second factor"), factor=state)


@require_setup_access
def setup(request: HttpRequest, person: User) -> HttpResponse:
    """Ask for the password first; then show the key until its first right code."""
    device = _pending_device(request, person)
    if device is None:
        return _begin(request, person)
    form = AppCodeForm(request.POST if request.method == "POST" else None)
    result = None
    if form.is_valid():
        try:
            result = services_second_factor.finish_setup(
                person,
                device.pk,
                form.cleaned_data["code"],
                may_replace=request.user.is_authenticated,
                present=session_key(request),
            )
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("admin:second_factor")
        if result.is_right:
            return _finish(request, person, result.recovery_codes)
        add_code_error(form, result)
    response = _page(
        request,
        "second_factor_key.html",
        _("Set up a second factor"),
        form=form,
        qr_code=_qr_code(device),
        address=device.config_url,
        key=_in_groups(b32encode(device.bin_key).decode()),
    )
    return set_retry_after(response, result)


@require_setup_access
def recovery_codes(request: HttpRequest, person: User) -> HttpResponse:
    """Ask for the password, then replace the recovery codes."""
    if device_of(person) is None:
        return redirect("admin:second_factor")
    form = PasswordForm(request, person)
    if form.is_valid():
        return _show_codes(request, services_second_factor.make_recovery_codes(person))
    return _page(
        request,
        "second_factor_password.html",
        _("New recovery codes"),
        form=form,
        sentence=_("The old codes stop working."),
        button=_("Make new codes"),
    )


@require_setup_access
def remove(request: HttpRequest, person: User) -> HttpResponse:
    """Ask for the password, then remove the second factor, unless it is required."""
    state = second_factor_of(person)
    if not state.is_set_up or state.is_required:
        return redirect("admin:second_factor")
    form = PasswordForm(request, person)
    if form.is_valid():
        services_second_factor.remove_own(person, present=session_key(request))
        messages.success(request, _("The second factor is removed."))
        return redirect("admin:index")
    return _page(
        request,
        "second_factor_password.html",
        _("Remove the second factor?"),
        form=form,
        sentence=_(
            "From then on the password alone lets you in. Recovery codes stop working."
        ),
        button=_("Remove"),
    )


def _begin(request: HttpRequest, person: User) -> HttpResponse:
    form: forms.Form = (
        PasswordForm(request, person)
        if request.user.is_authenticated
        else forms.Form(request.POST or None)  # the password was entered just now
    )
    if form.is_valid():
        request.session[PENDING_DEVICE] = services_second_factor.begin_setup(person).pk
        return redirect("admin:second_factor_set_up")
    return _page(
        request,
        "second_factor_begin.html",
        _("Set up a second factor"),
        form=form,
        factor=second_factor_of(person),
    )


def _pending_device(request: HttpRequest, person: User) -> TOTPDevice | None:
    """Return the device that this browser sets up, while its key may be shown."""
    device: TOTPDevice | None = TOTPDevice.objects.filter(
        pk=request.session.get(PENDING_DEVICE),
        user=person,
        confirmed=False,
        created_at__gt=timezone.now() - KEY_LIFETIME,
    ).first()
    return device


def _finish(request: HttpRequest, person: User, codes: tuple[str, ...]) -> HttpResponse:
    del request.session[PENDING_DEVICE]
    request.user = person  # logged in from here on
    login_state.complete_login(
        request.session, person, services_second_factor.SecondFactorAnswer.APP
    )
    messages.success(request, _("The second factor is set up."))
    return _show_codes(request, codes)


def _show_codes(request: HttpRequest, codes: tuple[str, ...]) -> HttpResponse:
    return _page(request, "recovery_codes.html", _("Recovery codes"), codes=codes)


def _page(
    request: HttpRequest, template: str, title: str, **context: Any
) -> HttpResponse:
    """Extend the base of the console, or that of anonymous pages before the login."""
    base = (
        "admin/base_site.html"
        if request.user.is_authenticated
        else "notifications/ui/base_anonymous.html"
    )
    return page(
        request, f"notifications/access/{template}", title, base=base, **context
    )


def _qr_code(device: TOTPDevice) -> SafeString:
    """Return the URL of the key as a QR code, in SVG without inline styles.

    The SVG contains no text, only numbers that segno computed.
    """
    code = segno.make(device.config_url, error="m", micro=False)
    return SafeString(  # nosec B703
        code.svg_inline(border=4, svgclass="qr", lineclass=None, omitsize=True)
    )


def _in_groups(key: str) -> str:
    """Insert spaces, for reading and typing."""
    starts = range(0, len(key), KEY_GROUP)
    return " ".join(key[start : start + KEY_GROUP] for start in starts)


def reset_for_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, since the administrator acts on the request of a person."""
    user = require_permission(request, "auth.change_user")
    person = get_object_or_404(User, pk=pk)
    services_second_factor.require_can_reset(user, person)
    if request.method == "POST":
        try:
            services_second_factor.reset_second_factor(user, person)
        except ValidationError as error:
            messages.error(request, error.messages[0])
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
        is_set_up=device_of(person) is not None,
        is_required=is_required_for(person),
    )

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
    TOO_MANY_REQUESTS,
    pending_login,
    refuse_login,
)
from notifications.ui.pages import page, require_permission, session_key

# In the session: the number of the device whose key this browser may show.
BEGUN = "second_factor_begun"

KEY_SHOWN_FOR = timedelta(minutes=10)

KEY_GROUP = 4

INSIDE, DOOR = "admin/base_site.html", "notifications/ui/door.html"


View = Callable[[HttpRequest, User], HttpResponse]


def require_inside(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Lets in who is inside, and who must set up a second factor to get there.

    Nobody else who has only given the password: a code that is asked for would mean
    nothing if it could be set up anew without it.
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
        # Set up in another browser meanwhile: now its code is asked for.
        login_state.begin_login(request, person)
        return None
    return person


@require_inside
def second_factor(request: HttpRequest, person: User) -> HttpResponse:
    """What there is, and what can be done about it."""
    return _show_state(request, person)


@require_safe
def _show_state(request: HttpRequest, person: User) -> HttpResponse:
    state = second_factor_of(person)
    if not state.is_set_up:
        return redirect("admin:second_factor_set_up")
    return _page(request, "second_factor.html", _("Second factor"), factor=state)


@require_inside
def setup(request: HttpRequest, person: User) -> HttpResponse:
    """First the password; then the key, until its first code is given."""
    device = _begun(request, person)
    if device is None:
        return _begin(request, person)
    form = AppCodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        try:
            verdict = services_second_factor.finish_setup(
                person,
                device.pk,
                form.cleaned_data["code"],
                may_replace=_is_inside(request),
                present=session_key(request),
            )
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("admin:second_factor")
        if verdict.is_right:
            return _finished(request, person, verdict.recovery_codes)
        status = refuse_login(form, verdict)
    response = _page(
        request,
        "second_factor_key.html",
        _("Set up a second factor"),
        form=form,
        picture=_picture(device),
        address=device.config_url,
        key=_in_groups(b32encode(device.bin_key).decode()),
    )
    response.status_code = status
    if status == TOO_MANY_REQUESTS:
        response["Retry-After"] = str(verdict.wait)
    return response


@require_inside
def recovery_codes(request: HttpRequest, person: User) -> HttpResponse:
    """New ones in place of the old; the password is asked for first."""
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


@require_inside
def remove(request: HttpRequest, person: User) -> HttpResponse:
    """The password is asked for first; not where a second factor is demanded."""
    state = second_factor_of(person)
    if not state.is_set_up or state.is_demanded:
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
    is_inside = _is_inside(request)
    form: forms.Form = (
        PasswordForm(request, person)
        if is_inside
        else forms.Form(request.POST or None)  # the password was given just now
    )
    if form.is_valid():
        request.session[BEGUN] = services_second_factor.begin_setup(person).pk
        return redirect("admin:second_factor_set_up")
    return _page(
        request,
        "second_factor_begin.html",
        _("Set up a second factor"),
        form=form,
        factor=second_factor_of(person),
    )


def _begun(request: HttpRequest, person: User) -> TOTPDevice | None:
    """The device that this browser is setting up, as long as its key may be shown."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(
        pk=request.session.get(BEGUN),
        user=person,
        confirmed=False,
        created_at__gt=timezone.now() - KEY_SHOWN_FOR,
    ).first()
    return found


def _finished(
    request: HttpRequest, person: User, codes: tuple[str, ...]
) -> HttpResponse:
    del request.session[BEGUN]
    request.user = person  # inside from here on
    login_state.complete_login(
        request.session, person, services_second_factor.SecondFactorAnswer.APP
    )
    messages.success(request, _("The second factor is set up."))
    return _show_codes(request, codes)


def _show_codes(request: HttpRequest, codes: tuple[str, ...]) -> HttpResponse:
    return _page(request, "recovery_codes.html", _("Recovery codes"), codes=codes)


def _is_inside(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def _page(
    request: HttpRequest, template: str, title: str, **context: Any
) -> HttpResponse:
    """In the console's frame, or before its door for who is not inside yet."""
    frame = INSIDE if _is_inside(request) else DOOR
    return page(
        request, f"notifications/access/{template}", title, frame=frame, **context
    )


def _picture(device: TOTPDevice) -> SafeString:
    """The address of the key as a QR code, in SVG without any style of its own.

    It holds no text, only numbers that segno computed.
    """
    code = segno.make(device.config_url, error="m", micro=False)
    return SafeString(  # nosec B703
        code.svg_inline(border=4, svgclass="qr", lineclass=None, omitsize=True)
    )


def _in_groups(key: str) -> str:
    """As it is read off and typed."""
    starts = range(0, len(key), KEY_GROUP)
    return " ".join(key[start : start + KEY_GROUP] for start in starts)


def reset_for_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first, because it is the voice of somebody that an administrator trusts."""
    user = require_permission(request, "auth.change_user")
    loser = get_object_or_404(User, pk=pk)
    services_second_factor.require_can_reset(user, loser)
    if request.method == "POST":
        try:
            services_second_factor.reset_second_factor(user, loser)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            said = _("The second factor of %(person)s is removed.")
            messages.success(request, said % {"person": loser.get_username()})
        return redirect("admin:auth_user_change", loser.pk)
    return page(
        request,
        "notifications/access/lost_factor.html",
        _("Remove the second factor of %(person)s?") % {"person": loser.get_username()},
        person=loser,
        is_there=device_of(loser) is not None,
        is_demanded=is_required_for(loser),
    )

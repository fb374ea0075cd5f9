"""Shared by all views: the page frame and access checks."""

import time
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse

from notifications import permissions
from notifications.models import Notification, stored_key

# Methods of django-allauth; a passkey is one of the factors ("mfa").
PROOFS = ("password", "socialaccount")


def page(
    request: HttpRequest, template: str, title: object, **context: Any
) -> TemplateResponse:
    """Render a template with the context of the admin site."""
    frame = admin.site.each_context(request)
    return TemplateResponse(request, template, {**frame, "title": title, **context})


def require_permission(request: HttpRequest, permission: str) -> User:
    """Return the user. Raises ``PermissionDenied`` without the permission.

    ``admin_view`` only checks that the user is active and staff.
    """
    user = require_login(request)
    if not user.has_perm(permission):
        raise PermissionDenied
    return user


def require_login(request: HttpRequest) -> User:
    """Return the user. Raises ``PermissionDenied`` for anonymous users."""
    user: User | AnonymousUser = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def has_recent_proof(request: HttpRequest) -> bool:
    """Whether the password, a passkey or single sign-on has proved recently who it is.

    A code of an app is no proof by itself: it can be phished.
    """
    start = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, require_login(request))
    return any(
        record["at"] > start
        and (record["method"] in PROOFS or record.get("type") == "webauthn")
        for record in records
    )


def require_recent_proof(request: HttpRequest) -> None:
    """Ask again who it is before a sensitive action, also before a page that leads to it.

    django-allauth asks, and then repeats the request with what was typed.
    """
    if not has_recent_proof(request):
        raise ReauthenticationRequired


def session_key(request: HttpRequest) -> str:
    """The stored key of this request's session."""
    return stored_key(request.session.session_key or "")


def may_control(request: HttpRequest, notification: Notification) -> bool:
    """Whether to show the controls of the person in control; the services check again."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(permissions.SEND):
        return False
    return notification.controller_id == user.pk

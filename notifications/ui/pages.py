"""Shared by all views: the page frame and access checks."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse

from notifications import permissions
from notifications.models import Notification, stored_key


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


def session_key(request: HttpRequest) -> str:
    """The stored key of this request's session."""
    return stored_key(request.session.session_key or "")


def may_control(request: HttpRequest, notification: Notification) -> bool:
    """Whether to show the controls of the person in control; the services check again."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(permissions.SEND):
        return False
    return notification.controller_id == user.pk

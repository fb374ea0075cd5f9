"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.audit import views as audit_views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("history/actions/", protected(audit_views.actions), name="actions"),
        path(
            "history/actions/download/",
            protected(audit_views.download),
            name="actions_download",
        ),
    ]

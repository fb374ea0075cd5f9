"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.system import views as system_views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("system/", protected(system_views.system), name="system"),
        path(
            "system/connection/", protected(system_views.connection), name="connection"
        ),
        path(
            "system/connection/status/",
            protected(system_views.connection_status),
            name="connection_status",
        ),
        path(
            "system/connection/notice/",
            protected(system_views.notice),
            name="connection_notice",
        ),
        path(
            "system/connection/probe/",
            protected(system_views.probe),
            name="connection_probe",
        ),
    ]

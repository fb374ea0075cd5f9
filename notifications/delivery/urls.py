"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.delivery import views as delivery_views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path(
            "sent/<int:pk>/pause/",
            protected(delivery_views.pause),
            name="notification_pause",
        ),
        path(
            "sent/<int:pk>/resume/",
            protected(delivery_views.resume),
            name="notification_resume",
        ),
        path(
            "sent/<int:pk>/stop/",
            protected(delivery_views.stop),
            name="notification_stop",
        ),
        path(
            "sent/<int:pk>/schedule/",
            protected(delivery_views.reschedule),
            name="reschedule",
        ),
        path("sending/", protected(delivery_views.all_sending), name="all_sending"),
        path(
            "history/deliveries/<int:pk>/resolve/",
            protected(delivery_views.resolve),
            name="resolve",
        ),
    ]

"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.delivery import views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("sent/<int:pk>/pause/", protected(views.pause), name="notification_pause"),
        path(
            "sent/<int:pk>/resume/", protected(views.resume), name="notification_resume"
        ),
        path("sent/<int:pk>/stop/", protected(views.stop), name="notification_stop"),
        path(
            "sent/<int:pk>/take-over/",
            protected(views.take_over),
            name="notification_take_over",
        ),
        path("sent/<int:pk>/ask/", protected(views.ask), name="notification_ask"),
        path("sent/<int:pk>/schedule/", protected(views.reschedule), name="reschedule"),
        path("sending/", protected(views.all_sending), name="all_sending"),
        path(
            "history/deliveries/<int:pk>/resolve/",
            protected(views.resolve),
            name="resolve",
        ),
        path(
            "history/deliveries/<int:pk>/ask/",
            protected(views.ask_about_delivery),
            name="delivery_ask",
        ),
    ]

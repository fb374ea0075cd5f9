"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.history.views import delivery, draft, lists, notification


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path(
            "sent/<int:pk>/",
            protected(notification.progress),
            name="notification_progress",
        ),
        path(
            "sent/<int:pk>/status/",
            protected(notification.status),
            name="notification_status",
        ),
        path(
            "sent/<int:pk>/evidence/", protected(notification.download), name="evidence"
        ),
        path(
            "history/drafts/<int:pk>/",
            protected(draft.draft_versions),
            name="draft_versions",
        ),
        path("history/", protected(lists.notifications), name="history"),
        path("history/deliveries/", protected(lists.deliveries), name="deliveries"),
        path(
            "history/deliveries/download/",
            protected(lists.download),
            name="deliveries_download",
        ),
        path(
            "history/deliveries/<int:pk>/",
            protected(delivery.delivery),
            name="delivery",
        ),
    ]

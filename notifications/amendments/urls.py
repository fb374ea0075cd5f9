"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.amendments import views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("sent/<int:pk>/recall/", protected(views.recall), name="recall"),
        path("sent/<int:pk>/correct/", protected(views.correct), name="correct"),
    ]

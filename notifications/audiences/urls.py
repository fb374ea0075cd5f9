"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.audiences import picker
from notifications.audiences import views as audiences_views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("write/groups/", protected(picker.groups), name="write_groups"),
        path(
            "groups/audiences/", protected(audiences_views.audiences), name="audiences"
        ),
        path(
            "groups/audiences/add/", protected(audiences_views.add), name="audience_add"
        ),
        path(
            "groups/audiences/<int:pk>/",
            protected(audiences_views.audience),
            name="audience",
        ),
        path(
            "groups/audiences/<int:pk>/delete/",
            protected(audiences_views.delete),
            name="audience_delete",
        ),
    ]

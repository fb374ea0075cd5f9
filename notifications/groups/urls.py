"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.groups import views as groups_views
from notifications.groups.importing import views as importing_views
from notifications.groups.sync import views as sync_views


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("groups/sync/", protected(sync_views.syncs), name="syncs"),
        path(
            "groups/sync/now/", protected(sync_views.request_now), name="sync_request"
        ),
        path("groups/sync/<int:pk>/", protected(sync_views.sync), name="sync"),
        path(
            "groups/sync/<int:pk>/status/",
            protected(sync_views.status),
            name="sync_status",
        ),
        path(
            "groups/sync/<int:pk>/stop/", protected(sync_views.stop), name="sync_stop"
        ),
        path("groups/labels/", protected(groups_views.labels), name="labels"),
        path(
            "groups/labels/put/",
            protected(groups_views.add_to_groups),
            name="labels_put",
        ),
        path(
            "groups/labels/take/",
            protected(groups_views.remove_from_groups),
            name="labels_take",
        ),
        path(
            "groups/labels/<int:pk>/rename/",
            protected(groups_views.rename),
            name="label_rename",
        ),
        path(
            "groups/labels/<int:pk>/delete/",
            protected(groups_views.delete),
            name="label_delete",
        ),
        path("groups/import/", protected(importing_views.choose), name="group_import"),
        path(
            "groups/import/<int:pk>/",
            protected(importing_views.check),
            name="group_import_check",
        ),
        path(
            "groups/download/",
            protected(groups_views.download),
            name="groups_download",
        ),
    ]

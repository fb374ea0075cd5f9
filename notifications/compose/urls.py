"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.compose.views import (
    audience_count,
    check,
    draft_lists,
    handover,
    write,
)
from notifications.compose.views import resend as views_resend


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        # Not protected: keeps a text that is posted after the session ended.
        path("write/", write.write, name="write"),
        path("write/count/", protected(audience_count.count), name="write_count"),
        path("write/drafts/", protected(draft_lists.own), name="drafts"),
        path(
            "write/drafts/ownerless/",
            protected(draft_lists.ownerless),
            name="ownerless_drafts",
        ),
        path("write/<int:pk>/", write.write, name="write_edit"),
        path(
            "write/<int:pk>/delete/",
            protected(draft_lists.delete),
            name="draft_delete",
        ),
        path(
            "write/<int:pk>/hand-over/",
            protected(handover.hand_over),
            name="draft_hand_over",
        ),
        path("write/<int:pk>/check/", protected(check.check), name="check"),
        path(
            "sent/<int:pk>/send-again/<slug:kind_name>/",
            protected(views_resend.send_again),
            name="send_again",
        ),
    ]

"""What a row of the list of chat groups shows besides the group's own values."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, Subquery, prefetch_related_objects
from django.utils.translation import gettext as _

from notifications.models import ChatGroup, Delivery, GroupType


def with_what_a_row_shows(groups: Iterable[ChatGroup]) -> list[Any]:
    """The groups of one page with their labels and ``last_sent_at``; two queries.

    Asked for the page only: a database works columns out for the rows it skips, too.
    """
    rows: list[Any] = list(groups)
    prefetch_related_objects(rows, "labels")
    newest = Delivery.objects.history().filter(group_id=OuterRef("group_id"))
    last = Subquery(newest.order_by("-id").values("created_at")[:1])
    shown = ChatGroup.objects.filter(pk__in=[row.pk for row in rows]).order_by()
    sent = dict(shown.values_list("pk", last))
    for row in rows:
        row.last_sent_at = sent.get(row.pk)
    return rows


def type_in_words(group: ChatGroup) -> str:
    """The type as people read it; one that came after us is Tencent's own word."""
    if group.type in GroupType.values:
        return group.get_type_display()
    return _("%(type)s (unknown type)") % {"type": group.type}

"""What a row of the list of chat groups shows besides the group's own values."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from notifications.models import ChatGroup, Delivery, GroupType


def rows_of(page: QuerySet[ChatGroup]) -> list[Any]:
    """The groups of one page with their labels and ``last_sent_at``; three queries.

    First only which groups they are: databases sort whole rows, and work columns out
    also for rows that they skip on the way to a deep page.
    """
    ids = list(page.values_list("pk", flat=True))
    newest = Delivery.objects.history().filter(group_id=OuterRef("group_id"))
    last = Subquery(newest.order_by("-id").values("created_at")[:1])
    rows = ChatGroup.objects.defer("search_text").annotate(last_sent_at=last)
    found = rows.prefetch_related("labels").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def type_in_words(group: ChatGroup) -> str:
    """The type as people read it; one that came after us is Tencent's own word."""
    if group.type in GroupType.values:
        return str(GroupType(group.type).label)
    return _("%(type)s (unknown type)") % {"type": group.type}

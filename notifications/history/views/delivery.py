"""The page of a delivery: its result, content and calls."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import permissions
from notifications.delivery.channels import CHANNELS
from notifications.delivery.explanations import explain
from notifications.delivery.reconcile.questions import can_be_asked_now, open_queries
from notifications.history import delivery_detail
from notifications.history.delivery_detail import related_deliveries
from notifications.history.forms import DeliveryFilterForm
from notifications.history.presentation import message_at_tencent, missing_delivery
from notifications.models import Delivery
from notifications.ui.lists import back_query
from notifications.ui.pages import may_control, page, require_permission


@require_safe
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    require_permission(request, permissions.SEE_HISTORY)
    rows = Delivery.objects.history().select_related("notification")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise missing_delivery(pk)
    return page(
        request,
        "notifications/history/delivery.html",
        _("Delivery to %(group)s") % {"group": row.group_name},
        delivery=row,
        explanation=explain(row),
        channel=CHANNELS[row.channel],
        message=message_at_tencent(row),
        text_in_history=delivery_detail.text_in_history(row) if row.is_altered else "",
        calls=delivery_detail.calls(row),
        queries=delivery_detail.queries(row),
        late_answers=delivery_detail.late_answers(row),
        resolutions=delivery_detail.resolutions(row),
        related=related_deliveries(row),
        may_resolve=(
            row.status == Delivery.Status.UNCONFIRMED
            and may_control(request, row.notification)
        ),
        request_line=delivery_detail.request_line(row),
        may_ask=(
            open_queries().filter(can_be_asked_now(timezone.now()), pk=pk).exists()
            and may_control(request, row.notification)
        ),
        request_body=delivery_detail.request_body(row),
        back=back_query(request, DeliveryFilterForm),
    )

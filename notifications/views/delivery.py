"""One delivery: its result, what was sent, and every call for it."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import roles
from notifications.forms.filters import DeliveryFilterForm
from notifications.models import Delivery
from notifications.selectors import calls
from notifications.selectors.beside import beside
from notifications.selectors.explanations import explain

from .archived import missing_delivery
from .listing import way_back
from .page import may_control, page, person


@require_safe
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    person(request, roles.SEE_HISTORY)
    found = Delivery.objects.history().select_related("notification")
    row = found.filter(pk=pk).first()
    if row is None:
        raise missing_delivery(pk)
    return page(
        request,
        "notifications/delivery.html",
        _("Delivery to %(group)s") % {"group": row.group_name},
        delivery=row,
        explanation=explain(row),
        calls=calls.calls(row),
        late_answers=calls.late_answers(row),
        resolutions=calls.resolutions(row),
        beside=beside(row),
        may_resolve=(
            row.status == Delivery.Status.UNCONFIRMED
            and may_control(request, row.notification)
        ),
        request_line=calls.request_line(),
        request_body=calls.request_body(row),
        back=way_back(request, DeliveryFilterForm),
    )

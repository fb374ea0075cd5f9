"""The System page: how everything is doing, for whoever runs the console."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import roles
from notifications.watch.state import state

from .page import page, person
from .system_words import sections, troubles


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    person(request, roles.SEE_SYSTEM)
    found = state(timezone.now())
    return page(
        request,
        "notifications/system.html",
        _("System"),
        found=found,
        troubles=troubles(found),
        sections=sections(found),
    )

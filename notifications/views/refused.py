"""The page that says in words what a login may not do."""

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from .page import page


def refused(request: HttpRequest, exception: Exception) -> TemplateResponse:
    """Django calls it for every ``PermissionDenied``; its sentence is shown."""
    response = page(
        request, "403.html", _("Not for your login"), exception=str(exception)
    )
    response.status_code = 403
    return response

"""Pages that say in words why there is nothing to see: refused, missing, too old."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.defaults import bad_request

from notifications.history.presentation import ArchivedPart
from notifications.ui.pages import page


def forbidden(request: HttpRequest, exception: Exception) -> TemplateResponse:
    """Django calls it for every ``PermissionDenied``; its sentence is shown."""
    return _page(
        request, "403.html", _("Not for your login"), 403, exception=str(exception)
    )


def not_found(request: HttpRequest, exception: Exception) -> TemplateResponse:
    """Django calls it for every ``Http404``."""
    sentence = str(exception) if isinstance(exception, ArchivedPart) else ""
    return _page(request, "404.html", _("Page not found"), 404, sentence=sentence)


def rejected_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django calls it for requests that it does not take, before any page sees them."""
    if not isinstance(exception, RequestDataTooBig):
        return bad_request(request, exception)
    sentence = _("This is more than 10 MB at once. Split it, and send the parts.")
    return _page(request, "403.html", _("Too much at once"), 413, exception=sentence)


def csrf_failure(request: HttpRequest, reason: str = "") -> TemplateResponse:
    """Django calls it for a form without its secret (``CSRF_FAILURE_VIEW``)."""
    return _page(request, "403_csrf.html", _("This page was too old"), 403)


def _page(
    request: HttpRequest, template: str, title: str, status: int, **context: object
) -> TemplateResponse:
    response = page(request, template, title, **context)
    response.status_code = status
    return response

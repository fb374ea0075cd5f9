"""Error pages: permission denied, not found, too large or too many, CSRF, an error."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from notifications.history.presentation import ArchivedDelivery
from notifications.system.machine import are_static_files_collected
from notifications.ui.pages import page


def forbidden(request: HttpRequest, exception: Exception) -> TemplateResponse:
    """``handler403``: show the message of the ``PermissionDenied``."""
    return _page(
        request, "403.html", _("Not for your login"), 403, exception=str(exception)
    )


def not_found(request: HttpRequest, exception: Exception) -> TemplateResponse:
    """``handler404``."""
    sentence = str(exception) if isinstance(exception, ArchivedDelivery) else ""
    return _page(request, "404.html", _("Page not found"), 404, sentence=sentence)


def too_large(request: HttpRequest, sentence: str) -> TemplateResponse:
    """The body of the request exceeds a limit of ``request_limits.py``."""
    return _page(request, "403.html", _("Too much at once"), 413, exception=sentence)


def too_many(request: HttpRequest, sentence: str, *, seconds: int) -> TemplateResponse:
    """The requests of one client exceed a limit of ``request_limits.py``."""
    title = _("Too many requests")
    response = _page(request, "403.html", title, 429, exception=sentence)
    response["Retry-After"] = str(seconds)
    return response


def broken(request: HttpRequest) -> HttpResponse:
    """``handler500``: without the style sheets no template can be rendered."""
    if are_static_files_collected():
        return server_error(request)
    sentence = _(
        "This console is not set up completely: its style sheets are missing. On the "
        "server, run “manage.py collectstatic” and restart the web process."
    )
    return HttpResponse(
        f"{sentence}\n", content_type="text/plain; charset=utf-8", status=503
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> TemplateResponse:
    """``CSRF_FAILURE_VIEW``: a form without a valid CSRF token."""
    return _page(request, "403_csrf.html", _("This page was too old"), 403)


def _page(
    request: HttpRequest, template: str, title: str, status: int, **context: object
) -> TemplateResponse:
    response = page(request, template, title, **context)
    response.status_code = status
    return response

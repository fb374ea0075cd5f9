"""URLs of the console's pages, in addition to those of Django's admin."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern

from notifications.access import urls as access_urls
from notifications.amendments import urls as amendments_urls
from notifications.audiences import urls as audiences_urls
from notifications.audit import urls as audit_urls
from notifications.compose import urls as compose_urls
from notifications.delivery import urls as delivery_urls
from notifications.groups import urls as groups_urls
from notifications.history import urls as history_urls
from notifications.system import urls as system_urls

URL_MODULES = (
    access_urls,
    amendments_urls,
    audiences_urls,
    audit_urls,
    compose_urls,
    delivery_urls,
    groups_urls,
    history_urls,
    system_urls,
)


def console_urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [url for module in URL_MODULES for url in module.urls(protected)]

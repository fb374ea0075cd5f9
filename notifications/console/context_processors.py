"""Context of every page: sandbox, sending switch, worker, time zone, single sign-on."""

from functools import cache
from typing import Any

from django.db.models import Exists
from django.http import HttpRequest
from django.utils import timezone

from notifications import conf
from notifications.access import sso
from notifications.delivery.heartbeat import has_live_worker, live_workers
from notifications.models import SendingSwitch


def console(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    is_authenticated = user is not None and user.is_authenticated

    @cache  # and lazy: the part of a page that a script reloads shows neither
    def state() -> tuple[SendingSwitch | None, bool]:
        return _sending_state() if is_authenticated else (None, True)

    return {
        "sandbox_url": conf.base_url() if conf.uses_sandbox() else "",
        "no_worker": lambda: not state()[1],
        "switch": lambda: state()[0],
        "sso_providers": sso.providers(),
        "time_zone_name": timezone.get_current_timezone_name(),
    }


def _sending_state() -> tuple[SendingSwitch, bool]:
    """Return the switch for all sending, and whether a worker is running, in one query.

    Two queries until the switch is used for the first time.
    """
    switches = SendingSwitch.objects.annotate(has_worker=Exists(live_workers()))
    switch = switches.filter(pk=1).first()
    if switch is None:
        return SendingSwitch(pk=1), has_live_worker()
    return switch, switch.has_worker

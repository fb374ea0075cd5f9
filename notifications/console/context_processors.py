"""What every page shows: sandbox, switch, missing worker, the time zone, the ways in."""

from typing import Any

from django.conf import settings
from django.db.models import Exists
from django.http import HttpRequest
from django.utils import timezone

from notifications import conf
from notifications.delivery.heartbeat import has_live_worker, live_workers
from notifications.models import SendingSwitch


def console(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    is_inside = user is not None and user.is_authenticated
    switch, has_worker = _engine() if is_inside else (None, True)
    return {
        "sandbox_url": conf.base_url() if conf.talks_to_sandbox() else "",
        "no_worker": not has_worker,
        "switch": switch,
        "sso_name": settings.OIDC_NAME if settings.OIDC_RP_CLIENT_ID else "",
        "time_zone_name": timezone.get_current_timezone_name(),
    }


def _engine() -> tuple[SendingSwitch, bool]:
    """The switch for all sending, and whether a worker is there: one query.

    Two, as long as nobody has ever touched the switch.
    """
    switches = SendingSwitch.objects.annotate(has_worker=Exists(live_workers()))
    switch = switches.filter(pk=1).first()
    if switch is None:
        return SendingSwitch(pk=1), has_live_worker()
    return switch, switch.has_worker

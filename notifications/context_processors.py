"""What every page shows: sandbox, switch, missing worker, the time zone."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from notifications import conf
from notifications.delivery.presence import worker_is_there
from notifications.models import SendingSwitch


def console(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    is_inside = user is not None and user.is_authenticated
    return {
        "sandbox_url": conf.base_url() if conf.talks_to_sandbox() else "",
        "no_worker": is_inside and not worker_is_there(),
        "switch": SendingSwitch.present() if is_inside else None,
        "time_zone_name": timezone.get_current_timezone_name(),
    }

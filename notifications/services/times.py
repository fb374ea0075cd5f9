"""The times a person may set: when a send starts, and after which no call may start."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

FURTHEST = timedelta(days=366)


def check_start(start: datetime | None) -> None:
    """Raises ``ValidationError`` (field ``start``) for the past or a year ahead."""
    now = timezone.now()
    if start is None:
        return
    if start <= now:
        raise ValidationError(
            {"start": _("%(time)s is over. Choose a later time.") % _shown(start)}
        )
    if start > now + FURTHEST:
        raise ValidationError(
            {"start": _("%(time)s is more than a year ahead.") % _shown(start)}
        )


def check_not_after(not_after: datetime | None, start: datetime | None) -> None:
    """Raises ``ValidationError`` (field ``not_after``) when nothing could be sent."""
    if not_after is None:
        return
    if not_after <= timezone.now():
        raise ValidationError(
            {
                "not_after": _("%(time)s is over. Choose a later time.")
                % _shown(not_after)
            }
        )
    if start is not None and not_after <= start:
        raise ValidationError(
            {
                "not_after": _(
                    "%(time)s is not after the start. Nothing would be sent."
                )
                % _shown(not_after)
            }
        )


def _shown(moment: datetime) -> dict[str, str]:
    local = timezone.localtime(moment)
    return {"time": local.strftime("%Y-%m-%d %H:%M") + f" {local.tzname()}"}

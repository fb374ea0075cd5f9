"""One switch for all sending: whoever may send may stop everything, and it is recorded."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from notifications import roles
from notifications.models import AuditEntry, SendingSwitch
from notifications.models.workers import wake_workers
from notifications.record import trail

from .permissions import require


def stop_everything(user: User) -> SendingSwitch:
    """No worker claims anything any more; calls under way still end.

    Raises ``PermissionDenied``. A second call changes nothing and writes nothing.
    """
    return _turn(user, is_off=True)


def allow_everything(user: User) -> SendingSwitch:
    """Sending goes on where it was. Raises ``PermissionDenied``."""
    return _turn(user, is_off=False)


@transaction.atomic
def _turn(user: User, *, is_off: bool) -> SendingSwitch:
    require(user, roles.SEND)
    SendingSwitch.objects.get_or_create(pk=1)
    switch = SendingSwitch.objects.select_for_update().get(pk=1)
    if switch.is_off == is_off:
        return switch
    switch.is_off = is_off
    switch.changed_by = user.get_username()
    switch.changed_at = timezone.now()
    switch.save()
    action = AuditEntry.Action.ALL_STOPPED if is_off else AuditEntry.Action.ALL_ALLOWED
    trail.write(action, user.get_username())
    if not is_off:
        wake_workers()
    return switch

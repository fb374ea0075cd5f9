"""Who may do what. Pages ask again, so that a hidden button is never the only guard."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from notifications.models import Notification


def require(user: User, permission: str) -> None:
    """Raise ``PermissionDenied``, in words, when ``user`` lacks ``permission``."""
    if not user.has_perm(permission):
        raise PermissionDenied(
            _("Your login may not do this. Ask whoever gives out roles here.")
        )


def require_own(user: User, notification: Notification) -> None:
    """People control what they sent themselves; a superuser controls everything."""
    if notification.sender_id != user.pk and not user.is_superuser:
        raise PermissionDenied(
            _("Only %(sender)s can do this, because they wrote the notification.")
            % {"sender": notification.sender_name}
        )

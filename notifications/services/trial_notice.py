"""One real notice to a group of one's own, to see the whole way once."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from notifications.models import Notification
from notifications.selectors.audiences import audience_of

from . import sending, writing


@transaction.atomic
def send_trial_notice(user: User, group_id: str) -> Notification:
    """Send a short text, marked as a test, to one group of the list.

    It is a notification like any other: a worker calls it at the pace, and it stays in
    the history. The text is in the language of the moment. Raises ``PermissionDenied``;
    ``ValidationError`` for a group that cannot be sent to.
    """
    draft = writing.save_draft(
        user,
        writing.Draft(
            content=_(
                "[Test] This notice tries out the connection of the notification "
                "console. There is nothing to do."
            ),
            audience=Notification.Audience.CHOSEN,
            audience_values=[group_id] if group_id else [],
            note=_("Test of the connection"),
        ),
    )
    return sending.send(user, draft.pk, digest=audience_of(draft).digest)

"""Writing a notification: what may be in a draft, and saving it.

Nothing is sent here. The same checks run in the form, here and, for what can change
meanwhile, again in ``sending.send``.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from notifications import audit_log, permissions
from notifications.audiences.audience import Values, build_audience
from notifications.audiences.validation import check_audience, clean_values
from notifications.compose.audit_events import DRAFT_DELETED, DRAFT_SAVED
from notifications.compose.content import clean_content
from notifications.compose.recipients import clean_recipients
from notifications.groups.ids import count_duplicates
from notifications.models import Notification
from notifications.models.notifications import join_recipients
from notifications.permissions import require, require_own
from notifications.ui.text import clean_note

Kind = Notification.Audience

_written = attrgetter("content", "note", "recipients", "audience", "audience_values")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person entered; the values as ``Notification.audience_values`` has them.

    ``recipients`` is ``None`` for everyone in the group; an empty list means that
    members were to be named and none was, which is an error, never "everyone".
    ``repeated`` says of a checked draft how many IDs were given more than once.
    """

    content: str
    audience: str
    audience_values: Values = ()
    recipients: Sequence[str] | None = None
    note: str = ""
    token: uuid.UUID | None = None
    repeated: int = 0


def check_draft(draft: Draft) -> Draft:
    """The draft with cleaned fields.

    Raises ``ValidationError`` with all problems by field: ``content``, ``note``,
    ``recipients``, and those of ``meant_groups.check_audience``.
    """
    errors: dict[str, list[ValidationError]] = {}

    @contextmanager
    def collecting(field: str) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            by_field = getattr(error, "error_dict", None) or {field: error.error_list}
            for name, problems in by_field.items():
                # What is said of a rule as a whole belongs to the choice.
                about = field if name == NON_FIELD_ERRORS else name
                errors.setdefault(about, []).extend(problems)

    content, note, recipients, values = "", "", None, draft.audience_values
    with collecting("content"):
        content = clean_content(draft.content)
    with collecting("note"):
        note = clean_note(draft.note)
    with collecting("recipients"):
        recipients = clean_recipients(draft.recipients)
    with collecting("audience"):
        values = clean_values(values)
        check_audience(
            build_audience(draft.audience, values, names_members=recipients is not None)
        )
    if errors:
        raise ValidationError(errors)
    again = count_duplicates(draft.recipients or ())
    if draft.audience == Kind.CHOSEN:
        again += count_duplicates(list(draft.audience_values))
    return Draft(content, draft.audience, values, recipients, note, draft.token, again)


@transaction.atomic
def save_draft(
    user: User, draft: Draft, *, notification_id: int | None = None
) -> Notification:
    """Check and save; edits the draft ``notification_id`` when it is given.

    A form sent twice (same token) changes the same draft. When that draft has been
    sent meanwhile, it is returned as it is: the caller shows its page.
    """
    require(user, permissions.SEND)
    cleaned = check_draft(draft)
    known = None
    if notification_id is not None:
        known = Notification.objects.select_for_update().get(pk=notification_id)
    elif cleaned.token is not None:
        known = (
            Notification.objects.select_for_update().filter(token=cleaned.token).first()
        )
    if known is not None:
        require_own(user, known)
        if known.status != Notification.Status.DRAFT:
            return known
    notification = known or Notification(
        sender=user, token=cleaned.token or uuid.uuid4()
    )
    before = _written(notification)
    notification.sender_name = user.get_username()
    notification.content = cleaned.content
    notification.note = cleaned.note
    notification.recipients = join_recipients(cleaned.recipients)
    notification.audience = cleaned.audience
    notification.audience_values = cleaned.audience_values
    notification.save()
    if known is None or _written(notification) != before:
        audit_log.write(
            DRAFT_SAVED,
            user.get_username(),
            notification=notification.pk,
            audience=cleaned.audience,
            **_chosen(cleaned),
            note=cleaned.note,
        )
    return notification


@transaction.atomic
def delete_draft(user: User, notification_id: int) -> None:
    """Throw a draft of one's own away; what was sent stays.

    Raises ``Notification.DoesNotExist`` when it is no draft (any more).
    """
    require(user, permissions.SEND)
    draft = Notification.objects.select_for_update().get(
        pk=notification_id, status=Notification.Status.DRAFT
    )
    require_own(user, draft)
    audit_log.write(DRAFT_DELETED, user.get_username(), notification=draft.pk)
    draft.delete()


def _chosen(draft: Draft) -> dict[str, Any]:
    """What the entry says of the groups: how many, or which rule or saved audience."""
    if draft.audience == Kind.RULE:
        return {"rule": draft.audience_values}
    if draft.audience == Kind.SAVED:
        return {"saved": "".join(draft.audience_values)}
    return {"chosen": len(draft.audience_values)}

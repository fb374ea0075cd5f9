"""Validation, saving and deletion of drafts.

The form and ``save_draft`` call the same checks; ``send`` repeats those whose result
may have changed.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import audit_log, permissions
from notifications.audiences.audience import Values, build_audience
from notifications.audiences.validation import check_audience, clean_values
from notifications.compose.audit_events import DRAFT_DELETED, DRAFT_SAVED
from notifications.compose.message_options import (
    check_channel,
    check_options,
    stored_options,
)
from notifications.compose.recipients import clean_recipients
from notifications.compose.services.preparation import require_unprepared
from notifications.delivery.channels import CHANNELS, WRITABLE
from notifications.groups.ids import count_duplicates
from notifications.models import Channel, Notification, SavedAudience
from notifications.models.notifications import join_recipients
from notifications.permissions import require, require_own_draft
from notifications.record.draft_versions import keep_version
from notifications.tencent.message_options import MessageOptions
from notifications.ui.text import clean_note, has_control

Kind = Notification.Audience

# A form with other values than these is a change of the draft.
COMPARED = [
    "content",
    "note",
    "recipients",
    "audience",
    "audience_values",
    "channel",
    "message_options",
]


class DraftChanged(ValidationError):
    """The draft has been changed since the page with the form was opened.

    ``entered`` is an unsaved notification with the values of the form, if there are any.
    """

    def __init__(self, stored: Notification, entered: Notification | None = None):
        super().__init__(
            _("The draft was changed meanwhile, for example in another tab.")
        )
        self.stored = stored
        self.entered = entered


@dataclass(frozen=True, slots=True)
class Draft:
    """The input of a person; ``audience_values`` as in ``Notification``.

    ``recipients`` is ``None`` for everyone in the group; an empty list is an error
    (“named members” without any), never everyone. ``version`` is the one of the stored
    draft that was edited. ``duplicates``: in a checked draft, how many IDs were entered
    more than once.
    """

    content: str
    audience: str
    audience_values: Values = ()
    recipients: Sequence[str] | None = None
    note: str = ""
    channel: str = Channel.SYSTEM_NOTIFICATION
    options: MessageOptions = field(default_factory=MessageOptions)
    token: uuid.UUID | None = None
    version: int = 0
    duplicates: int = 0


def clean_content(text: str) -> str:
    """The text as it is sent: stripped, with LF as line end.

    Raises ``ValidationError`` if it is empty, contains control characters, or is longer
    than ``IM_CONTENT_MAX_BYTES`` bytes of UTF-8. Tencent documents no limit for system
    notifications; 8000 bytes is the lowest limit in its documentation of messages.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise ValidationError(_("Write the message."))
    for position, char in enumerate(text, start=1):
        if char not in "\n\t" and has_control(char):
            raise ValidationError(
                _(
                    "Character %(position)d is a control character (%(code)s), which "
                    "no chat can show. Remove it."
                )
                % {"position": position, "code": f"U+{ord(char):04X}"}
            )
    excess = len(text.encode()) - settings.IM_CONTENT_MAX_BYTES
    if excess > 0:
        raise ValidationError(
            ngettext(
                "The message is %(n)d byte too long. A Chinese character counts as 3.",
                "The message is %(n)d bytes too long. A Chinese character counts as 3.",
                excess,
            )
            % {"n": excess}
        )
    return text


def check_draft(draft: Draft) -> Draft:
    """The draft with cleaned fields.

    Raises ``ValidationError`` with all problems by field: ``content``, ``note``,
    ``recipients``, ``channel``, the options, and those of ``check_audience``.
    """
    if draft.channel not in WRITABLE:
        sentence = _("“%(channel)s” is not a channel.") % {"channel": draft.channel}
        raise ValidationError({"channel": sentence})
    errors: dict[str, list[ValidationError]] = {}

    @contextmanager
    def collecting(field: str) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            by_field = getattr(error, "error_dict", None) or {field: error.error_list}
            for name, problems in by_field.items():
                # An error of the whole rule is an error of the field “audience”.
                target = field if name == NON_FIELD_ERRORS else name
                errors.setdefault(target, []).extend(problems)

    content, note, recipients, values = "", "", None, draft.audience_values
    with collecting("content"):
        content = clean_content(draft.content)
    with collecting("note"):
        note = clean_note(draft.note)
    with collecting("channel"):
        check_channel(draft.channel)
    with collecting("recipients"):
        recipients = clean_recipients(
            draft.recipients, limit=CHANNELS[draft.channel].max_recipients
        )
    names_members = recipients is not None
    with collecting("channel"):
        check_options(
            draft.channel, draft.options, names_members=names_members, text=content
        )
    with collecting("audience"):
        values = clean_values(values)
        check_audience(
            build_audience(
                draft.audience,
                values,
                names_members=names_members,
                channel=draft.channel,
                options=draft.options,
            )
        )
    if errors:
        raise ValidationError(errors)
    duplicates = count_duplicates(draft.recipients or ())
    if draft.audience == Kind.CHOSEN:
        duplicates += count_duplicates(list(draft.audience_values))
    return replace(
        draft,
        content=content,
        audience_values=values,
        recipients=recipients,
        note=note,
        duplicates=duplicates,
    )


@transaction.atomic
def save_draft(
    user: User, draft: Draft, *, notification_id: int | None = None
) -> Notification:
    """Check and save a draft; with ``notification_id``, update that draft.

    A form that is submitted twice (same token) is one draft. A draft that has been sent
    since is returned unchanged: the caller shows its page.

    Raises ``PermissionDenied``; ``ValidationError`` by field; ``DraftChanged`` if the
    stored draft has another version than ``draft`` and other values;
    ``Notification.DoesNotExist`` if the draft was deleted.
    """
    user = require(user, permissions.SEND)
    if draft.audience == Kind.SAVED:
        # A change of its name waits until the draft has it, or came before this check.
        audiences = SavedAudience.objects.filter(name__in=draft.audience_values)
        list(audiences.order_by("pk").select_for_update(no_key=True))
    cleaned = check_draft(draft)
    if notification_id is not None:
        stored = Notification.objects.select_for_update().get(pk=notification_id)
    else:
        new = Notification(
            token=cleaned.token or uuid.uuid4(),
            sender=user,
            sender_name=user.get_username(),
            **_columns(user, cleaned),
        )
        inserted = _insert_or_lock(new)
        if inserted is new:
            _write_saved(user, new)
            return new
        stored = inserted
    require_own_draft(user, stored)
    entered = _columns(user, cleaned)
    if stored.status != Notification.Status.DRAFT or all(
        getattr(stored, name) == entered[name] for name in COMPARED
    ):
        return stored
    if stored.version != cleaned.version:
        raise DraftChanged(stored, Notification(pk=stored.pk, **entered))
    for name, value in entered.items():
        setattr(stored, name, value)
    stored.version += 1
    stored.save()
    _write_saved(user, stored)
    return stored


def _columns(user: User, draft: Draft) -> dict[str, Any]:
    return {
        "content": draft.content,
        "note": draft.note,
        "recipients": join_recipients(draft.recipients),
        "audience": draft.audience,
        "audience_values": draft.audience_values,
        "channel": draft.channel,
        "message_options": stored_options(draft.options),
        "written_by": user,
        "written_by_name": user.get_username(),
    }


def _insert_or_lock(draft: Notification) -> Notification:
    """Insert the draft, or lock the one that exists with its token."""
    same_token = Notification.objects.select_for_update().filter(token=draft.token)
    if stored := same_token.first():
        return stored
    try:
        with transaction.atomic():
            draft.save(force_insert=True)
    except IntegrityError:
        # The same form was submitted a second time, and the first submission committed
        # between the two statements.
        stored = same_token.first()
        if stored is None:
            raise
        return stored
    return draft


def _write_saved(user: User, draft: Notification) -> None:
    audit_log.write(
        DRAFT_SAVED,
        user.get_username(),
        notification=draft.pk,
        **keep_version(draft, user.get_username()),
    )


@transaction.atomic
def delete_draft(user: User, notification_id: int, *, version: int) -> None:
    """Delete a draft of the user.

    Raises ``PermissionDenied``; ``DraftChanged`` if the draft has another version;
    ``ValidationError`` if it has deliveries (``require_unprepared``);
    ``Notification.DoesNotExist`` if the notification is not a draft.
    """
    user = require(user, permissions.SEND)
    draft = Notification.objects.select_for_update().get(
        pk=notification_id, status=Notification.Status.DRAFT
    )
    require_own_draft(user, draft)
    if draft.version != version:
        raise DraftChanged(draft)
    require_unprepared(draft)
    audit_log.write(DRAFT_DELETED, user.get_username(), notification=draft.pk)
    draft.delete()

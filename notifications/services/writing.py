"""Writing a notification: what may be in a draft, and saving it.

Nothing is sent here. The same checks run in the form, here and, for what can change
meanwhile, again in ``sending.send``.
"""

import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import roles
from notifications.conf import MAX_RECIPIENTS
from notifications.im.rules import is_user_id
from notifications.models import AuditEntry, GroupType, Notification
from notifications.models.notifications import NOTE_MAX_LENGTH, join_recipients
from notifications.record import trail
from notifications.selectors.audiences import Audience, audience

from .entered_ids import repeated
from .permissions import require, require_own

NAMED_IN_MESSAGE = 5
_written = attrgetter("content", "note", "recipients", "audience", "audience_values")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person entered.

    ``recipients`` is ``None`` for everyone in the group; an empty list means that
    members were to be named and none was, which is an error, never "everyone".
    ``repeated`` says of a checked draft how many IDs were given more than once.
    """

    content: str
    audience: str
    audience_values: Sequence[str] = ()
    recipients: Sequence[str] | None = None
    note: str = ""
    token: uuid.UUID | None = None
    repeated: int = 0


def clean_content(text: str) -> str:
    """The text as it will be sent: ends trimmed, line ends as LF.

    Raises ``ValidationError`` when it is empty, holds control characters, or is longer
    than ``IM_CONTENT_MAX_BYTES`` bytes of UTF-8. Tencent documents no limit for this
    call; 8000 bytes is the lowest that any of its texts states for messages.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise ValidationError(_("Write the message."))
    for position, char in enumerate(text, start=1):
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t":
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


def clean_note(text: str) -> str:
    """A note for the team, on one line.

    Raises ``ValidationError`` for one that is too long or holds control characters.
    """
    text = " ".join(text.split())
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValidationError(_("The note holds a control character. Remove it."))
    if len(text) > NOTE_MAX_LENGTH:
        raise ValidationError(
            _("The note has %(n)d characters; the limit is %(limit)d.")
            % {"n": len(text), "limit": NOTE_MAX_LENGTH}
        )
    return text


def clean_recipients(ids: Sequence[str] | None) -> list[str] | None:
    """The named members, each once; ``None`` stays ``None`` (everyone)."""
    if ids is None:
        return None
    unique = list(dict.fromkeys(ids))
    if not unique:
        raise ValidationError(
            _("Enter at least one member ID, or pick “Everyone in the group”.")
        )
    wrong = [value for value in unique if not is_user_id(value)]
    if wrong:
        raise ValidationError(
            ngettext("Not a member ID: %(ids)s", "Not member IDs: %(ids)s", len(wrong))
            % {"ids": _some(wrong)}
        )
    if len(unique) > MAX_RECIPIENTS:
        raise ValidationError(
            _("%(n)d IDs entered; the limit is %(limit)d.")
            % {"n": len(unique), "limit": MAX_RECIPIENTS}
        )
    return unique


def clean_audience(kind: str, values: Sequence[str]) -> Audience:
    """The groups meant. Raises ``ValidationError`` naming those that cannot be used."""
    if kind == Notification.Audience.TYPES:
        wrong = [value for value in values if value not in GroupType.values]
        if wrong:
            raise ValidationError(
                _("“%(type)s” is not one of %(types)s.")
                % {"type": wrong[0], "types": ", ".join(GroupType.values)}
            )
    meant = audience(kind, values)
    check_usable(kind, meant)
    return meant


def check_usable(kind: str, meant: Audience) -> None:
    """Raise ``ValidationError`` naming the groups that cannot be used, or for none."""
    problems = []
    if meant.unknown:
        problems.append(
            ngettext(
                "This ID is not in the list of groups: %(ids)s",
                "These IDs are not in the list of groups: %(ids)s",
                len(meant.unknown),
            )
            % {"ids": _some(meant.unknown)}
        )
    if meant.unusable:
        problems.append(
            ngettext(
                "This group is switched off or closed: %(names)s. Remove it.",
                "These groups are switched off or closed: %(names)s. Remove them.",
                len(meant.unusable),
            )
            % {"names": _some([group.name for group in meant.unusable])}
        )
    if problems:
        raise ValidationError(problems)
    if not meant.groups:
        raise ValidationError(
            _("Choose at least one group, or pick “Every group”.")
            if kind == Notification.Audience.CHOSEN
            else _("There is no group in use that this could go to.")
        )


def check_type_rule(meant: Audience, recipients: Sequence[str] | None) -> None:
    """AVChatRoom and BChatRoom take notices for all members only.

    Source: the table of group types on the page of the call, "supports push to
    specific members". The list of members is never widened by itself: that decision
    belongs to the person.
    """
    if recipients is None or not meant.all_members_only:
        return
    names = [group.name for group in meant.all_members_only]
    raise ValidationError(
        ngettext(
            "%(names)s can only be sent to everyone. Remove it, or pick “Everyone in "
            "the group”.",
            "%(names)s can only be sent to everyone. Remove them, or pick “Everyone in "
            "the group”.",
            len(names),
        )
        % {"names": _some(names)}
    )


def check_draft(draft: Draft) -> tuple[Draft, Audience]:
    """The draft with cleaned fields and the groups meant.

    Raises ``ValidationError`` with all problems by field: ``content``, ``note``,
    ``groups``, ``recipients``.
    """
    errors: dict[str, ValidationError] = {}

    @contextmanager
    def collecting(field: str) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            errors[field] = error

    content, note, recipients, meant = "", "", None, Audience([])
    values = list(dict.fromkeys(draft.audience_values))
    with collecting("content"):
        content = clean_content(draft.content)
    with collecting("note"):
        note = clean_note(draft.note)
    with collecting("groups"):
        meant = clean_audience(draft.audience, values)
    with collecting("recipients"):
        recipients = clean_recipients(draft.recipients)
        check_type_rule(meant, recipients)
    if errors:
        raise ValidationError(errors)
    again = repeated(draft.audience_values) + repeated(draft.recipients or ())
    return (
        Draft(content, draft.audience, values, recipients, note, draft.token, again),
        meant,
    )


@transaction.atomic
def save_draft(
    user: User, draft: Draft, *, notification_id: int | None = None
) -> Notification:
    """Check and save; edits the draft ``notification_id`` when it is given.

    A form sent twice (same token) changes the same draft. When that draft has been
    sent meanwhile, it is returned as it is: the caller shows its page.
    """
    require(user, roles.SEND)
    cleaned, _meant = check_draft(draft)
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
    notification.audience_values = list(cleaned.audience_values)
    notification.save()
    if known is None or _written(notification) != before:
        trail.write(
            AuditEntry.Action.DRAFT_SAVED,
            user.get_username(),
            notification=notification.pk,
            audience=cleaned.audience,
            chosen=len(cleaned.audience_values),
            note=cleaned.note,
        )
    return notification


@transaction.atomic
def delete_draft(user: User, notification_id: int) -> None:
    """Throw a draft of one's own away; what was sent stays.

    Raises ``Notification.DoesNotExist`` when it is no draft (any more).
    """
    require(user, roles.SEND)
    draft = Notification.objects.select_for_update().get(
        pk=notification_id, status=Notification.Status.DRAFT
    )
    require_own(user, draft)
    trail.write(
        AuditEntry.Action.DRAFT_DELETED, user.get_username(), notification=draft.pk
    )
    draft.delete()


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(names[:NAMED_IN_MESSAGE])
    more = len(names) - NAMED_IN_MESSAGE
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": shown,
        "n": more,
    }

"""Use cases of saved audiences: rules with a name, which people can choose again."""

from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.audiences.audit_events import (
    AUDIENCE_DELETED,
    AUDIENCE_SAVED,
    DRAFT_FOLLOWED,
)
from notifications.audiences.rule import clean_rule
from notifications.models import Label, Notification, Rule, SavedAudience
from notifications.models.audiences import AUDIENCE_NAME_MAX_LENGTH
from notifications.permissions import require
from notifications.record.draft_versions import keep_version
from notifications.ui.made_from import fingerprint, refuse_old_page
from notifications.ui.text import has_control


class AudienceChanged(Exception):
    """Another person saved the audience, or renamed one of its labels, meanwhile."""


@transaction.atomic
def save(
    user: User,
    name: str,
    rule: Rule,
    *,
    pk: int | None = None,
    shown: SavedAudience | None = None,
) -> SavedAudience:
    """Save a rule under a name; with ``pk``, update that audience.

    ``shown`` is the audience as the user has seen it. Raises ``AudienceChanged`` if it
    was changed since, and ``ValidationError`` by field: ``name``, or one of ``Rule``.
    """
    require(user, permissions.CHANGE_AUDIENCES)
    rule = clean_rule(rule)
    # Locks the labels against deletion and renaming until the commit.
    labels = Label.objects.filter(name__in=rule.labels).order_by("pk")
    if len(labels.select_for_update(no_key=True)) < len(
        rule.labels
    ):  # changed since clean_rule
        rule = clean_rule(rule)
    audience = SavedAudience(stored_rule={})
    if pk is not None:
        audience = SavedAudience.objects.select_for_update().get(pk=pk)
    before = _values(audience)
    if shown is not None and _values(shown) != before:
        raise AudienceChanged
    audience.name = _clean_name(name, pk)
    audience.stored_rule = rule.as_json()
    changed = {key: v for key, v in _values(audience).items() if v != before[key]}
    if not changed:
        return audience
    audience.changed_by = user.get_username()
    try:
        with transaction.atomic():
            audience.save()
    except IntegrityError:
        _clean_name(name, pk)  # another one got this name meanwhile
        raise
    audit_log.write(
        AUDIENCE_SAVED,
        user.get_username(),
        audience=audience.name,
        before={key: before[key] for key in changed} if pk is not None else {},
        after=changed,
    )
    if pk is not None and "name" in changed:
        _rename_in_drafts(user, before["name"], audience.name)
    return audience


def _rename_in_drafts(user: User, before: str, after: str) -> None:
    """Drafts refer to their audience by name; a form with the old name is refused.

    Each of these drafts gets a new version, with an entry that names who renamed the
    audience. The author of the text stays the same.
    """
    drafts = Notification.objects.filter(
        status=Notification.Status.DRAFT,
        audience=Notification.Audience.SAVED,
        audience_values=[before],
    )
    for draft in drafts.order_by("pk").select_for_update():
        draft.audience_values = [after]
        draft.version += 1
        draft.save(update_fields=["audience_values", "version"])
        audit_log.write(
            DRAFT_FOLLOWED,
            user.get_username(),
            notification=draft.pk,
            before=before,
            after=after,
            **keep_version(draft, draft.written_by_name),
        )


@transaction.atomic
def delete(user: User, pk: int, *, shown: str | None = None) -> None:
    """Delete an audience; notifications that were sent to it are not changed.

    ``shown`` is the ``audience_shown`` of the page. Raises ``ChangedSinceShown``.
    """
    require(user, permissions.CHANGE_AUDIENCES)
    audience = SavedAudience.objects.select_for_update().get(pk=pk)
    refuse_old_page(shown, _values(audience))
    audience.delete()
    audit_log.write(
        AUDIENCE_DELETED,
        user.get_username(),
        audience=audience.name,
        before=audience.stored_rule,
        after={},
    )


def audience_shown(audience: SavedAudience) -> str:
    """Identifies name and rule for the form that deletes the audience."""
    return fingerprint(_values(audience))


def _clean_name(name: str, pk: int | None) -> str:
    """``clean_name``, with its error at the field ``name``."""
    try:
        return clean_name(name, pk)
    except ValidationError as error:
        raise ValidationError({"name": error}) from None


def clean_name(text: str, pk: int | None = None) -> str:
    """Raises ``ValidationError`` for an invalid name, or the name of another audience
    than ``pk``.
    """
    name = " ".join(text.split())
    if has_control(name):
        problem = _("The name holds a control character. Remove it.")
    elif not name or len(name) > AUDIENCE_NAME_MAX_LENGTH:
        problem = _("The name must have 1 to %(n)d characters, on one line.") % {
            "n": AUDIENCE_NAME_MAX_LENGTH
        }
    elif SavedAudience.objects.filter(name=name).exclude(pk=pk or 0).exists():
        problem = _("There is an audience “%(name)s” already.") % {"name": name}
    else:
        return name
    raise ValidationError(problem)


def _values(audience: SavedAudience) -> dict[str, Any]:
    """Name and conditions as plain JSON values; an empty condition matches all."""
    return {"name": audience.name} | {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(audience.rule).items()
    }

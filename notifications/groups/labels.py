"""Labels: validation, adding, removing, renaming, deleting.

A label comes to be when the first group gets it. One that no group has any more stays,
so that a saved audience never asks for a word that means nothing.
"""

import re
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import audit_log, permissions
from notifications.db.sql import insert_select, quoted_table
from notifications.groups.audit_events import (
    LABEL_DELETED,
    LABEL_RENAMED,
    LABELS_PUT,
    LABELS_TAKEN,
)
from notifications.models import ChatGroup, Label, SavedAudience
from notifications.models.groups import LABEL_MAX_LENGTH
from notifications.permissions import require
from notifications.ui.text import has_control

# Commas, semicolons, upright strokes: between labels, so never within one.
SEPARATORS = re.compile(r"[,;|，；、｜\r\n]")


def clean_label(name: str) -> str:
    """The label without spaces around it, and with single ones within.

    Raises ``ValidationError`` for what is no label.
    """
    label = " ".join(name.split())
    if not label:
        raise ValidationError(_("Write the label."))
    if len(label) > LABEL_MAX_LENGTH:
        raise ValidationError(
            _("The label “%(label)s” has %(n)d characters; the limit is %(limit)d.")
            % {
                "label": f"{label[:LABEL_MAX_LENGTH]}…",
                "n": len(label),
                "limit": LABEL_MAX_LENGTH,
            }
        )
    if SEPARATORS.search(label):
        raise ValidationError(
            _("The label “%(label)s” has a comma, semicolon or stroke. Leave it out.")
            % {"label": label}
        )
    if has_control(label):
        raise ValidationError(
            _("The label “%(label)s” has a character that cannot be shown.")
            % {"label": label}
        )
    return label


def split_labels(text: str) -> list[str]:
    """Labels with any separator between them, each once, whatever its capitals.

    Raises ``ValidationError`` as ``clean_label`` does, with all that is wrong.
    """
    found: dict[str, str] = {}
    problems: list[ValidationError] = []
    for part in SEPARATORS.split(text):
        if not part.strip():
            continue
        try:
            label = clean_label(part)
        except ValidationError as error:
            problems.append(error)
        else:
            found.setdefault(label.lower(), label)
    if problems:
        raise ValidationError(problems)
    return list(found.values())


NAMED = 1000  # groups named in an entry of the audit trail; all of them are counted

Link = ChatGroup.labels.through


@transaction.atomic
def add_labels(user: User, groups: QuerySet[ChatGroup], names: Sequence[str]) -> int:
    """Give each of the groups these labels; returns how many had not all of them.

    Raises ``ValidationError`` for a name that is none, or no name at all.
    """
    require(user, permissions.CHANGE_GROUPS)
    if not names:
        raise ValidationError(_("Choose a label, or write a new one."))
    labels = get_or_create_labels(names)
    with_all = (
        Link.objects.filter(label__in=labels)
        .values("chatgroup_id")
        .annotate(count=Count("id"))
        .filter(count=len(labels))  # type: ignore[misc]  # annotated just above
    )
    lacking = groups.exclude(pk__in=with_all.values("chatgroup_id"))
    changed = lacking.count()
    if changed:
        _record(LABELS_PUT, user, labels, changed, lacking)
        _insert_links(groups, labels)
    return changed


@transaction.atomic
def remove_labels(user: User, groups: QuerySet[ChatGroup], names: Sequence[str]) -> int:
    """Take these labels off the groups; returns how many had one of them."""
    require(user, permissions.CHANGE_GROUPS)
    if not names:
        raise ValidationError(_("Choose a label."))
    labels = list(Label.objects.filter(name__in=names))
    links = Link.objects.filter(label__in=labels, chatgroup__in=_ids(groups))
    changed = set(links.values_list("chatgroup_id", flat=True))
    if changed:
        first = ChatGroup.objects.filter(pk__in=sorted(changed)[:NAMED])
        _record(LABELS_TAKEN, user, labels, len(changed), first)
        links.delete()
    return len(changed)


@transaction.atomic
def set_labels(user: User, group: ChatGroup, names: Sequence[str]) -> None:
    """Give one group exactly these labels."""
    one = ChatGroup.objects.filter(pk=group.pk)
    wanted = {name.lower() for name in names}
    had = list(group.labels.values_list("name", flat=True))
    if gone := [name for name in had if name.lower() not in wanted]:
        remove_labels(user, one, gone)
    if names:
        add_labels(user, one, names)


def get_or_create_labels(names: Sequence[str]) -> list[Label]:
    """A label for each name, whatever its capitals; call it inside a transaction.

    Raises ``ValidationError`` for a name that cannot be one.
    """
    clean = [clean_label(name) for name in names]
    Label.objects.bulk_create(
        [Label(name=name) for name in clean], ignore_conflicts=True
    )
    wanted = [Lower(Value(name)) for name in clean]
    found = Label.objects.alias(lower=Lower("name")).filter(lower__in=wanted)
    return list(found.order_by("name"))


@transaction.atomic
def rename(user: User, pk: int, name: str) -> Label:
    """Give a label another name; saved audiences that ask for it go on doing so.

    Raises ``ValidationError`` for a name that is none or that another label has.
    """
    require(user, permissions.CHANGE_GROUPS)
    label = Label.objects.select_for_update().get(pk=pk)
    name, before = clean_label(name), label.name
    same = Label.objects.alias(lower=Lower("name")).filter(lower=Lower(Value(name)))
    if other := same.exclude(pk=pk).first():
        raise ValidationError(
            _("There is a label “%(name)s” already.") % {"name": other.name}
        )
    if name == before:
        return label
    label.name = name
    label.save()
    for audience in _audiences_with(before):
        labels = audience.stored_rule["labels"]
        renamed = sorted(name if word == before else word for word in labels)
        audience.stored_rule = audience.stored_rule | {"labels": renamed}
        audience.save(update_fields=["stored_rule"])  # nobody changed what it means
    audit_log.write(LABEL_RENAMED, user.get_username(), label=before, new=name)
    return label


@transaction.atomic
def delete(user: User, pk: int) -> None:
    """Take a label off all groups and delete it.

    Raises ``ValidationError`` that names the saved audiences which ask for it.
    """
    require(user, permissions.CHANGE_GROUPS)
    label = Label.objects.select_for_update().get(pk=pk)
    if audiences := audiences_with(label.name):
        raise ValidationError(
            ngettext(
                "An audience uses this label: %(names)s. Change it first.",
                "Audiences use this label: %(names)s. Change them first.",
                len(audiences),
            )
            % {"names": ", ".join(audiences)}
        )
    count = Link.objects.filter(label=label).count()
    label.delete()
    audit_log.write(LABEL_DELETED, user.get_username(), label=label.name, groups=count)


def audiences_with(label: str) -> list[str]:
    """The names of the saved audiences that ask for a label."""
    return [audience.name for audience in _audiences_with(label)]


def _audiences_with(label: str) -> list[SavedAudience]:
    # There are few; what JSON holds is asked in another way by each database.
    every = SavedAudience.objects.order_by("name")
    return [one for one in every if label in one.rule.labels]


def _ids(groups: QuerySet[ChatGroup]) -> QuerySet[ChatGroup, int]:
    return groups.order_by().values_list("pk", flat=True)


def _insert_links(groups: QuerySet[ChatGroup], labels: Sequence[Label]) -> None:
    """The database makes the rows itself: 100,000 of them in a second, not in five.

    One statement: which groups are meant may itself depend on their labels.
    """
    chosen, parameters = groups.order_by().values_list("id").query.sql_with_params()
    pks = ", ".join(f"{label.pk:d}" for label in labels)
    # A link that somebody else makes at this moment is as good as ours.
    insert_select(
        Link,
        ["chatgroup", "label"],
        f"SELECT chosen.id, label.id FROM ({chosen}) AS chosen "  # noqa: S608  no text of others
        f"CROSS JOIN {quoted_table(Label)} AS label WHERE label.id IN ({pks})",
        parameters,
        on_conflict="DO NOTHING",
    )


def _record(
    event: audit_log.Event,
    user: User,
    labels: Sequence[Label],
    count: int,
    changed: QuerySet[ChatGroup],
) -> None:
    audit_log.write(
        event,
        user.get_username(),
        labels=[label.name for label in labels],
        groups=count,
        named=list(changed.order_by("pk").values_list("group_id", flat=True)[:NAMED]),
    )

"""Labels: adding, removing, renaming, deleting.

A label is created when it is added to the first group. A label without groups is kept,
so that a saved audience never refers to a missing label.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import audit_log, permissions
from notifications.db.sql import insert_select, lock_tables, quoted_table
from notifications.groups.audit_events import (
    LABEL_DELETED,
    LABEL_RENAMED,
    LABELS_ADDED,
    LABELS_REMOVED,
)
from notifications.groups.label_names import clean_label
from notifications.models import ChatGroup, Label, SavedAudience
from notifications.permissions import require
from notifications.ui.made_from import fingerprint, refuse_old_page

Link = ChatGroup.labels.through

# Parameters of the list of groups; empty for all of them.
Filters = Mapping[str, str] | None

# Changed by labels, imports and the form of a group: locked in this order.
TABLES = (ChatGroup, Label, Link)


@transaction.atomic
def add_labels(
    user: User,
    groups: QuerySet[ChatGroup],
    names: Sequence[str],
    *,
    filters: Filters = None,
) -> int:
    """Add labels to groups; return the number of groups that lacked any of them.

    ``filters`` selected the groups, for the audit entry; ``None`` for single groups.
    Raises ``ValidationError`` if a name is invalid or if there are no names.
    """
    require(user, permissions.CHANGE_GROUPS)
    if not names:
        raise ValidationError(_("Choose a label, or write a new one."))
    lock_tables(*TABLES, shared=True)
    labels = get_or_create_labels(names)
    with_all = (
        Link.objects.filter(label__in=labels)
        .values("chatgroup_id")
        .annotate(count=Count("id"))
        .filter(count=len(labels))  # type: ignore[misc]  # annotated just above
    )
    changed = groups.exclude(pk__in=with_all.values("chatgroup_id"))
    group_ids = list(changed.order_by().values_list("group_id", flat=True))
    if group_ids:
        _write_audit_entry(LABELS_ADDED, user, labels, group_ids, filters)
        _insert_links(groups, labels)
    return len(group_ids)


@transaction.atomic
def remove_labels(
    user: User,
    groups: QuerySet[ChatGroup],
    names: Sequence[str],
    *,
    filters: Filters = None,
) -> int:
    """Remove labels from groups; return the number of groups that had any of them."""
    require(user, permissions.CHANGE_GROUPS)
    if not names:
        raise ValidationError(_("Choose a label."))
    lock_tables(*TABLES, shared=True)
    labels = _locked(Label.objects.filter(name__in=names))
    links = Link.objects.filter(
        label__in=labels, chatgroup__in=groups.order_by().values("pk")
    )
    group_ids = set(links.values_list("chatgroup__group_id", flat=True))
    if group_ids:
        _write_audit_entry(LABELS_REMOVED, user, labels, group_ids, filters)
        links.delete()
    return len(group_ids)


@transaction.atomic
def set_labels(
    user: User, group: ChatGroup, names: Sequence[str], *, shown: Sequence[str]
) -> None:
    """Change the labels of one group from ``shown``, as the user has seen them.

    A label that was added since is kept.
    """
    groups = ChatGroup.objects.filter(pk=group.pk)
    keys = {name.lower() for name in names}
    if removed := [name for name in shown if name.lower() not in keys]:
        remove_labels(user, groups, removed)
    if names:
        add_labels(user, groups, names)


def get_or_create_labels(names: Sequence[str]) -> list[Label]:
    """One label for each name, regardless of case, locked. Requires a transaction.

    Raises ``ValidationError`` for an invalid name.
    """
    names = [clean_label(name) for name in names]
    Label.objects.bulk_create(
        [Label(name=name) for name in sorted(names, key=str.lower)],
        ignore_conflicts=True,
    )
    keys = [Lower(Value(name)) for name in names]
    labels = Label.objects.alias(lower=Lower("name")).filter(lower__in=keys)
    return sorted(_locked(labels), key=lambda label: label.name)


def _locked(labels: QuerySet[Label]) -> list[Label]:
    """Lock labels whose groups change: until the commit, none is renamed or deleted."""
    return list(labels.order_by("pk").select_for_update(no_key=True))


@transaction.atomic
def rename(user: User, pk: int, name: str, *, shown: str = "") -> Label:
    """Rename a label, also in the saved audiences that use it.

    ``shown`` is the name that the user has seen. Raises ``ValidationError`` if the label
    has another name now, or if the new name is invalid or belongs to another label.
    """
    require(user, permissions.CHANGE_GROUPS)
    lock_tables(*TABLES, shared=True)
    label = Label.objects.select_for_update().get(pk=pk)
    name, before = clean_label(name), label.name
    if shown and shown != before:
        raise ValidationError(
            _(
                "The label is not called “%(shown)s” any more but “%(name)s”. Look again; "
                "to rename it, save once more."
            )
            % {"shown": shown, "name": before}
        )
    _check_unused(name, pk)
    if name == before:
        return label
    label.name = name
    try:
        with transaction.atomic():
            label.save(update_fields=["name"])
    except IntegrityError:
        _check_unused(name, pk)  # added since
        raise
    # Locked: an edit of an audience that is saved meanwhile is kept, and one that still
    # names the old label is refused, because saving locks the labels as well.
    for audience in _audiences_with(before, SavedAudience.objects.select_for_update()):
        labels = audience.stored_rule["labels"]
        renamed = sorted(name if word == before else word for word in labels)
        audience.stored_rule = audience.stored_rule | {"labels": renamed}
        audience.save(
            update_fields=["stored_rule"]
        )  # not changed_by: the meaning is the same
    audit_log.write(LABEL_RENAMED, user.get_username(), label=before, new=name)
    return label


def _check_unused(name: str, pk: int) -> None:
    """Raise ``ValidationError`` if another label than ``pk`` has the name."""
    same_name = Label.objects.alias(lower=Lower("name")).filter(
        lower=Lower(Value(name))
    )
    if other := same_name.exclude(pk=pk).first():
        raise ValidationError(
            _("There is a label “%(name)s” already.") % {"name": other.name}
        )


@transaction.atomic
def delete(user: User, pk: int, *, shown: str | None = None) -> None:
    """Delete a label and remove it from all groups.

    ``shown`` is the ``label_shown`` of the page. Raises ``ChangedSinceShown``;
    ``ValidationError`` with the saved audiences that use the label.
    """
    require(user, permissions.CHANGE_GROUPS)
    lock_tables(*TABLES, shared=True)
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
    refuse_old_page(shown, label.name, count)
    label.delete()
    audit_log.write(LABEL_DELETED, user.get_username(), label=label.name, groups=count)


def label_shown(label: Label) -> str:
    """Identifies the name and the number of groups for the form that deletes it."""
    return fingerprint(label.name, Link.objects.filter(label=label).count())


def audiences_with(label: str) -> list[str]:
    """Names of the saved audiences that use a label."""
    audiences = _audiences_with(label, SavedAudience.objects.all())
    return sorted(audience.name for audience in audiences)


def _audiences_with(
    label: str, audiences: QuerySet[SavedAudience]
) -> list[SavedAudience]:
    # Filtered here: there are few, and JSON lookups differ between the databases.
    return [one for one in audiences.order_by("pk") if label in one.rule.labels]


def _insert_links(groups: QuerySet[ChatGroup], labels: Sequence[Label]) -> None:
    """Insert with INSERT … SELECT: 100,000 rows take one second instead of five.

    It is one statement because the selection of groups may itself depend on labels.
    """
    selected, parameters = groups.order_by().values_list("id").query.sql_with_params()
    pks = ", ".join(f"{label.pk:d}" for label in labels)
    # A concurrent transaction may insert the same link.
    insert_select(
        Link,
        ["chatgroup", "label"],
        f"SELECT selected.id, label.id FROM ({selected}) AS selected "  # noqa: S608  no user input
        f"CROSS JOIN {quoted_table(Label)} AS label WHERE label.id IN ({pks})",
        parameters,
        on_conflict="DO NOTHING",
    )


def _write_audit_entry(
    event: audit_log.Event,
    user: User,
    labels: Sequence[Label],
    group_ids: Collection[str],
    filters: Filters,
) -> None:
    names = sorted(label.name for label in labels)
    detail: dict[str, Any] = {"labels": names[: audit_log.MAX_NAMED]}
    if len(names) > audit_log.MAX_NAMED:
        detail |= {
            "labels_count": len(names),
            "labels_digest": audit_log.digest_of(names),
        }
    audit_log.write(
        event,
        user.get_username(),
        **detail,
        groups=len(group_ids),
        **audit_log.named(group_ids, filters),
    )

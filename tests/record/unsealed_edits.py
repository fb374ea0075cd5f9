"""Random edits of what no seal covers: unsealed rows, references and the guards."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import ForeignKey

from notifications.models import (
    Archive,
    Attempt,
    Delivery,
    DeliveryQuery,
    Notification,
    Seal,
    Tally,
)
from notifications.record.guards.install import guards_disabled
from notifications.record.guards.triggers import DISABLED_VARIABLE, guards
from notifications.record.stored_types import noun_of
from tests.factories import MOMENT, make_delivery, make_notification
from tests.record.random_edits import Edit
from tests.record.tampering import delete, edit, sql

OPEN = [Notification.Status.SENDING, Notification.Status.PAUSED]


def _unsealed(random: Random, **where: Any) -> Notification:
    rows = Notification.objects.filter(seal__isnull=True, **where).order_by("pk")
    return random.choice(list(rows))


def fabricated(random: Random) -> Edit:
    values: dict[str, Any] = random.choice(
        [
            {"status": "paused"},
            {"status": "sending"},
            {"status": "scheduled", "scheduled_for": MOMENT + timedelta(days=1)},
            {"status": "completed"},
            {"status": "cancelled"},
        ]
    )
    row = make_notification(**values)
    for _n in range(random.randint(0, 2)):
        make_delivery(row, status=random.choice(["queued", "accepted"]))
    return Edit(Notification, "fabricated", f"{values}", [f"notification {row.pk}"])


def removed(random: Random) -> Edit:
    row = _unsealed(random, status__in=OPEN)
    with guards_disabled():
        for delivery in row.deliveries.all():
            delete(delivery)
        delete(row)
    return Edit(Notification, "removed", f"{row.pk}", [f"notification {row.pk}"])


def another_number_of_deliveries(random: Random) -> Edit:
    row = _unsealed(random, status__in=OPEN)
    if random.random() < 0.5:
        make_delivery(row)
    else:
        with guards_disabled():
            delete(random.choice(list(row.deliveries.order_by("pk"))))
    return Edit(
        Delivery,
        "another_number_of_deliveries",
        f"{row.pk}",
        [f"notification {row.pk}"],
    )


def waiting_at_the_end(random: Random) -> Edit:
    row = _unsealed(random, status__in=OPEN)
    with guards_disabled():
        edit(
            row,
            status="completed",
            finished_at=MOMENT,
            paused_reason="",
            paused_by="",
        )
    return Edit(
        Notification, "waiting_at_the_end", f"{row.pk}", [f"notification {row.pk}"]
    )


def tally_of_unsealed(random: Random) -> Edit:
    row = _unsealed(random, status__in=[*OPEN, "completed"])
    tally = Tally.objects.order_by("pk")[0]
    tally.pk, tally.notification = None, row
    tally.save(force_insert=True)
    return Edit(Tally, "tally_of_unsealed", f"{row.pk}", [f"tally {tally.pk}"])


def writer_changed(random: Random) -> Edit:
    """Of a draft, or of a notification that is sent again."""
    row = _unsealed(random, status__in=["draft", "sending"])
    with guards_disabled():
        edit(row, written_by_id=User.objects.get(username="outside").pk)
    nouns = ("draft", "notification")
    return Edit(
        Notification, "writer_changed", f"{row.pk}", [f"{n} {row.pk}" for n in nouns]
    )


def orphaned(random: Random) -> Edit:
    """As while the database does not check foreign keys."""
    model = random.choice(
        [Notification, Delivery, Attempt, DeliveryQuery, Seal, Tally, Archive]
    )
    keys = [f for f in model._meta.concrete_fields if isinstance(f, ForeignKey)]
    key = random.choice(keys)
    rows = model.objects.exclude(**{key.attname: None}).order_by("pk")
    row = random.choice(list(rows))
    with guards_disabled():
        edit(row, **{key.attname: 9_999_999})
    return Edit(
        model, "orphaned", f"{row.pk} {key.attname}", [f"{noun_of(model)} {row.pk}"]
    )


def guard_changed(random: Random) -> Edit:
    guard = random.choice(guards(connection))
    name, table = guard.name, guard.table
    if connection.vendor == "sqlite":
        empty = (
            f"CREATE TRIGGER {name} BEFORE {guard.event} ON {table} BEGIN SELECT 1; END"
        )
        statements = [f"DROP TRIGGER {name}", random.choice(["SELECT 1", empty])]
    else:
        body = "AS 'BEGIN RETURN NEW; END'"
        statements = [
            random.choice(
                [
                    f"DROP TRIGGER {name} ON {table}",
                    f"ALTER TABLE {table} DISABLE TRIGGER {name}",
                    f"ALTER TABLE {table} ENABLE TRIGGER {name}",
                    f"ALTER TABLE {table} ENABLE REPLICA TRIGGER {name}",
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger "
                    f"LANGUAGE plpgsql {body}",
                    f"ALTER FUNCTION {name}() SET {DISABLED_VARIABLE} = '1'",
                    f"CREATE OR REPLACE TRIGGER {name} AFTER INSERT ON {table} "
                    f"FOR EACH ROW EXECUTE FUNCTION {name}()",
                ]
            )
        ]
    for statement in statements:
        sql(statement)
    return Edit(None, "guard_changed", f"{statements}", [name])


UNSEALED_EDITS: Sequence[Callable[[Random], Edit]] = [
    fabricated,
    removed,
    another_number_of_deliveries,
    waiting_at_the_end,
    tally_of_unsealed,
    writer_changed,
    orphaned,
    guard_changed,
]

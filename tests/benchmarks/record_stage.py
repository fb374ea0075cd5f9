"""Seal, verify and archive a large notification in the database of the settings.

usage: python -m tests.benchmarks.record_stage ROWS FOLDER

A separate process, because it needs the settings of one database. One JSON line per
figure.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Attempt, Delivery
from notifications.record.canonical_text import canonical_text
from notifications.record.sealing import seal_notification
from notifications.record.verification import verify
from tests.factories import MOMENT, make_notification, make_sent_entry

TIMES = 3


def main() -> None:
    rows, folder = int(sys.argv[1]), sys.argv[2]
    notification = made(rows)
    text = b"".join(canonical_text(notification))
    bare = best(lambda: (plain_reading(notification.pk), hashlib.sha256(text)))

    def sealing() -> None:
        with transaction.atomic():
            seal_notification(notification)
            transaction.set_rollback(True)

    def verifying() -> None:
        found = verify()
        if not found.unchanged or found.notifications != 1:
            raise RuntimeError(f"Verified something else: {found}")

    say(f"seal {rows:,} deliveries", best(sealing), "s", bare)
    seal = seal_notification(notification)
    seconds = best(verifying)
    say("verify", seal.rows / seconds, "rows/s", seal.rows / bare)
    began = time.perf_counter()
    tomorrow = f"{timezone.now() + timedelta(days=1):%Y-%m-%d}"
    call_command(
        "archive_history", "--before", tomorrow, "--to", folder, stdout=sys.stderr
    )
    say(f"archive {rows:,} deliveries", time.perf_counter() - began, "s")


def made(rows: int) -> object:
    """A finished notification with an accepted call for each delivery."""
    notification = make_notification(status="completed")
    with transaction.atomic():
        for start in range(0, rows, 5000):
            Delivery.objects.bulk_create(
                Delivery(
                    notification=notification,
                    group_id=f"@TGS#{number:06d}",
                    group_name=f"兴趣交流群 {number}",
                    group_type="Public",
                    sender_name="lin.mei",
                    status="accepted",
                    error_code=0,
                    attempt_count=1,
                    created_at=MOMENT,
                    finished_at=MOMENT + timedelta(milliseconds=5 * number + 1),
                )
                for number in range(start, min(start + 5000, rows))
            )
        numbers = list(Delivery.objects.values_list("pk", "finished_at"))
        Attempt.objects.bulk_create(
            (
                Attempt(
                    delivery_id=pk,
                    number=1,
                    worker=1,
                    started_at=MOMENT,
                    finished_at=at,
                    outcome="accepted",
                    http_status=200,
                    action_status="OK",
                    error_code=0,
                )
                for pk, at in numbers
            ),
            batch_size=5000,
        )
    make_sent_entry(notification)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would have done
    return notification


def plain_reading(notification: int) -> int:
    """Read and discard the same columns: the minimum of work."""
    deliveries = Delivery.objects.filter(notification=notification).order_by("pk")
    attempts = Attempt.objects.filter(delivery__notification=notification)
    with connection.cursor() as cursor:
        for query in (deliveries, attempts.order_by("delivery_id", "number")):
            sql, parameters = query.query.sql_with_params()
            cursor.execute(sql, parameters)
            while cursor.fetchmany(2000):
                pass
    return notification


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs, which other load affects least."""
    times = []
    for _n in range(TIMES):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def say(name: str, value: float, unit: str, beside: float | None = None) -> None:
    line = {"name": name, "value": value, "unit": unit, "beside": beside}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The stagehand: performs the actions of users in the database of a scene.

It runs in its own process with the scene's settings, because the settings of the
harness (under pytest: the test database) differ. Each line of input and output is JSON:
``{"do": "send", "content": "…"}`` → ``{"result": 7}`` or ``{"error": "…"}``.
It holds no database connection between two orders, so that it disturbs no fault.
"""

import json
import os
import sys
import threading
import time
import uuid
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, Max, Min
from django.db.utils import DatabaseError, InterfaceError
from django.test import Client
from django.utils import timezone

from notifications.amendments import services as amendments
from notifications.compose.audit_events import SENT
from notifications.compose.checked import checked_of
from notifications.compose.services import resend as services_resend
from notifications.compose.services import send as services_send
from notifications.delivery import controls as delivery_controls
from notifications.delivery import recovery
from notifications.delivery.resendable import ResendKind
from notifications.groups.sync import services as sync_services
from notifications.groups.sync.queries import change_counts
from notifications.models import (
    Attempt,
    AuditEntry,
    ChatGroup,
    Delivery,
    DeliveryQuery,
    GroupSync,
    Notification,
    Pace,
    Worker,
    WrongState,
)
from notifications.record import queries as record_queries
from notifications.system.machine import database_bytes

TICK = os.sysconf("SC_CLK_TCK")  # of the CPU times in /proc, in a second


def prepare(groups: list[str]) -> None:
    """A sender and the chat groups; once per database."""
    User.objects.create(username="sender", is_superuser=True, is_staff=True)
    ChatGroup.objects.bulk_create(
        [ChatGroup(group_id=g, name=g, type="Public") for g in groups], batch_size=2000
    )


def sender() -> User:
    return User.objects.get(username="sender")


def draft(content: str) -> Notification:
    person = sender()
    return Notification.objects.create(
        sender=person,
        sender_name="sender",
        written_by=person,
        written_by_name="sender",
        content=content,
        audience="every",
        channel=settings.IM_DEFAULT_CHANNEL,
    )


def send(content: str) -> int:
    written = draft(content)
    digest = checked_of(sender(), written).digest()
    return services_send.send(sender(), written.pk, digest=digest).pk


def send_twice(content: str) -> dict[str, Any]:
    """Two users, or one with two clicks, send the same draft at the same time."""
    written = draft(content)
    digest = checked_of(sender(), written).digest()
    barrier = threading.Barrier(2)
    found: list[Any] = []

    def click() -> None:
        try:
            person = sender()
            barrier.wait()
            found.append(services_send.send(person, written.pk, digest=digest).pk)
        except Exception as error:  # noqa: BLE001  the harness reports it
            found.append(repr(error))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _n in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    sends = AuditEntry.objects.filter(
        action=SENT.word, notification_number=written.pk
    ).count()
    return {"notification": written.pk, "found": found, "sends": sends}


def pause(notification: int) -> None:
    delivery_controls.pause(sender(), notification)


def resume(notification: int) -> None:
    with suppress(WrongState):  # finished since it was seen to be paused
        delivery_controls.resume(sender(), notification)


def stop(notification: int) -> None:
    delivery_controls.stop(sender(), notification)


def send_unconfirmed_again(notification: int) -> dict[str, Any]:
    """Resend unconfirmed deliveries, as a user who accepts duplicates."""
    kind = ResendKind.UNCONFIRMED
    first = Notification.objects.get(pk=notification)
    digest = services_resend.preview(first, kind).digest
    again = services_resend.send_again(sender(), first.pk, kind, digest=digest)
    groups = again.deliveries.order_by("id").values_list("group_id", flat=True)
    return {"notification": again.pk, "groups": list(groups)}


def recall(notification: int, content: str, token: str) -> dict[str, Any]:
    """``content`` is the reason."""
    order = amendments.Order(token=uuid.UUID(token))
    started = amendments.recall(sender(), notification, reason=content, order=order)
    assert started.run is not None
    return _run(started.run)


def correct(notification: int, content: str, token: str) -> dict[str, Any]:
    order = amendments.Order(token=uuid.UUID(token))
    return _run(
        amendments.correct(sender(), notification, content=content, order=order)
    )


def _run(run: Notification) -> dict[str, Any]:
    groups = run.deliveries.order_by("id").values_list("group_id", flat=True)
    return {"notification": run.pk, "groups": list(groups)}


def state(notifications: list[int]) -> dict[str, Any]:
    """The numbers of all and of open rows, and the paused and unfinished notifications."""
    own = Notification.objects.filter(pk__in=notifications)
    rows_of = Delivery.objects.filter(notification__in=notifications)
    return {
        "rows": rows_of.count(),
        "open": rows_of.open().count(),
        "sending": rows_of.filter(status=Delivery.Status.SENDING).count(),
        "paused": list(own.filter(status="paused").values_list("pk", flat=True)),
        "unended": own.exclude(status__in=Notification.ENDED).count(),
    }


def rows(notification: int) -> list[dict[str, Any]]:
    found = Delivery.objects.filter(notification=notification).order_by("id")
    return [
        {
            "group_id": row.group_id,
            "status": row.status,
            "code": row.error_code,
            "reason": row.reason,
            "attempts": [(a.outcome, a.error_code) for a in row.attempts.all()],
        }
        for row in found.prefetch_related("attempts")
    ]


def open_queries(notification: int) -> int:
    rows = Delivery.objects.filter(notification=notification)
    return rows.filter(next_query_at__isnull=False).count()


def settled(notification: int) -> dict[str, Any]:
    """Seconds from the last call to the verdict, for each delivery that was asked about."""
    asked = DeliveryQuery.objects.filter(delivery__notification=notification)
    ends = asked.values_list("delivery").annotate(Max("finished_at"))
    calls = Attempt.objects.filter(delivery__notification=notification)
    starts = dict(calls.values_list("delivery").annotate(Max("started_at")))
    return {
        "seconds": [(end - starts[pk]).total_seconds() for pk, end in ends.order_by()]
    }


def leave_unconfirmed(count: int) -> int:
    """Insert group messages without a verdict, about which Tencent is asked now."""
    person, now = sender(), timezone.now()
    sent_at = now - timedelta(seconds=settings.IM_QUERY_AFTER_SECONDS + 1)
    groups = list(ChatGroup.objects.order_by("pk").values_list("group_id", flat=True))
    notification = Notification.objects.create(
        sender=person,
        sender_name="sender",
        written_by=person,
        written_by_name="sender",
        content="unconfirmed",
        audience="every",
        channel="group_message",
        status="completed",
        sent_at=sent_at,
        finished_at=now,
    )
    first = 1 + (Delivery.objects.aggregate(last=Max("random"))["last"] or 0)
    rows = Delivery.objects.bulk_create(
        [
            Delivery(
                notification=notification,
                group_id=groups[n % len(groups)],
                group_name="g",
                group_type="Public",
                sender_name="sender",
                portion=1 + n // len(groups),
                channel="group_message",
                random=first + n,
                status="unconfirmed",
                reason="no_answer",
                attempt_count=1,
                finished_at=sent_at,
                next_query_at=now,
            )
            for n in range(count)
        ],
        batch_size=2000,
    )
    Attempt.objects.bulk_create(
        [
            Attempt(
                delivery=row,
                number=1,
                worker=1,
                started_at=sent_at,
                finished_at=sent_at,
                outcome="unconfirmed",
                reason="no_answer",
            )
            for row in rows
        ],
        batch_size=2000,
    )
    return notification.pk


def query_count(notification: int) -> int:
    return DeliveryQuery.objects.filter(delivery__notification=notification).count()


def asked(notification: int) -> dict[str, Any]:
    """The results by reason, and the seconds from the first query to the last verdict."""
    rows = Delivery.objects.filter(notification=notification)
    queries = DeliveryQuery.objects.filter(delivery__notification=notification)
    times = queries.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return {
        "reasons": dict(
            rows.order_by().values_list("reason").annotate(number=Count("pk"))
        ),
        "seconds": (times["last"] - times["first"]).total_seconds(),
        "queries": queries.count(),
    }


def session_key() -> str:
    """The session cookie of the logged-in sender."""
    client = Client()
    client.force_login(sender())
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def timed_send(content: str) -> dict[str, Any]:
    """The send, and how many seconds of time and CPU the service took to accept it."""
    written = draft(content)
    digest = checked_of(sender(), written).digest()
    cpu, began = cpu_seconds(), time.perf_counter()
    services_send.send(sender(), written.pk, digest=digest)
    return {
        "notification": written.pk,
        "seconds": time.perf_counter() - began,
        "cpu": cpu_seconds() - cpu,
    }


def cpu_seconds() -> float:
    """CPU time of this process and of the session of PostgreSQL."""
    used = time.process_time()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / TICK
    return used


def head() -> str:
    """The head of the newest seal; empty before the first."""
    return record_queries.head()


def claimed() -> int:
    """The number of claimed calls, including those whose slot was missed."""
    return sum(Pace.objects.values_list("claimed", flat=True))


def under_way(notifications: list[int]) -> float:
    """Seconds from the claim to the answer, for nine of ten calls, as rows have it."""
    attempts = Attempt.objects.filter(
        delivery__notification__in=notifications,
        delivery__attempt_count=1,
        outcome=Attempt.Outcome.ACCEPTED,
    )
    seconds = sorted(
        (end - start).total_seconds()
        for start, end in attempts.values_list("delivery__claimed_at", "finished_at")
    )
    return seconds[len(seconds) * 9 // 10] if seconds else 0.0


def most_calls_in_a_second() -> int:
    """Of the newest notification, by the time at which each call began."""
    newest = Notification.objects.latest("pk")
    calls = Attempt.objects.filter(delivery__notification=newest)
    starts = sorted(
        calls.exclude(outcome=Attempt.Outcome.WORKER_LOST).values_list(
            "started_at", flat=True
        )
    )
    second = timedelta(seconds=1)
    return max(
        bisect_left(starts, start + second) - n for n, start in enumerate(starts)
    )


def end_lease(pid: int) -> None:
    """Declare a killed worker dead at once, as others do after its lease.

    One that was cut off from the database may have been declared dead already.
    """
    for worker in Worker.objects.filter(name__endswith=f":{pid}", ended_at=None):
        ended = False
        while not ended:
            with transaction.atomic():
                ended = recovery.end_dead_worker(worker.pk, timezone.now())


def sync() -> int:
    """Request a sync of the groups."""
    return sync_services.request_sync(sender()).pk


def sync_seconds(sync: int) -> float | None:
    """The duration of the sync, or ``None`` before its end. Cheap, for polling."""
    row = GroupSync.objects.get(pk=sync)
    ended, began = row.finished_at, row.started_at
    return (ended - began).total_seconds() if ended and began else None


def sync_result(sync: int) -> dict[str, Any]:
    """The result of the sync."""
    row = GroupSync.objects.get(pk=sync)
    return {
        "status": row.status,
        "counts": change_counts(row),
        "groups": ChatGroup.objects.count(),
    }


def checkpoint() -> None:
    """SQLite: move everything into the database file, synced."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


ORDERS: dict[str, Callable[..., Any]] = {
    order.__name__: order
    for order in (
        *(prepare, send, send_twice, pause, resume, stop, send_unconfirmed_again),
        *(state, rows, under_way, most_calls_in_a_second, end_lease, checkpoint),
        *(
            recall,
            correct,
            open_queries,
            settled,
            leave_unconfirmed,
            query_count,
            asked,
        ),
        *(session_key, timed_send, claimed, head, sync, sync_seconds, sync_result),
        database_bytes,
    )
}


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        name, is_patient = order.pop("do"), order.pop("patient")
        deadline = time.monotonic() + (60 if is_patient else 0)
        while True:
            try:
                answer: dict[str, Any] = {"result": ORDERS[name](**order)}
            except (DatabaseError, InterfaceError) as error:
                # The fault may hit this process, too; a repeated read is harmless.
                connection.close()
                if time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                answer = {"error": repr(error)}
            except Exception as error:  # noqa: BLE001  the harness raises it
                answer = {"error": repr(error)}
            break
        connection.close()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

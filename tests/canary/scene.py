"""A scene with every outcome that calls and the record can have."""

import socket

from django.db import connection

from notifications import conf
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery import controls as delivery_controls
from notifications.delivery.worker import SendWorker
from notifications.models import Attempt, Notification
from notifications.rate_limit.clock import engine_clock
from notifications.record.sealing import seal_all
from tests.canary.places import Canary
from tests.factories import (
    make_notification,
)


def work() -> None:
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=4,
    ).run()
    seal_all()


def send_to_all(sender) -> Notification:
    draft = make_notification(sender=sender, audience="every")
    return services_send.send(
        sender, draft.pk, digest=checked_of(sender, draft).digest()
    )


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def run_everything(settings, canary: Canary, sender) -> None:
    """Every outcome, a refused signature, and a closed port."""
    send_to_all(sender)
    work()
    settings.IM_SECRET_KEY = canary.keys[1]
    refused = send_to_all(sender)
    work()
    delivery_controls.stop(sender, refused.pk)
    settings.IM_SECRET_KEY = canary.keys[0]
    address, settings.IM_BASE_URL = settings.IM_BASE_URL, closed_port()
    unreachable = send_to_all(sender)
    Notification.objects.filter(pk=unreachable.pk).update(doubt_streak=18)
    work()
    delivery_controls.stop(sender, unreachable.pk)
    settings.IM_BASE_URL = address
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {
        "accepted",
        "rejected",
        "not_sent",
        "unconfirmed",
    }
    assert Attempt.objects.filter(error_code=70009).exists()
    assert len(canary.user_sigs) == 2  # none for the closed port


def dump() -> str:
    """All values of all rows of all tables."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  a name of ours
            rows += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return "\n".join(rows)

"""Import, check and accept for many groups, or load a history, in the settings' database.

usage: python -m tests.benchmarks.growth_stage groups|deliveries SIZE

A separate process, because it needs the settings of one database. One JSON line per
figure. CPU time includes the server's process of the PostgreSQL session.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from notifications.groups.importing.apply import import_groups
from notifications.groups.importing.parse import open_file
from notifications.groups.importing.plan import plan
from notifications.models import ChatGroup, Delivery
from notifications.system.machine import database_bytes
from tests.benchmarks import dataset, import_stage
from tests.faults import stagehand
from tests.faults.stagehand import cpu_seconds

TIMES = 3
PAGES = {
    "history, first page": "/history/deliveries/",
    "history, one code": "/history/deliveries/?code=80002",
    "history, search in the failed": "/history/deliveries/?q=直播&status=failed",
    "overview": "/",
}


def main() -> None:
    stage, size = sys.argv[1], int(sys.argv[2])
    if stage == "groups":
        of_groups(size)
    else:
        of_deliveries(size)


def of_groups(size: int) -> None:
    stagehand.prepare([])
    with TemporaryDirectory(prefix="notifier-growth-") as home:
        path = Path(home) / "groups.csv"
        import_stage.write(path, size)
        grows("import new groups", size, lambda: imported(path))
    if ChatGroup.objects.count() != size:
        raise RuntimeError("The import has not added every group.")
    settle()
    draft = stagehand.draft("draft")
    check = f"/write/{draft.pk}/check/"
    measured("check for every group", size, client_of("sender"), check)
    grows("accept", size, lambda: stagehand.timed_send("accepted"))
    if Delivery.objects.count() != size:
        raise RuntimeError("Not every group is to be called.")


def imported(path: Path) -> None:
    with path.open("rb") as opened:
        digest = plan(open_file(opened)).digest
        import_groups(open_file(opened), actor="benchmark", digest=digest)


def of_deliveries(size: int) -> None:
    before = database_bytes()
    dataset.fill(size)
    rows = Delivery.objects.count()
    User.objects.create_superuser("sender")
    client = client_of("sender")
    for name, address in PAGES.items():
        measured(name, rows, client, address)
    grows("export as CSV", rows, lambda: exported(client), writes=False)
    say("history kept: disk", (database_bytes() - before) / 1e6, "MB", rows)


def exported(client: Client) -> None:
    answer = client.post("/history/deliveries/download/", {"format": "csv"})
    for _piece in answer.streaming_content:
        pass


def client_of(username: str) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username=username))
    return client


def measured(name: str, size: int, client: Client, address: str) -> None:
    """The mean of some requests after the first one."""

    def ask(times: int = TIMES) -> None:
        for _n in range(times):
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{address}: HTTP {answer.status_code}")

    ask(1)
    grows(name, size, ask, times=TIMES, writes=False)


def grows(
    name: str,
    size: int,
    work: Callable[[], object],
    *,
    times: int = 1,
    writes: bool = True,
) -> None:
    """Time, CPU time, the memory of the process at most, and the disk that it took."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the largest memory
    disk, cpu, began = database_bytes(), cpu_seconds(), time.perf_counter()
    work()
    say(f"{name}: time", (time.perf_counter() - began) / times, "s", size)
    say(f"{name}: CPU", (cpu_seconds() - cpu) / times, "s", size)
    say(f"{name}: memory", largest_memory_mb(), "MB", size)
    if writes:
        say(f"{name}: disk", max(0, database_bytes() - disk) / 1e6, "MB", size)


def largest_memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def settle() -> None:
    """What autovacuum would have done by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"
        )


def say(name: str, value: float, unit: str, size: int) -> None:
    line = {"name": name, "value": value, "unit": unit, "size": size}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

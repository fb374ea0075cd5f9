"""Create a large history in the database of the settings, and measure its pages.

usage: python -m tests.benchmarks.history_stage ROWS TIMES [--no-stock]

With 0 ROWS, measure the database that a previous run left.

A process of its own: it needs the settings of one database. One line of JSON a figure.
"""

import json
import sys
import time
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from notifications.models import Delivery
from tests.benchmarks import dataset, stock

EXPORTED = 1_000_000
DELIVERIES = "/history/deliveries/"
STOCK = f"/{stock.PATH}"
# A URL for each filter, with the same filter of the stock list if it has one.
FILTERS = {
    "status=failed": "status__exact=failed",
    "status=accepted": "status__exact=accepted",
    "type=AVChatRoom": "group_type__exact=AVChatRoom",
    "sender=lin.mei": "sender_name=lin.mei",
    "code=80002": "error_code=80002",
    "reason=no_answer": "reason=no_answer",
    "notification=7": "notification=7",
    "from=2026-01-25&to=2026-02-10": (
        "created_at__gte=2026-01-25T00%3A00Z&created_at__lt=2026-02-11T00%3A00Z"
    ),
}
SEARCHES = {"q=直播": "q=直播", "q=滨海": "q=滨海", "q=@TGS%2300777": "q=@TGS%2300777"}


def main() -> None:
    began = time.perf_counter()
    if wanted := int(sys.argv[1]):
        dataset.fill(wanted)
    rows = Delivery.objects.count()
    say(f"made {rows} deliveries", time.perf_counter() - began, "s")
    client = Client(SERVER_NAME="127.0.0.1")
    admin = User.objects.filter(username="admin").first()
    client.force_login(admin or User.objects.create_superuser("admin"))
    is_beside_stock = "--no-stock" not in sys.argv
    pages(client, rows, int(sys.argv[2]), is_beside_stock=is_beside_stock)
    export(client)


def pages(client: Client, rows: int, times: int, *, is_beside_stock: bool) -> None:
    deep, deep_page = rows // 20, rows * 19 // 20 // 50
    lists = {"": "", f"before={deep}": f"p={deep_page}", f"after={deep}": ""}
    asked = lists | FILTERS | SEARCHES
    for query, plain in asked.items():
        beside = None
        if is_beside_stock and (plain or not query):
            beside = once(client, f"{STOCK}?{plain}")
        measure(client, f"{DELIVERIES}?{query}", beside, times)
    names = list(FILTERS)
    pairs = [
        f"{one}&{other}"
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if one.partition("=")[0] != other.partition("=")[0]
    ]
    searches = [f"{q}&{one}" for q in SEARCHES for one in names]
    positions = (f"before={deep}", f"after={deep}")
    deeper = [f"{one}&{at}" for one in [*names, *searches] for at in positions]
    for query in [*pairs, *searches, *deeper]:
        measure(client, f"{DELIVERIES}?{query}", None, times)
    for address in ("/history/", "/history/?q=维护", "/history/?q=zzz", "/"):
        measure(client, address, None, times)


def once(client: Client, address: str) -> float:
    """Milliseconds of one request, including rendering."""
    began = time.perf_counter()
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: HTTP {answer.status_code}")
    return (time.perf_counter() - began) * 1000


def measure(client: Client, address: str, beside: float | None, times: int) -> None:
    queries = 0

    def count(execute, *arguments):
        nonlocal queries
        queries += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        once(client, address)
    cpu = time.process_time()
    fastest = best(client, address, times)
    # More reliable on a busy machine; does not include PostgreSQL's own time.
    cpu = (time.process_time() - cpu) / times * 1000
    remark = f"{queries} queries, CPU {cpu:.0f} ms"
    say(address, fastest, "ms", beside=beside, remark=remark)


def best(client: Client, address: str, times: int) -> float:
    """The fastest of several runs, which other load affects least."""
    return min(once(client, address) for _n in range(times))


def export(client: Client) -> None:
    for file_format in ("csv", "jsonl"):
        for query in ({}, {"code": "80002"}):
            began, cpu = time.perf_counter(), time.process_time()
            answer = client.post(
                f"{DELIVERIES}download/", {"format": file_format, **query}
            )
            if answer.status_code != 200:
                raise RuntimeError(f"{file_format}: HTTP {answer.status_code}")
            pieces = iter(answer.streaming_content)
            piece = next(pieces)
            if file_format == "csv":
                piece = next(pieces)  # the first was the header
            first = time.perf_counter() - began
            rows, memory, most = piece.count(b"\n"), memory_mb(), 0.0
            for count, piece in enumerate(pieces):
                rows += piece.count(b"\n")
                if count % 100 == 0:
                    most = max(most, memory_mb())
                if rows >= EXPORTED:
                    break
            seconds = time.perf_counter() - began
            cpu_seconds = time.process_time() - cpu
            answer._iterator.close()
            name = f"export {file_format} {query or ''}"
            say(f"{name}: first rows", first, "s")
            say(
                f"{name}: speed",
                rows / seconds,
                "rows/s",
                remark=f"{rows} rows; {rows / cpu_seconds:.0f} a CPU second",
            )
            say(f"{name}: memory beyond the first rows", max(0, most - memory), "MB")


def memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def say(
    name: str,
    value: float,
    unit: str,
    *,
    beside: float | None = None,
    remark: str = "",
) -> None:
    line = {"name": name, "value": value, "unit": unit, "beside": beside}
    sys.stdout.write(json.dumps(line | {"remark": remark}, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

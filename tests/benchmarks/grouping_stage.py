"""Create many chat groups and load their pages, in the database of the settings.

usage: python -m tests.benchmarks.grouping_stage GROUPS TIMES

A separate process, because it needs the settings of one database. One JSON line per
figure.
"""

import json
import sys
import time

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from notifications.groups import labels as groups_labels
from notifications.models import ChatGroup, GroupType, Rule, SavedAudience
from tests.benchmarks.many_groups import make_many_groups
from tests.factories import make_user

LIST = "/notifications/chatgroup/"
RULES = [
    *(Rule(types=(word,)) for word in GroupType.values),
    Rule(labels=("North",)),
    Rule(types=("AVChatRoom",), labels=("North", "VIP"), min_members=500),
    Rule(name_contains="直播"),
    Rule(name_contains="徒步", max_members=3000),
]


def main() -> None:
    count, times = int(sys.argv[1]), int(sys.argv[2])
    make_many_groups(count)
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"
        )
    user = make_user(superuser=True)
    for number, rule in enumerate(RULES):
        SavedAudience.objects.create(name=f"A{number}", stored_rule=rule.as_json())
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    last = (count - 1) // 50 + 1
    for query in (
        "",
        f"?p={last // 2 or 1}",
        f"?p={last}",
        "?q=直播",
        f"?q=直播&p={last // 12 or 1}",
        "?q=zzz",
        "?type=AVChatRoom",
        "?type=unknown",
        "?label=North",
        "?label=North&q=直播&state=in_use",
        "?state=closed",
        "?checked=day",
        "?checked=never",
        # Each sortable column, and the last page of one.
        "?o=2",
        "?o=-4",
        "?o=6",
        "?o=7",
        f"?o=4&p={last}",
    ):
        measure(client, LIST + query, times)
    for address in (
        "/groups/labels/",
        "/groups/audiences/",
        "/groups/labels/put/?q=直播",
        "/groups/labels/take/",
    ):
        measure(client, address, times)
    on_every_group(user)


def measure(client: Client, address: str, times: int) -> None:
    queries = 0

    def count(execute, *arguments):
        nonlocal queries
        queries += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        once(client, address)
    cpu = time.process_time()
    best = min(once(client, address) for _n in range(times))
    # More reliable on a busy machine; does not include PostgreSQL's own time.
    cpu = (time.process_time() - cpu) / times * 1000
    say(address, best, "ms", f"{queries} queries, CPU {cpu:.0f} ms")


def once(client: Client, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: HTTP {answer.status_code}")
    return (time.perf_counter() - began) * 1000


def on_every_group(user: User) -> None:
    every = ChatGroup.objects.all()
    for name, act in (
        ("put on", groups_labels.add_labels),
        ("taken off", groups_labels.remove_labels),
    ):
        began = time.perf_counter()
        changed = act(user, every, ["Everywhere"])
        seconds = time.perf_counter() - began
        if changed != every.count():
            raise RuntimeError(f"A label was {name} {changed} groups only.")
        say(f"a label {name} every group", seconds, "s", f"{changed:,} groups")


def say(name: str, value: float, unit: str, remark: str = "") -> None:
    line = {"name": name, "value": value, "unit": unit, "remark": remark}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

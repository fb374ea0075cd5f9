"""Create many chat groups and choose them, in the database of the settings.

usage: python -m tests.benchmarks.checking_stage GROUPS TIMES

A separate process, because it needs the settings of one database. One JSON line per
figure.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection
from django.test import Client

from notifications.models import ChatGroup, GroupType, SavedAudience
from tests.benchmarks.many_groups import make_many_groups
from tests.factories import make_notification, make_user, write_fields

# Two Chinese characters that many names hold, and one name; an ID; nothing at all.
TERMS = [
    "直播",
    "滨海",
    "滨海直播间：李姐开播 0",
    "@TGS#077777",
    "77777",
    "zzz",
    "@",
    "a",
    "",
]
RULE = {"types": GroupType.values, "labels": ["North", "South"], "min_members": 100}


def main() -> None:
    count, times = int(sys.argv[1]), int(sys.argv[2])
    make_many_groups(count)
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"
        )
    user = make_user(superuser=True)
    for number in range(10):
        SavedAudience.objects.create(
            name=f"A{number}", stored_rule={"min_members": number * 100}
        )
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    ids = list(ChatGroup.objects.usable().values_list("group_id", flat=True))
    drafts = {
        kind: make_notification(sender=user, audience=kind, audience_values=values)
        for kind, values in (("every", []), ("rule", RULE), ("chosen", ids))
    }
    for kind, draft in drafts.items():
        address = f"/write/{draft.pk}/"
        measure(f"check {kind}", lambda a=address: client.get(f"{a}check/"), times)
        measure(f"write {kind}", lambda a=address: client.get(a), times)
    for term in TERMS:
        query = {"q": term}
        measure(
            f"search “{term}”", lambda q=query: client.get("/write/groups/", q), times
        )
    pasted = {"ids": "，".join(ids[:10_000])}
    measure("write 10,000 pasted", lambda: client.post("/write/groups/", pasted), times)
    for fields in (
        {"audience": "every"},
        {"audience": "rule", **RULE},
        {"groups": "\n".join(ids)},
    ):
        posted = write_fields(**fields)
        name = f"count {fields.get('audience', 'chosen')}"
        measure(name, lambda p=posted: client.post("/write/count/", p), times)


def measure(name: str, ask: Callable[[], Any], times: int) -> None:
    queries = 0

    def count(execute, *arguments):
        nonlocal queries
        queries += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        once(ask)
    cpu = time.process_time()
    best = min(once(ask) for _n in range(times))
    # More reliable on a busy machine; does not include PostgreSQL's own time.
    cpu = (time.process_time() - cpu) / times * 1000
    line = {"name": name, "value": best}
    remark = f"{queries} queries, CPU {cpu:.0f} ms"
    sys.stdout.write(json.dumps(line | {"remark": remark}, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def once(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    answer = ask()
    if answer.status_code != 200:
        request = answer.request
        raise RuntimeError(f"{request['PATH_INFO']}: HTTP {answer.status_code}")
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()

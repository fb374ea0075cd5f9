"""Import a file of 100,000 chat groups into the database of the settings, twice.

usage: python -m tests.benchmarks.import_stage ROWS

A separate process, because it needs the settings of one database. One JSON line per
figure.
"""

import csv
import io
import json
import random
import resource
import sys
import time
from collections.abc import Sequence

import django

django.setup()

from notifications.groups.importing.apply import import_groups
from notifications.groups.importing.plan import plan
from notifications.groups.importing.rows import parse_rows
from notifications.models import ChatGroup, GroupType

HEADINGS = ["group_id", "type", "name", "member_count", "labels"]
REGIONS = ("华东", "华南", "华北", "西南", "海外")
TOPICS = ("徒步", "夜跑", "读书", "直播", "育儿", "棋牌")


def main() -> None:
    rows = groups(int(sys.argv[1]))
    timed("new", rows, new=len(rows))
    for row in rows[::10]:
        row[2] += " 新"
        row[4] = "VIP"
    timed("10 % changed", rows, changed=len(rows[::10]))
    for row in rows:
        row[2] += " 2"
    timed("all changed", rows, changed=len(rows))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("import: memory of the process, at most", peak, "MB")


def groups(count: int) -> list[list[str]]:
    source = random.Random(7)
    types = GroupType.values
    return [
        [
            f"@TGS#{n:07}",
            source.choice(types),
            f"{source.choice(REGIONS)}{source.choice(TOPICS)}群 {n}",
            str(source.randrange(5000)),
            ";".join(source.sample(REGIONS, source.randrange(3))),
        ]
        for n in range(count)
    ]


def timed(
    name: str, rows: Sequence[Sequence[str]], *, new: int = 0, changed: int = 0
) -> None:
    """Seconds of the preview and of the confirmation."""
    text = io.StringIO()
    csv.writer(text).writerows([HEADINGS, *rows])
    raw = text.getvalue().encode()
    began, cpu = time.perf_counter(), time.process_time()
    seen = plan(parse_rows(raw))
    say(f"import, {name}: check", time.perf_counter() - began, "s", cpu)
    done = import_groups(parse_rows(raw), actor="benchmark", digest=seen.digest)
    say(f"import, {name}: check and write", time.perf_counter() - began, "s", cpu)
    counts = len(done.new), len(done.changed)
    if ChatGroup.objects.count() != len(rows) or counts != (new, changed):
        raise RuntimeError(f"Imported something else: {counts} are new and changed.")


def say(name: str, value: float, unit: str, cpu: float | None = None) -> None:
    """``cpu``: CPU seconds at the start, which are more reliable on a busy machine."""
    used = "" if cpu is None else f"{time.process_time() - cpu:.1f} s of its CPU"
    figure = {"name": name, "value": value, "unit": unit, "remark": used}
    sys.stdout.write(json.dumps(figure) + "\n")


if __name__ == "__main__":
    main()

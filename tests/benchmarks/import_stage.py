"""Import a file of chat groups into the database of the settings, three times.

usage: python -m tests.benchmarks.import_stage ROWS

A separate process, because it needs the settings of one database. One JSON line per
figure. The file is written and read in pieces, so the memory is that of the import.
"""

import csv
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import django

django.setup()

from notifications.groups.importing.apply import import_groups
from notifications.groups.importing.parse import open_file
from notifications.groups.importing.plan import plan
from notifications.models import ChatGroup, GroupType

HEADINGS = ["group_id", "type", "name", "member_count", "labels"]
REGIONS = ("华东", "华南", "华北", "西南", "海外")
TOPICS = ("徒步", "夜跑", "读书", "直播", "育儿", "棋牌")


Row = list[str]
Change = Callable[[int, Row], object]


def main() -> None:
    rows = int(sys.argv[1])
    with TemporaryDirectory(prefix="notifier-import-") as home:
        path = Path(home) / "groups.csv"
        timed("new", path, rows, unchanged, new=rows)
        tenth = len(range(0, rows, 10))
        timed("10 % changed", path, rows, change_tenth, changed=tenth)
        timed("all changed", path, rows, change_all, changed=rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("import: memory of the process, at most", peak, "MB")


def groups(count: int) -> Iterator[Row]:
    source = random.Random(7)
    types = GroupType.values
    for n in range(count):
        yield [
            f"@TGS#{n:07}",
            source.choice(types),
            f"{source.choice(REGIONS)}{source.choice(TOPICS)}群 {n}",
            str(source.randrange(5000)),
            ";".join(source.sample(REGIONS, source.randrange(3))),
        ]


def unchanged(_number: int, _row: Row) -> None:
    pass


def change_tenth(number: int, row: Row) -> None:
    if number % 10 == 0:
        row[2] += " 新"
        row[4] = "VIP"


def change_all(number: int, row: Row) -> None:
    change_tenth(number, row)
    row[2] += " 2"


def write(path: Path, rows: int, change: Change = unchanged) -> None:
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(HEADINGS)
        for number, row in enumerate(groups(rows)):
            change(number, row)
            writer.writerow(row)


def timed(
    name: str, path: Path, rows: int, change: Change, *, new: int = 0, changed: int = 0
) -> None:
    """Seconds of the preview and of the confirmation."""
    write(path, rows, change)
    began, cpu = time.perf_counter(), time.process_time()
    with path.open("rb") as opened:
        seen = plan(open_file(opened))
        say(f"import, {name}: check", time.perf_counter() - began, "s", cpu)
        done = import_groups(open_file(opened), actor="benchmark", digest=seen.digest)
    say(f"import, {name}: check and write", time.perf_counter() - began, "s", cpu)
    counts = done.added, done.updated
    if ChatGroup.objects.count() != rows or counts != (new, changed):
        raise RuntimeError(f"Imported something else: {counts} are new and changed.")


def say(name: str, value: float, unit: str, cpu: float | None = None) -> None:
    """``cpu``: CPU seconds at the start, which are more reliable on a busy machine."""
    used = "" if cpu is None else f"{time.process_time() - cpu:.1f} s of its CPU"
    figure = {"name": name, "value": value, "unit": unit, "remark": used}
    sys.stdout.write(json.dumps(figure) + "\n")


if __name__ == "__main__":
    main()

"""A history of any size: realistic, sealed, created in SQL.

About 5,000 groups with Chinese names; five large notifications a day and a small one
beside them, over 400 days at full size; 3 % failed over ten codes, 1 % not confirmed;
an attempt for each call. The newest notification is being sent, the one before it has
ended without a seal. The digests of the seals are made up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection

from notifications.history.search.facets import facets
from notifications.models import (
    Attempt,
    ChatGroup,
    Delivery,
    GroupType,
    Notification,
    Seal,
)

GROUPS = 5000
SMALL = 40  # groups of the small notification of each day
LARGE_A_DAY = 5
END = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SENDERS = [
    ("lin.mei", "美", "林"),
    ("wang.fang", "芳", "王"),
    ("j.okafor", "Joy", "Okafor"),
    ("chen.wei", "伟", "陈"),
    ("left.long.ago", "", ""),
]
TYPES = [value for value in GroupType.values for _n in range(GROUPS // 5)]
# Of 5,000 groups: 400, 200, 100, and the rest.
NAMES = {400: "直播间：李姐开播", 600: "徒步爱好者", 700: "滨海校区家长"}
CODES = [10007, 10010, 10015, 10016, 10002, 10004, 60008, 80002, 20012, 6014]

# Only times differ: SQLite stores them as text.
_TIME = {
    "sqlite": "substr(n.created_at, 1, 14) || g.offset_text",
    "postgresql": "n.created_at + g.place * interval '5 milliseconds'",
}
_DELIVERIES = """
INSERT INTO notifications_delivery (id, notification_id, group_id, group_name,
    group_type, sender_name, portion, recipients, status, reason, error_code, error_info,
    not_before, attempt_count, rejection_count, not_sent_streak, owner, claimed_at,
    created_at, finished_at)
SELECT id, notification_id, group_id, name, type, sender_name, 1, '',
    CASE WHEN h < 0 THEN 'queued' WHEN h < 30 THEN 'failed'
         WHEN h < 40 THEN 'unconfirmed' ELSE 'accepted' END,
    CASE WHEN h BETWEEN 30 AND 39 THEN 'no_answer' ELSE '' END,
    CASE WHEN h < 0 THEN NULL WHEN h < 30 THEN {codes} WHEN h < 40 THEN NULL ELSE 0 END,
    CASE WHEN h BETWEEN 0 AND 29 THEN 'group not exist or has been dismissed' ELSE '' END,
    created_at, CASE WHEN h < 0 THEN 0 ELSE 1 END, 0, 0, NULL,
    CASE WHEN h < 0 THEN NULL ELSE ended END, created_at,
    CASE WHEN h < 0 THEN NULL ELSE ended END
FROM (
    SELECT n.first + g.place AS id, n.id AS notification_id, g.group_id, g.name, g.type,
        n.sender_name, n.created_at, {time} AS ended,
        CASE WHEN n.is_running AND g.place >= n.size / 2 THEN -1
             ELSE (n.id * 7919 + g.place * 613 + (n.id * g.place) %% 677) %% 1000 END AS h
    FROM bench_sends AS n CROSS JOIN bench_groups AS g
    WHERE g.place < n.size AND n.id > %s AND n.id <= %s) AS made
"""
_ATTEMPTS = """
INSERT INTO notifications_attempt (delivery_id, number, worker, started_at, finished_at,
    outcome, reason, detail, http_status, action_status, error_code, error_info)
SELECT id, 1, 1, claimed_at, finished_at,
    CASE status WHEN 'failed' THEN 'rejected' ELSE status END, reason, '',
    CASE WHEN status = 'unconfirmed' THEN NULL ELSE 200 END,
    CASE status WHEN 'failed' THEN 'FAIL' WHEN 'accepted' THEN 'OK' ELSE '' END,
    error_code, error_info
FROM notifications_delivery
WHERE attempt_count > 0 AND notification_id > %s AND notification_id <= %s
"""
_TALLIES = """
INSERT INTO notifications_tally (notification_id, sender_name, created_at, group_type,
    status, error_code, reason, count, first_delivery, last_delivery)
SELECT notification_id, MIN(sender_name), MIN(created_at), group_type, status,
    error_code, reason, COUNT(*), MIN(id), MAX(id)
FROM notifications_delivery WHERE notification_id <= %s
GROUP BY notification_id, group_type, status, error_code, reason
"""
# Notifications per statement, to limit memory and locks.
BATCH = 100


def fill(rows: int) -> None:
    """About ``rows`` deliveries in an empty, migrated database."""
    senders = [
        User.objects.create_user(name, first_name=first, last_name=last)
        for name, first, last in SENDERS
    ]
    groups = list(_groups())
    ChatGroup.objects.bulk_create(groups, batch_size=1000)
    sends = list(_sends(rows, senders))
    Notification.objects.bulk_create((n for n, _size in sends), batch_size=500)
    with connection.cursor() as cursor, _without_indexes():
        _helper_tables(groups, sends)
        codes = " ".join(f"WHEN {n} THEN {code}" for n, code in enumerate(CODES))
        deliveries = _DELIVERIES.format(
            codes=f"CASE h %% 10 {codes} END", time=_TIME[connection.vendor]
        )
        for start in range(0, len(sends), BATCH):
            cursor.execute(deliveries, [start, start + BATCH])
            cursor.execute(_ATTEMPTS, [start, start + BATCH])
    sealed = sends[:-2]
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES, [len(sealed)])
        cursor.execute("DROP TABLE bench_sends")
        cursor.execute("DROP TABLE bench_groups")
    Seal.objects.bulk_create(_seals([n.pk for n, _size in sealed]), batch_size=500)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would have done by now
    if len(facets().unsealed) != 2:
        raise RuntimeError("The data set is not what the benchmark expects.")


def _groups() -> Iterator[ChatGroup]:
    for place in range(GROUPS):
        name = next((text for end, text in NAMES.items() if place < end), "兴趣交流群")
        yield ChatGroup(
            group_id=f"@TGS#{place:05d}",
            name=f"{name} {place}",
            type=TYPES[place * 1999 % GROUPS],
            member_count=100,
        )


def _sends(rows: int, senders: list[User]) -> Iterator[tuple[Notification, int]]:
    """The notifications, oldest first, with the number of groups of each."""
    large = max(2, rows // GROUPS)
    days = -(-large // LARGE_A_DAY)
    number = 0
    for day in range(days):
        sizes = [SMALL, *[GROUPS] * min(LARGE_A_DAY, large - day * LARGE_A_DAY)]
        for place, size in enumerate(sizes):
            number += 1
            at = END - timedelta(days=days - day, hours=-2 * place)
            is_last = day == days - 1 and place == len(sizes) - 1
            sender = senders[number * 7 % 11 % len(senders)]
            yield (
                Notification(
                    pk=number,
                    sender=sender,
                    sender_name=sender.username,
                    written_by=sender,
                    written_by_name=sender.username,
                    content=f"第 {number} 号通知：今晚 23:00 系统维护，请提前下线。"
                    "Maintenance tonight from 23:00, please log out before.",
                    audience="every",
                    audience_count=size,
                    status="sending" if is_last else "completed",
                    sent_at=at,
                    watched_since=at if is_last else None,
                    finished_at=None if is_last else at + timedelta(minutes=1),
                ),
                size,
            )


def _helper_tables(
    groups: list[ChatGroup], sends: list[tuple[Notification, int]]
) -> None:
    time = {"sqlite": "datetime", "postgresql": "timestamptz"}[connection.vendor]
    prepare = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE bench_sends (id bigint, first bigint, size bigint, "
            f"sender_name varchar(150), created_at {time}, is_running bool)"
        )
        cursor.execute(
            "CREATE TABLE bench_groups (place bigint, group_id varchar(48), "
            "name varchar(100), type varchar(32), offset_text varchar(20))"
        )
        first = 1
        for n, size in sends:
            cursor.execute(
                "INSERT INTO bench_sends VALUES (%s, %s, %s, %s, %s, %s)",
                [n.pk, first, size, n.sender_name, prepare(n.sent_at),
                 n.status == "sending"],
            )  # fmt: skip
            first += size
        cursor.executemany(
            "INSERT INTO bench_groups VALUES (%s, %s, %s, %s, %s)",
            [(place, g.group_id, g.name, g.type, f"00:{place / 200:09.6f}")
             for place, g in enumerate(groups)],
        )  # fmt: skip


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Create them again at the end, which is faster than updates per row."""
    indexes = [
        (model, index) for model in (Delivery, Attempt) for index in model._meta.indexes
    ]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Skip the checks of foreign keys: the rows are correct by construction.
            cursor.execute("SET session_replication_role = replica")
    with connection.schema_editor(atomic=False) as editor:
        for model, index in indexes:
            editor.remove_index(model, index)
    yield
    with connection.schema_editor(atomic=False) as editor:
        for model, index in indexes:
            editor.add_index(model, index)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")


def _seals(notifications: list[int]) -> Iterator[Seal]:
    for number, notification in enumerate(notifications, start=1):
        yield Seal(
            number=number,
            kind=Seal.Kind.NOTIFICATION,
            notification_id=notification,
            rows=1,
            digest=f"{number:064x}",
            leaves=b"",
            previous=f"{number - 1:064x}" if number > 1 else "",
            head=f"{number:064x}",
        )

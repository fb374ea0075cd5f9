"""``manage.py fill_demo``: people, groups and a past to look at; used by ``make demo``."""

import csv
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from notifications import roles
from notifications.models import Attempt, ChatGroup, Delivery, Notification, Worker

PEOPLE = [
    ("lin.mei", "Lin Mei", roles.COMMUNITY_MANAGER),
    ("wang.fang", "Wang Fang", roles.AUDITOR),
]
TEXTS = [
    "The Saturday walk moves to 9:30 at the north gate because of the rain forecast.",
    "明天的直播提前到 19:30 开始，欢迎准时参加！",
    "Tickets for the show are open. Members of this group get early access.",
    "今晚 23:00–23:30 系统维护，期间消息可能延迟。",
    "New rule from 1 December: please use the marketplace for second-hand offers.",
]
# Every seventh group or so had trouble: status, code, Tencent's text, reason.
TROUBLE: list[tuple[str, int | None, str, str]] = [
    ("failed", 10010, "group not exist or has been dismissed", ""),
    ("unconfirmed", None, "", "no_answer"),
    ("failed", 10015, "invalid group id", ""),
]


class Command(BaseCommand):
    help = "Fill an empty database with people, chat groups and a past of two weeks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--groups", required=True, help="CSV file of chat groups")
        parser.add_argument("--password", required=True, help="for the people made")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if ChatGroup.objects.exists() or User.objects.exists():
            raise CommandError("The database is not empty. Nothing was changed.")
        with open(options["groups"], encoding="utf-8") as file:
            ChatGroup.objects.bulk_create(
                ChatGroup(
                    group_id=row["group_id"],
                    name=row["name"],
                    type=row["type"],
                    member_count=int(row["member_count"]),
                    checked_at=timezone.now(),
                )
                for row in csv.DictReader(file)
            )
        for username, name, role in PEOPLE:
            first, last = name.split()
            person = User.objects.create_user(
                username,
                password=options["password"],
                first_name=first,
                last_name=last,
                is_staff=True,
            )
            person.groups.add(Group.objects.get(name=role))
        User.objects.create_superuser("admin", password=options["password"])
        groups = list(ChatGroup.objects.order_by("id"))
        for days in range(13, 0, -1):
            self._past(days, groups[days % 5 :: 2])

    def _past(self, days: int, groups: list[ChatGroup]) -> None:
        at = timezone.now() - timedelta(days=days, minutes=37 * days)
        sender = User.objects.get(username="lin.mei")
        notification = Notification.objects.create(
            sender=sender,
            sender_name=sender.username,
            content=TEXTS[days % len(TEXTS)],
            note=f"CM-{400 + days}",
            audience=Notification.Audience.CHOSEN,
            audience_values=[group.group_id for group in groups],
            audience_count=len(groups),
            status=Notification.Status.COMPLETED,
            sent_at=at,
            finished_at=at + timedelta(seconds=1),
        )
        worker = Worker.objects.create(
            name="demo", boot_id="past", lease=0, heartbeat_at=at, ended_at=at
        )
        for number, group in enumerate(groups):
            trouble = TROUBLE[days % 3] if number % 7 == days % 7 else None
            self._delivery(notification, group, at, worker.pk, trouble)

    def _delivery(
        self,
        notification: Notification,
        group: ChatGroup,
        at: Any,
        worker: int,
        trouble: tuple[str, int | None, str, str] | None,
    ) -> None:
        status, code, info, reason = trouble or ("accepted", 0, "", "")
        took = timedelta(milliseconds=10_000 if reason else 84)
        delivery = Delivery.objects.create(
            notification=notification,
            group_id=group.group_id,
            group_name=group.name,
            group_type=group.type,
            sender_name=notification.sender_name,
            status=status,
            error_code=code,
            error_info=info,
            reason=reason,
            attempt_count=1,
            not_before=at,
            created_at=at,
            finished_at=at + took,
        )
        outcome = {"failed": "rejected"}.get(status, status)
        Attempt.objects.create(
            delivery=delivery,
            number=1,
            worker=worker,
            started_at=at,
            finished_at=at + took,
            outcome=outcome,
            reason=reason,
            http_status=None if reason else 200,
            action_status="" if reason else ("FAIL" if code else "OK"),
            error_code=code,
            error_info=info,
        )

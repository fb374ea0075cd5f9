"""``manage.py fill_demo``: create the users, groups and history of ``make demo``."""

import csv
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from notifications import permissions
from notifications.access.services import people
from notifications.audiences import saved
from notifications.compose.services.drafts import Draft, save_draft
from notifications.demo import history
from notifications.groups import labels as groups_labels
from notifications.models import ChatGroup, Notification, Rule

PEOPLE = [
    ("lin.mei", "Lin Mei", permissions.COMMUNITY_MANAGER),
    ("chen.jie", "Chen Jie", permissions.COMMUNITY_MANAGER),
    ("wang.fang", "Wang Fang", permissions.AUDITOR),
]

# Indexes in the file of the groups whose state or name has changed.
SWITCHED_OFF, CLOSED, RENAMED = 9, 21, 15

LONG_UNCHECKED = range(0, 42, 13)

# The first sync adds the other groups of the file.
KNOWN = 42

# Label → (step, index of the first group) of the groups that have it.
LABELS = {"North": (3, 0), "South": (3, 1), "VIP": (7, 2), "校区": (11, 4)}

AUDIENCES = {
    "Live rooms of the north": Rule(types=("AVChatRoom",), labels=("North",)),
    "Large public groups": Rule(types=("Public",), min_members=300),
}


class Command(BaseCommand):
    help = (
        "Fill an empty database with users, chat groups and two weeks of history for a "
        "demonstration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--groups",
            required=True,
            metavar="FILE.csv",
            help="chat groups, with the columns group_id, name, type and member_count",
        )
        parser.add_argument(
            "--password", required=True, help="password of all users that are created"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if ChatGroup.objects.exists() or User.objects.exists():
            raise CommandError("The database is not empty. Nothing was changed.")
        now = timezone.now()
        self._people(options["password"])
        groups = self._groups(options["groups"], now)
        history.fill_history(groups, now)
        self._labels_and_audiences(groups)
        manager = User.objects.get(username="lin.mei")
        save_draft(
            manager,
            Draft(
                "The market on Sunday opens at ten. Bring your own bags!",
                Notification.Audience.CHOSEN,
                [group.group_id for group in groups[10:13]],
            ),
        )

    def _labels_and_audiences(self, groups: list[ChatGroup]) -> None:
        administrator = User.objects.get(username="admin")
        for name, (every, first) in LABELS.items():
            some = [group.pk for group in groups[first::every]]
            groups_labels.add_labels(
                administrator, ChatGroup.objects.filter(pk__in=some), [name]
            )
        manager = User.objects.get(username="lin.mei")
        for name, rule in AUDIENCES.items():
            saved.save(manager, name, rule)

    def _people(self, password: str) -> None:
        for username, name, role in PEOPLE:
            first, last = name.split()
            person = User.objects.create_user(
                username,
                password=password,
                first_name=first,
                last_name=last,
                is_staff=True,
            )
            person.groups.add(Group.objects.get(name=role))
            people.record_person("fill_demo", person.pk, None)
        User.objects.create_superuser("admin", password=password)

    def _groups(self, path: str, now: datetime) -> list[ChatGroup]:
        """Create the groups as they were before the first sync, in file order."""
        with open(path, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[:KNOWN]
        groups = [
            ChatGroup(
                group_id=row["group_id"],
                name=row["name"],
                type=row["type"],
                member_count=int(row["member_count"]),
                checked_at=now - timedelta(days=12 if n in LONG_UNCHECKED else 1),
            )
            for n, row in enumerate(rows)
        ]
        groups[SWITCHED_OFF].state = ChatGroup.State.SWITCHED_OFF
        groups[CLOSED].state = ChatGroup.State.CLOSED
        groups[RENAMED].former_names = "Photo walk"
        ChatGroup.objects.bulk_create(groups)
        return list(ChatGroup.objects.order_by("id"))

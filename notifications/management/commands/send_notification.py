"""``manage.py send_notification``: what the pages do, for scripts."""

import time
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from notifications.management.base import FAILED, REFUSED, refusal
from notifications.models import Delivery, Notification
from notifications.record import trail
from notifications.selectors.audiences import audience_of
from notifications.services import sending, writing

POLL_SECONDS = 0.2
S = Delivery.Status


class Command(BaseCommand):
    help = (
        "Send a notification as a person, with that person's permissions. Exit code 0: "
        "all accepted, or accepted for sending; 1: something failed or is not "
        "confirmed; 2: refused, nothing was sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="username", required=True, metavar="USERNAME")
        text = parser.add_mutually_exclusive_group(required=True)
        text.add_argument("--content", metavar="TEXT")
        text.add_argument("--content-file", type=Path, metavar="FILE", help="UTF-8")
        to = parser.add_mutually_exclusive_group(required=True)
        several: dict[str, Any] = {"action": "extend", "nargs": "+"}
        to.add_argument("--group", metavar="ID", **several)
        to.add_argument("--type", metavar="TYPE", **several)
        to.add_argument("--all", action="store_true", help="every group in use")
        parser.add_argument(
            "--recipient",
            metavar="USER_ID",
            help="only these members; without it everyone in the group",
            **several,
        )
        parser.add_argument("--note", default="", help="for your team")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="until it is finished, stopped or paused",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["username"], is_active=True)
        except User.DoesNotExist:
            raise CommandError(
                f"There is nobody called “{options['username']}” who may log in.",
                returncode=REFUSED,
            ) from None
        try:
            with trail.origin(trail.Origin(lambda: user)):
                sent = self._send(user, options)
        except (
            OSError,
            UnicodeDecodeError,
            ValidationError,
            PermissionDenied,
        ) as error:
            raise refusal(error) from None
        self.stdout.write(f"notification={sent.pk} groups={sent.audience_count}")
        if options["wait"]:
            self._wait(sent)

    @transaction.atomic
    def _send(self, user: User, options: dict[str, Any]) -> Notification:
        """Draft and send in one transaction: a refusal leaves no draft behind."""
        content = options["content"]
        if content is None:
            content = options["content_file"].read_text("utf-8")
        kinds = Notification.Audience
        kind, values = kinds.CHOSEN, options["group"] or []
        if options["all"]:
            kind = kinds.EVERY
        elif options["type"]:
            kind, values = kinds.TYPES, options["type"]
        recipients = options["recipient"]
        for name, given in (("group", values), ("recipient", recipients or [])):
            if twice := len(given) - len(set(given)):
                self.stderr.write(f"{twice} --{name} given twice, counted once.")
        draft = writing.save_draft(
            user,
            writing.Draft(
                content=content,
                audience=kind,
                audience_values=values,
                recipients=[r for r in recipients if r] if recipients else recipients,
                note=options["note"],
            ),
        )
        return sending.send(user, draft.pk, digest=audience_of(draft).digest)

    def _wait(self, notification: Notification) -> None:
        while True:
            notification.refresh_from_db()
            counts = notification.deliveries.counts()
            is_over = notification.has_ended and not counts[S.SENDING]
            is_paused = notification.status == Notification.Status.PAUSED
            if is_over or is_paused:
                break
            time.sleep(POLL_SECONDS)
        shown = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED]
        self.stdout.write(" ".join(f"{s.value}={counts[s]}" for s in shown))
        if is_paused:
            raise CommandError(
                f"Notification {notification.pk} is paused: "
                f"{notification.paused_reason}.",
                returncode=FAILED,
            )
        if counts[S.ACCEPTED] != sum(counts.values()):
            raise CommandError("Not all were accepted.", returncode=FAILED)

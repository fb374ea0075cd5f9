"""``manage.py send_notification``: what the pages do, for scripts."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from notifications import audit_log
from notifications.audiences.audience import Kind, Values, audience_of
from notifications.compose.services import drafts
from notifications.compose.services import send as services_send
from notifications.delivery.heartbeat import has_live_worker
from notifications.management.base import refusal, user_named, wait_for_end
from notifications.models import Notification, Rule


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
        several: dict[str, Any] = {"action": "extend", "nargs": "+"}
        to = parser.add_argument_group("whom it is for, in one way")
        to.add_argument("--group", metavar="ID", **several)
        to.add_argument("--audience", metavar="NAME", help="a saved audience")
        to.add_argument("--all", action="store_true", help="every group in use")
        fit = parser.add_argument_group("or the groups that fit all of this")
        fit.add_argument("--type", metavar="TYPE", help="any of these", **several)
        fit.add_argument("--label", metavar="NAME", help="any of these", **several)
        fit.add_argument("--name-contains", metavar="TEXT", default="")
        fit.add_argument("--min-members", metavar="N", type=int)
        fit.add_argument("--max-members", metavar="N", type=int)
        fit.add_argument("--except", metavar="ID", help="never these", **several)
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
        user = user_named(options["username"])
        try:
            with audit_log.origin(audit_log.Origin(lambda: user)):
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
            if not has_live_worker():
                self.stderr.write(
                    "No worker is running: it waits until one is started."
                )
            wait_for_end(sent, self.stdout)

    @transaction.atomic
    def _send(self, user: User, options: dict[str, Any]) -> Notification:
        """Draft and send in one transaction: a refusal leaves no draft behind."""
        content = options["content"]
        if content is None:
            content = options["content_file"].read_text("utf-8")
        kind, values = _choice(options)
        recipients = options["recipient"]
        for name in ("group", "recipient"):
            given = options[name] or []
            if twice := len(given) - len(set(given)):
                self.stderr.write(f"{twice} --{name} given twice, counted once.")
        draft = drafts.save_draft(
            user,
            drafts.Draft(
                content=content,
                audience=kind,
                audience_values=values,
                recipients=[r for r in recipients if r] if recipients else recipients,
                note=options["note"],
            ),
        )
        return services_send.send(user, draft.pk, digest=audience_of(draft).digest)


def _choice(options: dict[str, Any]) -> tuple[str, Values]:
    """The kind of audience and its values. Raises ``ValidationError``."""
    rule = Rule(
        types=tuple(options["type"] or ()),
        labels=tuple(options["label"] or ()),
        name_contains=options["name_contains"],
        min_members=options["min_members"],
        max_members=options["max_members"],
        exceptions=tuple(options["except"] or ()),
    ).as_json()
    given: list[tuple[str, Values]] = []
    if options["group"]:
        given.append((Kind.CHOSEN, options["group"]))
    if options["audience"]:
        given.append((Kind.SAVED, [options["audience"]]))
    if options["all"]:
        given.append((Kind.EVERY, []))
    if rule:
        given.append((Kind.RULE, rule))
    if len(given) != 1:
        raise ValidationError(
            "Say in one way whom it is for: --group, --audience, --all, or by "
            "conditions such as --type and --except."
        )
    return given[0]

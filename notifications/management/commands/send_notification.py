"""``manage.py send_notification``: send a notification from a script."""

from argparse import _ArgumentGroup
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from notifications import audit_log
from notifications.audiences.audience import Kind, Values
from notifications.compose.checked import checked_of
from notifications.compose.message_options import stored_options
from notifications.compose.services import drafts
from notifications.compose.services import send as services_send
from notifications.compose.services.sender_check import sender_problem
from notifications.delivery.channels import WRITABLE
from notifications.delivery.heartbeat import has_live_worker
from notifications.management.base import get_active_user, refusal, wait_for_end
from notifications.models import Notification, Rule
from notifications.tencent.ids import is_user_id
from notifications.tencent.message_options import PRIORITIES, MessageOptions


class Command(BaseCommand):
    help = (
        "Send a notification as a user, with that user's permissions. Without --wait, "
        "exit code 0 only means that the notification is queued for the worker. Exit "
        "code 0: queued, or with --wait: every group accepted it; 1: a delivery failed "
        "or is unconfirmed; 2: refused, nothing was sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as",
            dest="username",
            required=True,
            metavar="USERNAME",
            help="user who sends the notification",
        )
        text = parser.add_mutually_exclusive_group(required=True)
        text.add_argument("--content", metavar="TEXT", help="text of the notification")
        text.add_argument(
            "--content-file", type=Path, metavar="FILE", help="UTF-8 file with the text"
        )
        several: dict[str, Any] = {"action": "extend", "nargs": "+"}
        to = parser.add_argument_group("chat groups (exactly one of these options)")
        to.add_argument("--group", metavar="ID", help="IDs of the groups", **several)
        to.add_argument("--audience", metavar="NAME", help="a saved audience")
        to.add_argument("--all", action="store_true", help="every group in use")
        rule = parser.add_argument_group(
            "or all groups that meet every one of these conditions"
        )
        rule.add_argument(
            "--type", metavar="TYPE", help="with one of these types", **several
        )
        rule.add_argument(
            "--label", metavar="NAME", help="with one of these labels", **several
        )
        rule.add_argument(
            "--name-contains",
            metavar="TEXT",
            default="",
            help="with this text in the name",
        )
        rule.add_argument(
            "--min-members", metavar="N", type=int, help="with at least N members"
        )
        rule.add_argument(
            "--max-members", metavar="N", type=int, help="with at most N members"
        )
        rule.add_argument(
            "--except", metavar="ID", help="without these groups", **several
        )
        parser.add_argument(
            "--recipient",
            metavar="USER_ID",
            help="send to these group members only; default: all members",
            **several,
        )
        parser.add_argument(
            "--channel",
            choices=[str(word) for word in WRITABLE],
            default=settings.IM_DEFAULT_CHANNEL,
            help="how to reach the groups; default: IM_DEFAULT_CHANNEL, now %(default)s",
        )
        _add_options(parser.add_argument_group("options of --channel group_message"))
        parser.add_argument(
            "--note", default="", help="internal note, not part of the notification"
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the notification is completed, cancelled or paused",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_active_user(options["username"])
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
                    "No worker is running: the command waits until one is started."
                )
            wait_for_end(sent, self.stdout)

    def _send(self, user: User, options: dict[str, Any]) -> Notification:
        message = _message_options(options)
        # Before the transaction, because the worker asks Tencent.
        unsaved = Notification(message_options=stored_options(message))
        channel = WRITABLE.get(options["channel"])
        is_asked = channel and channel.has_options and is_user_id(message.from_account)
        if is_asked and (problem := sender_problem(user, unsaved)):
            raise ValidationError(problem)
        return self._save_and_send(user, options, message)

    @transaction.atomic
    def _save_and_send(
        self, user: User, options: dict[str, Any], message: MessageOptions
    ) -> Notification:
        """Save and send a draft in one transaction, so that a refusal leaves no draft."""
        content = options["content"]
        if content is None:
            content = options["content_file"].read_text("utf-8")
        kind, values = _audience(options)
        recipients = options["recipient"]
        for name in ("group", "recipient"):
            ids = options[name] or []
            if duplicates := len(ids) - len(set(ids)):
                self.stderr.write(f"Ignored duplicates of --{name}: {duplicates}")
        draft = drafts.save_draft(
            user,
            drafts.Draft(
                content=content,
                audience=kind,
                audience_values=values,
                recipients=[r for r in recipients if r] if recipients else recipients,
                note=options["note"],
                channel=options["channel"],
                options=message,
            ),
        )
        return services_send.send(
            user, draft.pk, digest=checked_of(user, draft).digest()
        )


def _add_options(group: _ArgumentGroup) -> None:
    """Each is stored under the name of its field in ``MessageOptions``."""
    group.add_argument(
        "--from-account",
        metavar="USER_ID",
        default="",
        help="account that members see as the sender; default: the administrator. "
        "Needs a running worker, which asks Tencent whether it exists",
    )
    group.add_argument("--mention-all", action="store_true", help="@all")
    group.add_argument(
        "--priority",
        choices=PRIORITIES,
        default=MessageOptions().priority,
        help="default: %(default)s",
    )
    group.add_argument(
        "--online-only",
        action="store_true",
        help="only for members who are online; Tencent keeps no message",
    )
    group.add_argument(
        "--no-unread", action="store_true", help="do not count it as unread"
    )
    group.add_argument(
        "--no-last-message",
        action="store_true",
        help="do not show it as the last message of the chat",
    )
    group.add_argument(
        "--no-push",
        dest="push",
        action="store_false",
        help="do not push it to members who are offline",
    )
    group.add_argument(
        "--push-title", metavar="TEXT", default="", help="title of the push"
    )
    group.add_argument(
        "--push-text",
        metavar="TEXT",
        default="",
        help="text of the push; default: the text of the notification",
    )
    group.add_argument(
        "--image-url", metavar="URL", default="", help="an image below the text"
    )
    for side in ("width", "height"):
        group.add_argument(
            f"--image-{side}",
            metavar="PIXELS",
            type=int,
            default=0,
            help=f"{side} of the image; required with --image-url",
        )
    group.add_argument(
        "--custom-data",
        type=Path,
        metavar="FILE",
        help="UTF-8 file with JSON that your app displays itself",
    )


def _message_options(options: dict[str, Any]) -> MessageOptions:
    file = options["custom_data"]
    values = {field.name: options[field.name] for field in fields(MessageOptions)}
    text = file.read_text("utf-8").strip() if file else ""
    return MessageOptions(**values | {"custom_data": text})


def _audience(options: dict[str, Any]) -> tuple[str, Values]:
    """The kind of audience and its values. Raises ``ValidationError``."""
    rule = Rule(
        types=tuple(options["type"] or ()),
        labels=tuple(options["label"] or ()),
        name_contains=options["name_contains"],
        min_members=options["min_members"],
        max_members=options["max_members"],
        exceptions=tuple(options["except"] or ()),
    ).as_json()
    audiences: list[tuple[str, Values]] = []
    if options["group"]:
        audiences.append((Kind.CHOSEN, options["group"]))
    if options["audience"]:
        audiences.append((Kind.SAVED, [options["audience"]]))
    if options["all"]:
        audiences.append((Kind.EVERY, []))
    if rule:
        audiences.append((Kind.RULE, rule))
    if len(audiences) != 1:
        raise ValidationError(
            "Choose the chat groups with one of --group, --audience, --all, or "
            "conditions such as --type and --except."
        )
    return audiences[0]

"""``manage.py im_sandbox``: run a local replacement of Tencent's endpoint."""

import argparse
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)

from notifications.sandbox import faults
from notifications.sandbox.application import (
    ACCOUNTS,
    CALLBACKS,
    COMMAND_IS_OFF,
    EDITIONS,
    MUTED,
    REPEATS,
    SECOND_RECALLS,
    Application,
    read_switched_off,
)
from notifications.sandbox.groups import BUILT_IN, load_groups
from notifications.sandbox.protocol import Account
from notifications.sandbox.server import SandboxConfig, SandboxServer


class _RawEpilogFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Preserves the line breaks of the table of faults."""


ORDINARY = Application()


def _listed(choices: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in choices.items() if name)


class Command(BaseCommand):
    help = (
        "Run a local replacement of Tencent IM for development. It validates every call "
        "as Tencent documents it, and its page shows the notices and messages that "
        "group members would see. Set IM_BASE_URL to its address."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = _RawEpilogFormatter
        parser.epilog = (
            "Faults, for the column “fault” of --groups and for the form on the page. "
            "They concern notices,\nmessages, recalls and corrections; a message that is "
            "shown is stored, too, and to show\na recall or a correction is to carry it "
            "out. CALL=FAULT, such as group_msg_recall=silent_before,\nis the fault of "
            "one call; several are separated by spaces. With one, the sandbox …\n"
            + faults.table()
        )
        parser.add_argument("--port", type=int, default=8010, help="default: 8010")
        parser.add_argument(
            "--latency-ms",
            type=float,
            default=0,
            metavar="MS",
            help="delay of every answer in milliseconds; default: 0",
        )
        parser.add_argument(
            "--jitter-ms",
            type=float,
            default=0,
            metavar="MS",
            help="maximum random deviation from --latency-ms; default: 0",
        )
        parser.add_argument(
            "--groups",
            type=Path,
            default=BUILT_IN,
            metavar="FILE.csv",
            help="chat groups: group_id,type,name[,member_count][,members][,fault], "
            "members separated by spaces; default: a built-in set",
        )
        parser.add_argument(
            "--journal",
            type=Path,
            metavar="FILE",
            help="append every received notice, message, recall and correction to this "
            "file, as JSON Lines; messages in an existing file are stored again",
        )
        parser.add_argument(
            "--edition",
            choices=EDITIONS,
            default=ORDINARY.edition,
            help="edition of the application; members can be named, receipts be read and "
            "live rooms be reached at once from flagship on; default: %(default)s",
        )
        parser.add_argument(
            "--new-customer",
            action="store_true",
            help="refuse system notifications, as Tencent does for new customers",
        )
        parser.add_argument(
            "--switch-off",
            nargs="+",
            default=[],
            metavar="CALL[:CODE]",
            help="refuse a call such as group_msg_recall; default of CODE: "
            f"{COMMAND_IS_OFF}",
        )
        parser.add_argument(
            "--repeats",
            choices=REPEATS,
            default=ORDINARY.repeats,
            help="answer to a message that came before, within five minutes: "
            f"{_listed(REPEATS)}; default: %(default)s",
        )
        parser.add_argument(
            "--second-recall",
            choices=SECOND_RECALLS,
            default=ORDINARY.second_recall,
            help="answer to the recall of a message that was taken back before: "
            f"{_listed(SECOND_RECALLS)}; default: %(default)s",
        )
        parser.add_argument(
            "--callback",
            choices=[name for name in CALLBACKS if name],
            default="",
            help="what the app's own server does before a message is sent: "
            f"{_listed(CALLBACKS)}",
        )
        parser.add_argument(
            "--account",
            nargs="+",
            default=list(ACCOUNTS),
            metavar="ID",
            help="accounts that exist beside the administrator and the members of groups, "
            f"and {', '.join(MUTED)}, which may not send; default: {' '.join(ACCOUNTS)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.IM_SDK_APP_ID.isdigit() and settings.IM_SECRET_KEY):
            raise CommandError(
                "Set IM_SDK_APP_ID and IM_SECRET_KEY: the sandbox checks signatures.",
                returncode=2,
            )
        try:
            groups = load_groups(options["groups"])
            server = SandboxServer(
                SandboxConfig(
                    account=Account(
                        int(settings.IM_SDK_APP_ID),
                        settings.IM_SECRET_KEY,
                        settings.IM_ADMIN_ACCOUNT,
                    ),
                    groups=groups,
                    latency_ms=options["latency_ms"],
                    jitter_ms=options["jitter_ms"],
                    port=options["port"],
                    journal_path=options["journal"],
                    accounts=options["account"],
                    application=Application(
                        edition=options["edition"],
                        new_customer=options["new_customer"],
                        repeats=options["repeats"],
                        callback=options["callback"],
                        second_recall=options["second_recall"],
                        switched_off=read_switched_off(" ".join(options["switch_off"])),
                    ),
                )
            )
        except (OSError, ValueError) as error:
            raise CommandError(
                f"The sandbox does not start: {error}", returncode=2
            ) from None
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with server:
            self.stdout.write(f"Sandbox at {server.url}/ with {len(groups)} groups")
            self.stdout.flush()
            while not stop.wait(1):
                if not server.is_alive:
                    raise CommandError("The sandbox died of an error; see above.")

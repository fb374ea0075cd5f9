"""``manage.py im_sandbox``: our local stand-in for Tencent's endpoint."""

import argparse
import signal
import threading
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
from notifications.sandbox.groups import BUILT_IN, load_groups
from notifications.sandbox.protocol import Account
from notifications.sandbox.server import SandboxConfig, SandboxServer


class _KeepsLines(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """For the table of faults."""


class Command(BaseCommand):
    help = (
        "Run a stand-in for Tencent IM on this machine. It checks every call as the "
        "documents describe and shows on its page what members would have seen. Set "
        "IM_BASE_URL to its address."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = _KeepsLines
        parser.epilog = (
            "Faults, for the column “fault” and on the page; the sandbox …\n"
            + faults.table()
        )
        parser.add_argument("--port", type=int, default=8010, help="default 8010")
        parser.add_argument(
            "--latency-ms", type=float, default=0, help="answer so much later"
        )
        parser.add_argument(
            "--jitter-ms", type=float, default=0, help="give or take so much"
        )
        parser.add_argument(
            "--groups",
            type=Path,
            default=BUILT_IN,
            help="CSV file group_id,type,name[,member_count][,members][,fault], members "
            "with spaces between them; else a built-in set",
        )
        parser.add_argument(
            "--journal",
            type=Path,
            help="append every notice to this file, as JSON Lines",
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
            stop.wait()

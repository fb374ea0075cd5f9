"""The console with unexpected errors in each thread of the worker, at random.

usage: python -m tests.faults.dying COMMAND [ARGUMENT ...]
"""

import os
import random
import sys
from collections.abc import Callable
from typing import Any

import django
from django.core.management import execute_from_command_line

CHANCES = random.Random()
ERRORS = (KeyError, SystemExit, MemoryError)


def fail_at_times(owner: Any, name: str, chance: float) -> None:
    """Let ``owner.name`` raise, before or after its work, in this share of its calls."""
    work: Callable[..., Any] = getattr(owner, name)

    def work_or_fail(*args: Any, **kwargs: Any) -> Any:
        if CHANCES.random() < chance / 2:
            raise CHANCES.choice(ERRORS)
        result = work(*args, **kwargs)
        if CHANCES.random() < chance / 2:
            raise CHANCES.choice(ERRORS)
        return result

    setattr(owner, name, work_or_fail)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "notifier_site.settings"
    django.setup()
    from notifications import conf  # noqa: PLC0415  after the setup
    from notifications.delivery import results, worker  # noqa: PLC0415
    from notifications.record import sealing  # noqa: PLC0415
    from notifications.tencent import client  # noqa: PLC0415

    # An error in the trial at the start refuses the start.
    conf.client_problem = lambda: ""
    fail_at_times(conf.Connection, "client", 0.1)
    fail_at_times(client.ImClient, "connect", 0.05)
    fail_at_times(client.ImClient, "call", 0.05)
    fail_at_times(results.ResultWriter, "write", 0.02)
    fail_at_times(worker, "complete_finished", 0.02)
    fail_at_times(sealing, "seal_due", 0.2)
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()

"""The console with the unsafe synchronous=NORMAL, only for the control experiment.

usage: python -m tests.faults.control COMMAND [ARGUMENT ...]
"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

from notifications.db import durability


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "notifier_site.settings"
    options = settings.DATABASES["default"]["OPTIONS"]
    options["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    # The worker refuses to start with it; the command imports this name later.
    durability.durability_problem = lambda: ""
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()

"""The entry point for gunicorn: ``gunicorn notifier_site.wsgi``."""

import logging
import os

import django
from django.core.checks import ERROR, Tags, run_checks
from django.core.wsgi import get_wsgi_application

from notifier_site.variables import FATAL

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifier_site.settings")

django.setup(set_prefix=False)

# A server runs no system checks: log the errors of the settings as well.
problems = [p for p in run_checks(tags=["im", Tags.security]) if p.level >= ERROR]
fatal_ids = {f"notifier.{id}" for id in ("E001", *FATAL)}
is_fatal = any(problem.id in fatal_ids for problem in problems)
if not is_fatal:
    application = get_wsgi_application()
for problem in problems:
    logging.getLogger(__name__).error("%s %s", problem.msg, problem.hint)
if is_fatal:
    # With this code of a process, gunicorn ends instead of starting another one.
    raise SystemExit(3)

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
for problem in problems:
    logging.getLogger(__name__).error("%s %s", problem.msg, problem.hint)
if {"notifier.E001", *(f"notifier.{id}" for id in FATAL)} & {p.id for p in problems}:
    # With this code of a process, gunicorn ends instead of starting another one.
    raise SystemExit(3)

application = get_wsgi_application()

"""The entry point for gunicorn: ``gunicorn notifier_site.wsgi``."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifier_site.settings")

application = get_wsgi_application()

# A server runs no system checks: log the problems as well.
for problem in settings.SETTINGS_PROBLEMS:
    logging.getLogger(__name__).error("%s %s", problem.sentence, problem.hint)

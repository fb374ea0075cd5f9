"""The entry point for gunicorn: ``gunicorn notifier_site.wsgi``."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifier_site.settings")

application = get_wsgi_application()

# A server makes no checks; whoever reads its log learns of them all the same.
for problem in settings.SETTINGS_PROBLEMS:
    logging.getLogger(__name__).error("%s %s", problem.sentence, problem.hint)

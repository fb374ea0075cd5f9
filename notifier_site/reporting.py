"""What a report of an error may show of settings and of the environment."""

import re

from django.views.debug import SafeExceptionReporterFilter


class ReporterFilter(SafeExceptionReporterFilter):
    """Hides two more addresses, since they may hold a password."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|DATABASE_URL|PROXY_URL",
        flags=re.IGNORECASE,
    )

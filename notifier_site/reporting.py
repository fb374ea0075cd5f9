"""Exception reporter filter: hides secrets in error reports."""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class ReporterFilter(SafeExceptionReporterFilter):
    """Hide the values of all local variables and form fields, with ``DEBUG`` too.

    Variables of the client contain the key, the signature and URLs with it; form fields
    contain passwords and user input. Also hides settings and environment variables with
    URLs that may contain a password.
    """

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern
        + "|DATABASE_.*URL|_PROXY|PROXY_URL|EMAIL_URL",
        flags=re.IGNORECASE,
    )

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        names = request.POST if request is not None else ()
        return dict.fromkeys(names, self.cleansed_substitute)

"""System checks of the settings of Tencent IM.

Missing settings are warnings, because the console can be set up and read without them; the
worker refuses to start if any check of the tag ``im`` fails.
"""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import (
    CheckMessage,
    Error,
    Tags,
    Warning,
    register,
    run_checks,
)
from django.db import DatabaseError

from notifications import conf
from notifications.models import AMENDING, Capability, Channel
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.ids import is_user_id
from notifications.tencent.transport import NoCertificate, tls_context
from notifier_site.values import visible


@register("im")
def check_connection(**_kwargs: Any) -> list[CheckMessage]:
    """The settings ``IM_*``: W1xx for missing values, E1xx for invalid ones."""
    problems = [*_account(), *_address(), *_connectivity(), *_numbers()]
    return [*_missing(), *problems, *([] if problems else _client())]


@register(Tags.database)
def check_default_channel(
    databases: Sequence[str] | None = None, **_kwargs: Any
) -> Iterator[CheckMessage]:
    """Warn about a default channel that the last probe found refused."""
    word, sdk_app_id = settings.IM_DEFAULT_CHANNEL, settings.IM_SDK_APP_ID
    writable = [channel for channel in Channel.values if channel not in AMENDING]
    if not databases or not conf.is_sdk_app_id(sdk_app_id):
        return
    try:
        refused = set(
            Capability.objects.filter(
                sdk_app_id=int(sdk_app_id),
                name__in=writable,
                answer=Capability.Answer.NO,
            ).values_list("name", flat=True)
        )
    except DatabaseError:  # before the first migration
        return
    if word in refused:
        others = [channel for channel in writable if channel not in refused]
        yield Warning(
            f"IM_DEFAULT_CHANNEL is {word}, which the application may not use, as the "
            "last probe found.",
            hint=(
                f"Set IM_DEFAULT_CHANNEL={others[0]}, or probe again "
                if others
                else "Probe again "
            )
            + "(manage.py probe_application) after a change in Tencent's console.",
            id="notifier.W103",
        )


def _missing() -> Iterator[CheckMessage]:
    if not settings.IM_SDK_APP_ID:
        yield Warning(
            "IM_SDK_APP_ID is empty: nothing can be sent.",
            hint="Copy the SDKAppID from the application's page in Tencent's console.",
            id="notifier.W101",
        )


def worker_problems() -> list[CheckMessage]:
    """Why no call can be made: for the worker and commands, which alone have the key."""
    problems = run_checks(tags=["im"])
    if not settings.IM_SECRET_KEY:
        problems.append(
            Warning(
                "IM_SECRET_KEY is empty: nothing can be sent.",
                hint="Copy the key from the application's page in Tencent's console, "
                "or give the path of a file that holds it as IM_SECRET_KEY_FILE.",
                id="notifier.W102",
            )
        )
    return problems


def _account() -> Iterator[CheckMessage]:
    app_id = settings.IM_SDK_APP_ID
    if app_id and not conf.is_sdk_app_id(app_id):
        yield Error(
            f"IM_SDK_APP_ID is “{visible(app_id)}”, which is not a whole number.",
            hint="An SDKAppID has ten digits, for example 1400000000.",
            id="notifier.E101",
        )
    if not is_user_id(settings.IM_ADMIN_ACCOUNT):
        yield Error(
            f"IM_ADMIN_ACCOUNT is “{visible(settings.IM_ADMIN_ACCOUNT)}”, which is no "
            "account name.",
            hint="Use the App administrator's account: 1 to 32 letters, digits, "
            "_ or -.",
            id="notifier.E102",
        )
    for name in ("IM_SECRET_KEY", "IM_SECRET_KEY_NEXT"):
        key = getattr(settings, name)
        if key and not _KEY.fullmatch(key):
            yield Error(
                f"{name} holds signs that no key has: {_foreign_signs(key)}.",
                hint="Copy the key from the application's page in Tencent's console. "
                "It is alone on one line: no quotation marks, no blanks, no NAME= "
                "before it. Save a file as UTF-8 without a byte order mark.",
                id="notifier.E108",
            )


# Keys are hexadecimal; Tencent does not document that, so other letters are accepted.
_KEY = re.compile(r"[0-9A-Za-z+/_-]+={0,2}")
_FOREIGN_SIGNS = {
    "a byte order mark": "\ufeff",
    "a quotation mark": "\"'`“”‘’„",
    "a line break": "\r\n",
    "a blank": " \t\u00a0\u3000",
    "=": "=",
}


def _foreign_signs(key: str) -> str:
    """The kinds of signs in a key that no key has, without the key."""
    kinds = [
        kind
        for kind, signs in _FOREIGN_SIGNS.items()
        if any(sign in key for sign in signs)
    ]
    return ", ".join(kinds) or "others than letters and digits"


def _address() -> Iterator[CheckMessage]:
    url = settings.IM_BASE_URL
    if url and not conf.is_base_url(url):
        # What is before an @ may be a password.
        shown = visible(re.sub(r"(?s)//.*@", "//…@", url))
        yield Error(
            f"IM_BASE_URL is “{shown}”, which cannot be used.",
            hint="Use https://HOST, or http://127.0.0.1:PORT for a sandbox on this "
            "machine: without a path or blanks, with a port from 1 to 65535, and a host "
            "of letters, digits and hyphens.",
            id="notifier.E103",
        )
    elif not url and settings.IM_REGION not in conf.HOSTS:
        yield Error(
            f"IM_REGION is “{visible(settings.IM_REGION)}”.",
            hint=f"Use one of {', '.join(conf.HOSTS)}: the region of the application's "
            "data.",
            id="notifier.E104",
        )


def _connectivity() -> Iterator[CheckMessage]:
    """Check the proxy and the file of certificates, without showing a password."""
    if settings.IM_PROXY_URL and not conf.is_proxy_url(settings.IM_PROXY_URL):
        yield Error(
            "IM_PROXY_URL is not the URL of a proxy.",
            hint="Use http://HOST:PORT without a path or blanks, with USER:PASSWORD@ "
            "before HOST if the proxy requires it. Write signs such as @ / : # % in a "
            "password as %40 %2F %3A %23 %25.",
            id="notifier.E105",
        )
    if settings.IM_CA_FILE and (problem := _ca_file_problem(settings.IM_CA_FILE)):
        yield Error(
            f"IM_CA_FILE is “{visible(settings.IM_CA_FILE)}”, which {problem}.",
            hint="Set it to the path of a PEM file with the certificates to trust, "
            "which begin with -----BEGIN CERTIFICATE-----. openssl x509 -inform DER "
            "-in FILE -out FILE.pem converts a DER file.",
            id="notifier.E106",
        )


def _ca_file_problem(path: str) -> str:
    if not os.path.isfile(path):
        return "is not a file"
    try:
        tls_context(path)
    except NoCertificate:
        return "contains no PEM certificate"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _client() -> Iterator[CheckMessage]:
    """Make a client: requests may refuse what the other checks accept."""
    if settings.IM_SDK_APP_ID and (problem := conf.client_problem()):
        yield Error(
            "No connection can be made with IM_BASE_URL, IM_PROXY_URL and IM_CA_FILE: "
            f"{problem}.",
            hint="Correct the address, the proxy and the file of certificates.",
            id="notifier.E107",
        )


# name, lowest, highest, unit
NUMBERS = [
    ("IM_CALLS_PER_SECOND", 1, 10_000, "calls per second"),
    (
        "IM_RECIPIENTS_PER_CALL",
        1,
        SendGroupSystemNotification.MAX_RECIPIENTS,
        "member IDs",
    ),
    ("IM_CONTENT_MAX_BYTES", 1, SendGroupSystemNotification.MAX_CONTENT_BYTES, "bytes"),
    # Tencent's back end times out after 3 s: a caller must wait longer.
    ("IM_READ_TIMEOUT", 3.5, 14, "seconds"),
    ("IM_CONNECT_TIMEOUT", 0.5, 14, "seconds"),
    ("IM_DAILY_QUOTA", 0, 10_000_000, "calls a day; 0 is no limit"),
    ("IM_SYNC_EVERY_HOURS", 0, 8760, "hours between two syncs; 0 is never"),
    # Tencent's back end needs some seconds until the history has a message.
    ("IM_QUERY_AFTER_SECONDS", 10, 3600, "seconds"),
    ("IM_QUERY_AGAIN_AFTER_SECONDS", 10, 3600, "seconds"),
    # The history is kept for seven days at least.
    ("IM_QUERY_GIVE_UP_HOURS", 0.01, 168, "hours"),
    ("IM_HISTORY_DAYS", 1, 3650, "days"),
]


def _numbers() -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {getattr(settings, name)}.",
            hint=f"Use {lowest} to {highest} {unit}.",
            id=f"notifier.E{number}",
        )
        for number, (name, lowest, highest, unit) in enumerate(NUMBERS, start=110)
        if not lowest <= getattr(settings, name) <= highest
    ]

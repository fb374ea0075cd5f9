"""Findings and remedies of the connection check, in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications.delivery.explanations import explain_code, explain_reason
from notifications.delivery.requests import FAILED, REFUSED
from notifications.models import WorkerRequest
from notifications.system.connection import StepResult, StepState
from notifications.tencent import error_codes
from notifications.tencent.error_codes import FIRST_HOUR, about

FINDINGS: dict[str, Promise] = {
    "settings_complete": _("Everything that is needed is set."),
    "settings_problems": _("Settings are missing or impossible."),
    "host_found": _("%(host)s is at %(addresses)s."),
    "host_no_address": _("%(host)s has no address."),
    "host_slow_names": _("Nobody told the address of %(host)s in time."),
    "connection_open": _("%(host)s answers at port %(port)s."),
    "connection_proxy": _("The proxy %(host)s, port %(port)s, is the way out."),
    "connection_refused": _("%(host)s refuses connections at port %(port)s."),
    "connection_timeout": _("%(host)s did not answer at port %(port)s in time."),
    "connection_failed": _("The connection to %(host)s, port %(port)s, broke."),
    "connection_proxy_refused": _(
        "The proxy %(host)s, port %(port)s, answered %(status)s and did not connect."
    ),
    "connection_no_address": _("The address of %(host)s could not be used."),
    "tls_not_needed": _("Not used: this is a stand-in on this machine."),
    "tls_expired": _("The certificate has expired."),
    "tls_other_name": _("The certificate is for another name."),
    "tls_untrusted": _("The certificate is not trusted."),
    "tls_no_tls": _("What answers there does not speak TLS as it should."),
    "answered": _("An answer came after %(milliseconds)s ms."),
    "clock_right": _("It agrees with Tencent’s to within a minute."),
    "clock_ahead": _("This machine’s clock is %(seconds)s s ahead of Tencent’s."),
    "clock_behind": _("This machine’s clock is %(seconds)s s behind Tencent’s."),
    "application_right": _("%(app)s is known there."),
    "key_right": _("Tencent accepts its signature."),
    "administrator_right": _("“%(account)s” may make calls."),
}

_SET_CLOCK = _(
    "Set the clock, best by NTP, and restart the workers: signatures are valid from this "
    "machine’s time on."
)

_ASK_NETWORK_ADMINISTRATOR = _(
    "Ask whoever runs the network whether this server may reach that port, or only "
    "through a proxy: then set IM_PROXY_URL."
)

REMEDIES: dict[str, Promise] = {
    "settings_problems": _("Correct them, then restart the pages and the workers."),
    "host_no_address": _(
        "Check IM_REGION, IM_BASE_URL and IM_PROXY_URL, and whether this machine can look "
        "up names."
    ),
    "host_slow_names": _("Check which name servers this machine asks."),
    "connection_refused": _ASK_NETWORK_ADMINISTRATOR,
    "connection_timeout": _ASK_NETWORK_ADMINISTRATOR,
    "connection_failed": _ASK_NETWORK_ADMINISTRATOR,
    "connection_no_address": _ASK_NETWORK_ADMINISTRATOR,
    "connection_proxy_refused": _(
        "407 asks for a user and a password in IM_PROXY_URL; 403 means that the proxy "
        "does not allow this host. Ask whoever runs it."
    ),
    "tls_expired": _(
        "Check this machine’s date. If it is right, something between here and Tencent "
        "answers in its place."
    ),
    "tls_other_name": _(
        "Check IM_BASE_URL. If it is right, something between here and Tencent answers in "
        "its place."
    ),
    "tls_untrusted": _(
        "A firewall of your company may look into TLS: then give its own certificate in "
        "IM_CA_FILE. Else bring the certificates of this machine (ca-certificates) up to "
        "date."
    ),
    "tls_no_tls": _("Check IM_BASE_URL and IM_PROXY_URL."),
    "no_verdict": _(
        "Check again. If it goes on, look at what lies between here and Tencent: it may "
        "be that something else answers."
    ),
    "clock_ahead": _SET_CLOCK,
    "clock_behind": _SET_CLOCK,
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """The text of one step; ``quotes`` are messages of system checks or of Tencent."""

    result: StepResult
    finding: str = ""
    remedy: str = ""
    quotes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class HintText:
    name: str
    seen: str
    remedy: str


def line(result: StepResult) -> StepLine:
    if result.state == StepState.NOT_REACHED:
        return StepLine(result)
    values = result.values
    match result.finding:
        case "code":
            return _refused(result, int(values["code"]), str(values["info"]))
        case "no_verdict":
            finding = explain_reason(str(values["reason"])).meaning
            status = f" (HTTP {values['status']})" if values["status"] else ""
            return StepLine(result, finding + status, str(REMEDIES["no_verdict"]))
        case "tls_right":
            return StepLine(result, _certificate(values))
    finding = str(FINDINGS[result.finding] % values)
    remedy = str(REMEDIES.get(result.finding, ""))
    return StepLine(result, finding, remedy, values.get("problems", ()))


def refusals(request: WorkerRequest) -> list[str]:
    """Why the worker has not made the check that a person asked for."""
    if request.answer is None:
        if request.is_waiting:
            return []
        return [
            gettext("The worker did not answer within a minute. Look into its log.")
        ]
    if FAILED in request.answer:
        return [
            gettext("The check ended with an error. Look into the log of the worker.")
        ]
    return list(request.answer.get(REFUSED, [])) if request.is_valid else []


def first_hour() -> list[HintText]:
    """Common problems while a console is set up."""
    language = error_codes.language_key(get_language() or "en")
    return [
        HintText(hint.name[language], hint.seen[language], hint.remedy[language])
        for hint in FIRST_HOUR
    ]


def _refused(result: StepResult, code: int, info: str) -> StepLine:
    language = error_codes.language_key(get_language() or "en")
    finding = f"{explain_code(code).meaning} ({code})"
    quotes = [info] if info else []
    return StepLine(result, finding, about(code).remedy[language], quotes)


def _certificate(values: Mapping[str, object]) -> str:
    days = int(str(values["days"]))
    return ngettext(
        "For %(name)s, by %(issuer)s, valid for another %(days)d day.",
        "For %(name)s, by %(issuer)s, valid for another %(days)d days.",
        days,
    ) % {**values, "days": days}

"""The connection check: from the settings to the rights of the administrator account.

The last steps are one harmless call, account_check, whose code identifies the step that
failed. No notice is shown. Source: https://cloud.tencent.com/document/product/269/38417.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import drafts
from notifications.compose.services import send as services_send
from notifications.delivery.capabilities import default_of, offered_channels
from notifications.delivery.requests import ask
from notifications.files import locked_folder
from notifications.models import AuditEntry, Notification, WorkerRequest
from notifications.permissions import require
from notifications.system.audit_events import CONNECTION_CHECKED
from notifications.system.checks import worker_problems
from notifications.system.connection import (
    CheckStep,
    ConnectionCheck,
    StepResult,
    StepState,
    as_detail,
)
from notifications.tencent.calls.account_check import AccountCheck
from notifications.tencent.connectivity import ConnectivityResult, probe
from notifications.tencent.error_codes import about
from notifications.tencent.outcomes import Outcome, OutcomeKind

# Seconds. A person waits for at most 20 s: 5 for the name, 2 for each address and its TLS
# handshake, 5 for the response.
CONNECT_TIMEOUT = 2.0
RESPONSE_TIMEOUT = 5.0
MIN_INTERVAL = timedelta(seconds=5)
# Seconds. A signature is valid from our time on: if our clock is ahead of Tencent's, new
# signatures are not valid yet.
MAX_CLOCK_SKEW = 60


def last_check() -> ConnectionCheck | None:
    """The last check, or ``None`` before the first one. One query."""
    checks = AuditEntry.objects.filter(action=CONNECTION_CHECKED.word)
    entry = checks.order_by("-id").first()
    if entry is None:
        return None
    results = [
        StepResult(
            CheckStep(row["step"]),
            StepState(row["state"]),
            row["finding"],
            row["values"],
        )
        for row in entry.detail["steps"]
    ]
    return ConnectionCheck(entry.at, entry.actor, results)


def request_check(user: User) -> None:
    """Ask the worker to check the connection, unless it is asked already.

    Raises ``PermissionDenied``; ``ValidationError`` within 5 s of the last check.
    """
    require(user, permissions.SEE_SYSTEM)
    _refuse_soon_after(last_check())
    request = present_request(user, WorkerRequest.Kind.CONNECTION)
    if request is not None and not request.is_waiting:
        request.delete()
    ask(user, WorkerRequest.Kind.CONNECTION, {})


def present_request(user: User, kind: WorkerRequest.Kind) -> WorkerRequest | None:
    """The request of this user, also one that was answered or has expired."""
    return WorkerRequest.objects.filter(requested_by=user, kind=kind).first()


def answer(user: User, _parameters: dict[str, Any]) -> dict[str, Any]:
    """The handler of the worker: the audit entry of the check is the answer."""
    require(user, permissions.SEE_SYSTEM)
    check_connection_by(user.get_username())
    return {}


def check_connection_by(actor: str) -> Sequence[StepResult]:
    """Check the connection and write the results to the audit trail.

    ``actor`` is the name in the audit trail. Raises ``ValidationError`` while another
    check runs, and within 5 s of the last one. Call it outside of a transaction, where the
    key is: it takes up to 20 s.
    """
    busy = ValidationError(
        _("The connection is being checked already. Wait for its end.")
    )
    # Lock the folder: a lock file would belong to the first of several accounts.
    with locked_folder(Path(settings.STATE_DIR), busy):
        _refuse_soon_after(last_check())
        by_step = {result.step: result for result in _results()}
        results = [
            by_step.get(step) or StepResult(step, StepState.NOT_REACHED)
            for step in CheckStep
        ]
        audit_log.write(CONNECTION_CHECKED, actor, **as_detail(results))
    return results


def _refuse_soon_after(last: ConnectionCheck | None) -> None:
    if last is not None and timezone.now() < last.at + MIN_INTERVAL:
        raise ValidationError(
            _("The connection was checked a moment ago. Wait five seconds.")
        )


def _results() -> Iterator[StepResult]:
    """Results up to the first failed step, and known results of later steps."""
    problems = worker_problems()
    if problems:
        sentences = [f"{problem.msg} {problem.hint}" for problem in problems]
        yield _failed(CheckStep.SETTINGS, "settings_problems", problems=sentences)
        return
    yield _passed(CheckStep.SETTINGS, "settings_complete")
    connection = conf.connection()
    endpoint = replace(
        connection.endpoint,
        connect_timeout=min(connection.endpoint.connect_timeout, CONNECT_TIMEOUT),
        read_timeout=min(connection.endpoint.read_timeout, RESPONSE_TIMEOUT),
        total_deadline=RESPONSE_TIMEOUT,
    )
    connectivity = probe(endpoint)
    yield from _connectivity_results(connectivity)
    if connectivity.fault is not None:
        return
    with closing(replace(connection, endpoint=endpoint).client()) as client:
        has_new_signature = True
        while has_new_signature:  # with the key that is to follow, as the worker would
            began = time.monotonic()
            answer = client.call(AccountCheck([endpoint.identifier]))
            milliseconds = round((time.monotonic() - began) * 1000)
            has_new_signature = answer.outcome.retry_with_new_signature
        answered_at = client.answered_at
        skew = None if answered_at is None else answered_at - time.time()
    yield from _call_results(answer.outcome, milliseconds, skew)


def _connectivity_results(result: ConnectivityResult) -> Iterator[StepResult]:
    """Results of host name, connection and TLS."""
    address = {"host": result.host, "port": result.port}
    if not result.addresses:
        yield _failed(CheckStep.HOST, f"host_{result.fault}", **address)
        return
    yield _passed(
        CheckStep.HOST,
        "host_found",
        host=result.host,
        addresses=", ".join(result.addresses),
    )
    if result.fault is not None and not result.fault.is_about_tls:
        yield _failed(
            CheckStep.CONNECTION,
            f"connection_{result.fault}",
            **address,
            status=result.proxy_status,
        )
        return
    finding = "connection_proxy" if settings.IM_PROXY_URL else "connection_open"
    yield _passed(CheckStep.CONNECTION, finding, **address)
    if result.fault is not None:
        yield _failed(CheckStep.TLS, f"tls_{result.fault}", **address)
    elif result.certificate is None:
        yield _passed(CheckStep.TLS, "tls_not_needed")
    else:
        certificate = result.certificate
        yield _passed(
            CheckStep.TLS,
            "tls_right",
            name=certificate.name,
            issuer=certificate.issuer,
            days=certificate.days_left(time.time()),
        )


def _call_results(
    outcome: Outcome, milliseconds: int, skew: float | None
) -> Iterator[StepResult]:
    """Results of the steps that depend on the call.

    ``skew``: how many seconds Tencent's clock is ahead of ours.
    """
    if outcome.error_code is None:
        yield _failed(
            CheckStep.ANSWER,
            "no_verdict",
            reason=str(outcome.reason),
            status=outcome.http_status,
        )
        return
    code = {"code": outcome.error_code, "info": outcome.error_info}
    refusal = None
    if outcome.kind is OutcomeKind.REJECTED:
        refusal = about(outcome.error_code)
        yield _failed(CheckStep(refusal.step), "code", **code)
    if refusal is None or refusal.step != CheckStep.ANSWER:
        yield _passed(CheckStep.ANSWER, "answered", milliseconds=milliseconds)
    if skew is not None and (refusal is None or refusal.step != CheckStep.CLOCK):
        yield _clock(round(skew))
    proven = refusal.proves if refusal else [CheckStep.APPLICATION, CheckStep.KEY]
    names = {"app": settings.IM_SDK_APP_ID, "account": settings.IM_ADMIN_ACCOUNT}
    for step in [
        *map(CheckStep, proven),
        *([] if refusal else [CheckStep.ADMINISTRATOR]),
    ]:
        yield _passed(step, f"{step}_right", **names)


def _clock(skew: int) -> StepResult:
    if abs(skew) <= MAX_CLOCK_SKEW:
        return _passed(CheckStep.CLOCK, "clock_right", seconds=abs(skew))
    finding = "clock_behind" if skew > 0 else "clock_ahead"
    return _failed(CheckStep.CLOCK, finding, seconds=abs(skew))


def _passed(step: CheckStep, finding: str, **values: Any) -> StepResult:
    return StepResult(step, StepState.PASSED, finding, values)


def _failed(step: CheckStep, finding: str, **values: Any) -> StepResult:
    return StepResult(step, StepState.FAILED, finding, values)


@transaction.atomic
def send_trial_notice(user: User, group_id: str) -> Notification:
    """Send a short text, marked as a test, to one group, in the default channel.

    It is an ordinary notification: a worker sends it at the rate limit, and it stays in
    the history. The text is in the active language. Raises ``PermissionDenied``;
    ``ValidationError`` for a group that cannot receive it.
    """
    draft = drafts.save_draft(
        user,
        drafts.Draft(
            content=_(
                "[Test] This notice tries out the connection of the notification "
                "console. There is nothing to do."
            ),
            audience=Notification.Audience.CHOSEN,
            audience_values=[group_id] if group_id else [],
            note=_("Test of the connection"),
            channel=default_of(offered_channels()),
        ),
    )
    return services_send.send(user, draft.pk, digest=checked_of(user, draft).digest())

"""The probe: tries out in one test group what the application may do at Tencent.

``steps.STEPS`` are the calls. The messages of a probe are no notifications: they
are in the audit trail only, and those that Tencent keeps are taken back. The broadcast
to all live rooms is never tried: it would reach every one of them.

A refusal that concerns the account is the answer no. Anything else that is not a success
(the group, the network, the app's own server) leaves the answer unknown, with its reason.
"""

import secrets
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.delivery.requests import ask
from notifications.models import (
    AuditEntry,
    Capability,
    ChatGroup,
    Installation,
    SendingSwitch,
    WorkerRequest,
)
from notifications.permissions import require
from notifications.system.audit_events import PROBE_ENDED, PROBE_STARTED
from notifications.system.connection_check import present_request
from notifications.system.probe.run import Run
from notifications.system.probe.trial import KEPT, NAMED, ONLINE, Trial
from notifications.tencent.ids import is_group_id, is_user_id

# Longer than a probe takes: two of them never run at the same time.
MIN_INTERVAL = timedelta(minutes=1)
REQUIRED = (permissions.SEE_SYSTEM, permissions.SEND)


def request_probe(user: User, group_id: str, member: str = "") -> None:
    """Ask the worker to probe. The members see the text in the active language.

    Raises as ``probe``.
    """
    with transaction.atomic():
        require(user, *REQUIRED)
        _check(group_id, member)
        request = present_request(user, WorkerRequest.Kind.PROBE)
        if request is not None and not request.is_waiting:
            request.delete()
        language = translation.get_language()
        ask(
            user,
            WorkerRequest.Kind.PROBE,
            {"group": group_id, "member": member, "language": language},
        )


def answer(user: User, parameters: dict[str, Any]) -> dict[str, Any]:
    """The handler of the worker: the stored capabilities are the answer."""
    with translation.override(parameters["language"]):
        probe(user, parameters["group"], parameters["member"])
    return {}


def probe(user: User, group_id: str, member: str = "") -> Trial:
    """Try out what the application may do, and store the answers.

    ``member`` gets the message to named members; without one, the administrator account
    does. An answer replaces the earlier one of the same application; a capability that
    this group cannot try keeps it. Call it where the key is, outside of a transaction.

    Raises ``PermissionDenied``, also if the right was lost meanwhile: then nothing more
    was sent, and nothing is stored. ``ValidationError`` for a group or a member that
    cannot be used, while all sending is stopped, and soon after another probe.
    """
    member = member or settings.IM_ADMIN_ACCOUNT
    group = _start(user, group_id, member)
    randoms = _draw_randoms()
    trial = Trial(group, member, text(), randoms)
    Run(trial, lambda: _may_send(user)).run()
    if not _end(user, trial):
        raise PermissionDenied(
            _("Your login may not do this any more: the probe was ended.")
        )
    return trial


def leftovers() -> tuple[str, str] | None:
    """The group of the last probe, and the numbers of messages that may still be there.

    ``None`` if all of them were taken back. One query.
    """
    ends = AuditEntry.objects.filter(action=PROBE_ENDED.word).order_by("-id")
    detail = ends.values_list("detail", flat=True).first() or {}
    seqs = [str(seq) for seq in detail.get("remaining", ())]
    seqs += [_("unknown")] * detail.get("untraced", 0)
    return (detail["group_id"], ", ".join(seqs)) if seqs else None


def text() -> str:
    """What members see."""
    return _(
        "[Test] This message tries out what the notification console may do. There is "
        "nothing to do."
    )


def usable_group(group_id: str) -> ChatGroup:
    """The group of the list. Raises ``ValidationError``."""
    group = (
        ChatGroup.objects.filter(group_id=group_id).first()
        if is_group_id(group_id)
        else None
    )
    if group is None:
        raise ValidationError(
            _("“%(id)s” is not in the list of groups.") % {"id": group_id}
        )
    if not group.is_usable:
        raise ValidationError(
            _("“%(name)s” cannot be sent to: it is closed or switched off.")
            % {"name": group.name}
        )
    return group


def _check(group_id: str, member: str) -> ChatGroup:
    group = usable_group(group_id)
    if member and not is_user_id(member):
        raise ValidationError(_("Not a member ID: %(id)s") % {"id": member})
    if SendingSwitch.present().is_off:
        raise ValidationError(_("All sending is stopped: a probe sends messages."))
    last = AuditEntry.objects.filter(action=PROBE_STARTED.word).order_by("-id").first()
    if last is not None and timezone.now() < last.at + MIN_INTERVAL:
        raise ValidationError(_("A probe began a moment ago. Wait a minute."))
    return group


@transaction.atomic
def _start(user: User, group_id: str, member: str) -> ChatGroup:
    """Write the start to the trail before the first call."""
    user = require(user, *REQUIRED)
    # Of two probes that start at the same time, the second one sees the first.
    Installation.objects.select_for_update().get(pk=Installation.present().pk)
    group = _check(group_id, member)
    audit_log.write(
        PROBE_STARTED,
        user.get_username(),
        group_id=group.group_id,
        name=group.name,
        member=member,
    )
    return group


def _may_send(user: User) -> bool:
    try:
        require(user, *REQUIRED)
    except PermissionDenied:
        return False
    return not SendingSwitch.present().is_off


def _draw_randoms() -> dict[str, int]:
    numbers: set[int] = set()
    while len(numbers) < 3:
        numbers.add(1 + secrets.randbelow(2**32 - 1))
    return dict(zip((ONLINE, KEPT, NAMED), numbers, strict=True))


@transaction.atomic
def _end(user: User, trial: Trial) -> bool:
    """Write the results to the trail and, if the right was not lost, store them."""
    try:
        require(user, *REQUIRED)
        is_stored = True
    except PermissionDenied:
        is_stored = False
    audit_log.write(
        PROBE_ENDED,
        user.get_username(),
        group_id=trial.group.group_id,
        results=[asdict(learnt) for learnt in trial.learnt.values()],
        remaining=trial.remaining,
        untraced=trial.untraced,
        is_stored=is_stored,
    )
    if is_stored:
        _store(user, trial)
    return is_stored


def _store(user: User, trial: Trial) -> None:
    """In the order of the names: two probes lock the rows in the same order."""
    now = timezone.now()
    rows = [
        Capability(
            sdk_app_id=int(settings.IM_SDK_APP_ID),
            name=name,
            answer=learnt.answer,
            finding=learnt.finding,
            error_code=learnt.error_code,
            detail=learnt.detail,
            group_id=trial.group.group_id,
            probed_by=user.get_username(),
            probed_at=now,
        )
        for name, learnt in sorted(trial.learnt.items())
    ]
    Capability.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["sdk_app_id", "name"],
        update_fields=[
            "answer", "finding", "error_code", "detail", "group_id", "probed_by",
            "probed_at",
        ],
    )  # fmt: skip

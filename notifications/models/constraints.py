"""Every rule that a row can state about itself, as a constraint of the database.

Whatever writes a row, the console, a command, a shell or SQL by hand, cannot break
them. Not here: what compares times of two machines, whose clocks may differ.

A check that comes to NULL passes, so each comparison with a column that may be NULL
says also that it is not.
"""

from django.db.models import BaseConstraint, CheckConstraint, F, Q, UniqueConstraint

from notifications.models.groups import GroupType
from notifications.tencent.limits import ALL_MEMBERS_ONLY_TYPES

NOTIFICATION: list[BaseConstraint] = [
    CheckConstraint(condition=~Q(content=""), name="notification_has_content"),
    CheckConstraint(condition=~Q(sender_name=""), name="notification_has_sender"),
    CheckConstraint(
        condition=Q(
            status__in=[
                "draft",
                "scheduled",
                "sending",
                "paused",
                "completed",
                "cancelled",
            ]
        ),
        name="notification_status_known",
    ),
    CheckConstraint(
        condition=Q(audience__in=["chosen", "rule", "saved", "every"]),
        name="notification_audience_known",
    ),
    CheckConstraint(
        condition=~Q(status__in=["sending", "completed"]) | Q(sent_at__isnull=False),
        name="notification_sent_has_time",
    ),
    CheckConstraint(
        condition=~Q(status__in=["draft", "scheduled"]) | Q(sent_at__isnull=True),
        name="notification_not_sent_has_no_time",
    ),
    CheckConstraint(
        condition=Q(status__in=["completed", "cancelled"], finished_at__isnull=False)
        | (~Q(status__in=["completed", "cancelled"]) & Q(finished_at__isnull=True)),
        name="notification_ended_has_time",
    ),
    CheckConstraint(
        condition=(Q(status="paused") & ~Q(paused_reason=""))
        | (~Q(status="paused") & Q(paused_reason="")),
        name="notification_paused_has_reason",
    ),
    CheckConstraint(
        condition=Q(
            paused_reason__in=[
                "",
                "person",
                "account_code",
                "text_code",
                "doubt",
                "not_sent",
                "failures",
                "late",
                "restored",
            ]
        ),
        name="notification_paused_reason_known",
    ),
    CheckConstraint(
        condition=Q(status="paused")
        | Q(paused_by="", paused_code__isnull=True, paused_note=""),
        name="notification_pause_ends_whole",
    ),
    CheckConstraint(
        condition=~Q(status="scheduled") | Q(scheduled_for__isnull=False),
        name="notification_scheduled_has_time",
    ),
    CheckConstraint(
        condition=Q(stop_reason="")
        | Q(status="cancelled", stop_reason__in=["person", "expired"]),
        name="notification_stop_reason_known",
    ),
]


DELIVERY: list[BaseConstraint] = [
    UniqueConstraint(
        fields=["notification", "group_id", "portion"],
        name="delivery_once_per_group_and_portion",
    ),
    CheckConstraint(condition=~Q(group_id=""), name="delivery_has_group"),
    CheckConstraint(condition=~Q(sender_name=""), name="delivery_has_sender"),
    CheckConstraint(condition=Q(portion__gte=1), name="delivery_portion_from_1"),
    CheckConstraint(
        condition=~Q(group_type__in=sorted(ALL_MEMBERS_ONLY_TYPES)) | Q(recipients=""),
        name="delivery_all_members_only",
    ),
    CheckConstraint(
        condition=Q(group_type__in=GroupType.values), name="delivery_group_type_known"
    ),
    CheckConstraint(
        condition=Q(
            status__in=[
                "queued",
                "sending",
                "accepted",
                "failed",
                "unconfirmed",
                "cancelled",
            ]
        ),
        name="delivery_status_known",
    ),
    CheckConstraint(
        condition=Q(status__in=["queued", "sending"], finished_at__isnull=True)
        | Q(~Q(status__in=["queued", "sending"]), finished_at__isnull=False),
        name="delivery_ended_has_time",
    ),
    CheckConstraint(
        condition=Q(status="sending", owner__isnull=False)
        | (~Q(status="sending") & Q(owner__isnull=True)),
        name="delivery_sending_has_owner",
    ),
    CheckConstraint(
        condition=~Q(status="sending")
        | Q(claimed_at__isnull=False, attempt_count__gte=1),
        name="delivery_sending_was_claimed",
    ),
    CheckConstraint(
        condition=~Q(status="accepted") | Q(error_code=0, error_code__isnull=False),
        name="delivery_accepted_has_code_0",
    ),
    CheckConstraint(
        condition=~Q(status="failed")
        | (Q(error_code__isnull=False) & ~Q(error_code=0)),
        name="delivery_failed_has_code",
    ),
    # What was refused before it was stopped keeps that verdict: it has failed.
    CheckConstraint(
        condition=~Q(status="cancelled") | Q(error_code__isnull=True),
        name="delivery_cancelled_has_no_code",
    ),
    CheckConstraint(
        condition=(Q(status="unconfirmed") & ~Q(reason=""))
        | (~Q(status="unconfirmed") & Q(reason="")),
        name="delivery_unconfirmed_has_reason",
    ),
    # After a restore nobody knows whether what was waiting has been called.
    CheckConstraint(
        condition=~Q(status__in=["accepted", "failed", "unconfirmed"])
        | Q(attempt_count__gte=1)
        | Q(reason="restored"),
        name="delivery_outcome_has_attempt",
    ),
]


VERDICT = Q(outcome__in=["accepted", "rejected"])

ATTEMPT: list[BaseConstraint] = [
    UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
    CheckConstraint(condition=Q(number__gte=1), name="attempt_number_from_1"),
    # Both times are of one machine; its clock may be set back, so writers take the
    # later of the two.
    CheckConstraint(
        condition=Q(finished_at__gte=F("started_at")), name="attempt_ends_after_start"
    ),
    CheckConstraint(
        condition=Q(
            outcome__in=[
                "accepted",
                "rejected",
                "not_sent",
                "unconfirmed",
                "worker_lost",
            ]
        ),
        name="attempt_outcome_known",
    ),
    CheckConstraint(
        condition=~Q(outcome="accepted")
        | Q(
            http_status=200,
            http_status__isnull=False,
            error_code=0,
            error_code__isnull=False,
        ),
        name="attempt_accepted_is_a_verdict",
    ),
    CheckConstraint(
        condition=~Q(outcome="rejected")
        | (
            Q(http_status=200, http_status__isnull=False, error_code__isnull=False)
            & ~Q(error_code=0)
        ),
        name="attempt_rejected_is_a_verdict",
    ),
    CheckConstraint(
        condition=VERDICT | Q(error_code__isnull=True),
        name="attempt_code_only_of_a_verdict",
    ),
    CheckConstraint(
        condition=(VERDICT & Q(reason="")) | (~VERDICT & ~Q(reason="")),
        name="attempt_reason_unless_verdict",
    ),
    CheckConstraint(
        condition=~Q(outcome__in=["not_sent", "worker_lost"])
        | Q(http_status__isnull=True),
        name="attempt_unsent_has_no_answer",
    ),
]


SEAL: list[BaseConstraint] = [
    CheckConstraint(condition=Q(number__gte=1), name="seal_number_from_1"),
    CheckConstraint(
        condition=Q(
            kind="notification",
            notification__isnull=False,
            since__isnull=True,
            until__isnull=True,
        )
        | Q(
            kind="actions",
            notification__isnull=True,
            since__isnull=False,
            until__isnull=False,
        ),
        name="seal_names_what_it_seals",
    ),
    CheckConstraint(
        condition=Q(number=1, previous="") | (Q(number__gt=1) & ~Q(previous="")),
        name="seal_follows_another",
    ),
    CheckConstraint(condition=~Q(digest="") & ~Q(head=""), name="seal_has_digest"),
]


TALLY: list[BaseConstraint] = [
    CheckConstraint(condition=Q(count__gte=1), name="tally_counts_some"),
    CheckConstraint(
        condition=Q(last_delivery__gte=F("first_delivery")), name="tally_in_order"
    ),
]

import notifications.db.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0014_choices_of_amendments"),
    ]

    operations = [
        notifications.db.operations.ReplaceConstraints(
            model_name="delivery",
            removed=[
                "delivery_outcome_has_attempt",
                "delivery_accepted_has_code_0",
                "delivery_failed_has_code",
                "delivery_unconfirmed_has_reason",
                "delivery_channel_known",
                "delivery_answer_of_message",
                "delivery_query_of_unconfirmed",
            ],
            added=[
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status", "accepted"), _negated=True),
                        models.Q(
                            ("error_code", 0),
                            ("error_code__isnull", False),
                            ("reason", ""),
                        ),
                        models.Q(
                            ("error_code__isnull", True),
                            (
                                "reason__in",
                                ["in_history", "repeated", "recalled_before"],
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_accepted_has_code_0",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status", "failed"), _negated=True),
                        models.Q(
                            ("error_code__isnull", False),
                            ("reason", ""),
                            models.Q(("error_code", 0), _negated=True),
                        ),
                        models.Q(
                            ("error_code", 0),
                            ("error_code__isnull", False),
                            ("reason", "dropped"),
                        ),
                        models.Q(
                            ("error_code__isnull", True),
                            (
                                "reason__in",
                                [
                                    "not_in_history",
                                    "still_there",
                                    "gone",
                                    "not_known",
                                    "taken_back",
                                ],
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_failed_has_code",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("status", "unconfirmed"),
                            models.Q(
                                (
                                    "reason__in",
                                    [
                                        "",
                                        "in_history",
                                        "repeated",
                                        "recalled_before",
                                        "dropped",
                                        "not_in_history",
                                        "still_there",
                                        "gone",
                                        "not_known",
                                        "taken_back",
                                    ],
                                ),
                                _negated=True,
                            ),
                        ),
                        models.Q(
                            models.Q(("status", "unconfirmed"), _negated=True),
                            models.Q(
                                ("reason", ""),
                                (
                                    "reason__in",
                                    [
                                        "in_history",
                                        "repeated",
                                        "recalled_before",
                                        "dropped",
                                        "not_in_history",
                                        "still_there",
                                        "gone",
                                        "not_known",
                                        "taken_back",
                                    ],
                                ),
                                _connector="OR",
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_unconfirmed_has_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("status__in", ["accepted", "failed", "unconfirmed"]),
                            _negated=True,
                        ),
                        ("attempt_count__gte", 1),
                        ("reason__in", ["restored", "not_known"]),
                        _connector="OR",
                    ),
                    name="delivery_outcome_has_attempt",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("channel", "system_notification"),
                        ("channel__in", ["group_message", "recall", "correction"]),
                        _connector="OR",
                    ),
                    name="delivery_channel_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("channel", "group_message"),
                        models.Q(
                            ("drop_reason", ""),
                            ("msg_time__isnull", True),
                            models.Q(
                                ("channel__in", ["recall", "correction"]),
                                ("msg_seq__isnull", True),
                                _connector="OR",
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_answer_of_message",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("next_query_at__isnull", True),
                        models.Q(
                            models.Q(("channel", "system_notification"), _negated=True),
                            ("status", "unconfirmed"),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_query_of_unconfirmed",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            models.Q(
                                ("channel__in", ["recall", "correction"]), _negated=True
                            ),
                            ("amended_delivery__isnull", True),
                        ),
                        models.Q(
                            ("channel__in", ["recall", "correction"]),
                            ("amended_delivery__isnull", False),
                            ("recipients", ""),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_amends_another",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("channel__in", ["recall", "correction"]), _negated=True
                        ),
                        ("msg_seq__isnull", False),
                        ("attempt_count", 0),
                        _connector="OR",
                    ),
                    name="delivery_amendment_has_message",
                ),
            ],
        ),
        notifications.db.operations.AddIndexes(
            model_name="delivery",
            indexes=[
                models.Index(
                    condition=models.Q(("amended_delivery__isnull", False)),
                    fields=["amended_delivery"],
                    name="delivery_amended",
                )
            ],
            unique=[
                models.UniqueConstraint(
                    condition=models.Q(
                        ("channel", "recall"),
                        models.Q(
                            ("status__in", ["queued", "sending", "accepted"]),
                            ("next_query_at__isnull", False),
                            _connector="OR",
                        ),
                    ),
                    fields=("amended_delivery", "channel"),
                    name="delivery_recalled_once",
                ),
                models.UniqueConstraint(
                    condition=models.Q(
                        ("channel", "correction"), ("status__in", ["queued", "sending"])
                    ),
                    fields=("amended_delivery", "channel"),
                    name="delivery_corrected_one_at_a_time",
                ),
            ],
        ),
    ]

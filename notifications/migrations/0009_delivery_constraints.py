from django.db import migrations, models

import notifications.db.operations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0008_attempt_constraints"),
    ]

    operations = [
        notifications.db.operations.ReplaceConstraints(
            model_name="delivery",
            removed=[
                "delivery_accepted_has_code_0",
                "delivery_failed_has_code",
                "delivery_unconfirmed_has_reason",
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
                            ("reason__in", ["in_history", "repeated"]),
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
                            ("error_code__isnull", True), ("reason", "not_in_history")
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
                                        "dropped",
                                        "not_in_history",
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
                                        "dropped",
                                        "not_in_history",
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
                        ("channel__in", ["system_notification", "group_message"])
                    ),
                    name="delivery_channel_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("channel", "group_message"), _negated=True),
                        models.Q(("group_type__in", ["BChatRoom"]), _negated=True),
                        _connector="OR",
                    ),
                    name="delivery_message_of_type",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("channel", "group_message"), _negated=True),
                        ("recipients", ""),
                        models.Q(
                            (
                                "group_type__in",
                                ["AVChatRoom", "BChatRoom", "Community"],
                            ),
                            _negated=True,
                        ),
                        _connector="OR",
                    ),
                    name="delivery_message_recipients",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("mention_all", False),
                        models.Q(
                            ("channel", "group_message"),
                            models.Q(
                                ("group_type__in", ["AVChatRoom", "BChatRoom"]),
                                _negated=True,
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_mention_all",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("online_only", False),
                        models.Q(
                            ("channel", "group_message"),
                            models.Q(
                                ("group_type__in", ["AVChatRoom", "BChatRoom"]),
                                _negated=True,
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_online_only",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("no_unread", False),
                        models.Q(
                            ("channel", "group_message"),
                            models.Q(
                                (
                                    "group_type__in",
                                    ["AVChatRoom", "BChatRoom", "ChatRoom"],
                                ),
                                _negated=True,
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_no_unread",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("no_last_message", False),
                        models.Q(
                            ("channel", "group_message"),
                            models.Q(
                                ("group_type__in", ["AVChatRoom", "BChatRoom"]),
                                _negated=True,
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_no_last_message",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("channel", "group_message"), _negated=True),
                        ("random__isnull", False),
                        ("attempt_count", 0),
                        _connector="OR",
                    ),
                    name="delivery_message_has_random",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("random__isnull", True),
                        models.Q(
                            ("channel", "group_message"),
                            ("random__gte", 1),
                            ("random__lt", 4294967296),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_random_of_message",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("channel", "group_message"),
                        models.Q(
                            ("drop_reason", ""),
                            ("msg_seq__isnull", True),
                            ("msg_time__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="delivery_answer_of_message",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("next_query_at__isnull", True),
                        models.Q(
                            ("channel", "group_message"), ("status", "unconfirmed")
                        ),
                        _connector="OR",
                    ),
                    name="delivery_query_of_unconfirmed",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("is_altered", False), ("reason", "in_history"), _connector="OR"
                    ),
                    name="delivery_altered_in_history",
                ),
            ],
        ),
        notifications.db.operations.AddIndexes(
            model_name="delivery",
            indexes=[
                models.Index(
                    condition=models.Q(("next_query_at__isnull", False)),
                    fields=["next_query_at"],
                    name="delivery_to_query",
                ),
                models.Index(
                    condition=models.Q(("next_query_at__isnull", False)),
                    fields=["notification"],
                    name="delivery_queried",
                ),
            ],
            unique=[
                models.UniqueConstraint(
                    condition=models.Q(("random__isnull", False)),
                    fields=("random",),
                    name="delivery_random_once",
                )
            ],
        ),
    ]

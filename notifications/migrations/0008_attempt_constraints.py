from django.db import migrations, models

import notifications.db.operations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0007_queries_and_capabilities"),
    ]

    operations = [
        notifications.db.operations.ReplaceConstraints(
            model_name="attempt",
            removed=["attempt_accepted_is_a_verdict", "attempt_rejected_is_a_verdict"],
            added=[
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("outcome", "accepted"), _negated=True),
                        models.Q(
                            ("drop_reason", ""),
                            ("error_code", 0),
                            ("error_code__isnull", False),
                            ("http_status", 200),
                            ("http_status__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="attempt_accepted_is_a_verdict",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("outcome", "rejected"), _negated=True),
                        models.Q(
                            ("error_code__isnull", False),
                            ("http_status", 200),
                            ("http_status__isnull", False),
                            models.Q(
                                models.Q(("error_code", 0), _negated=True),
                                models.Q(("drop_reason", ""), _negated=True),
                                _connector="OR",
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="attempt_rejected_is_a_verdict",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("outcome__in", ["accepted", "rejected"]),
                        models.Q(
                            ("drop_reason", ""),
                            ("msg_seq__isnull", True),
                            ("msg_time__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="attempt_message_only_of_a_verdict",
                ),
            ],
        ),
    ]

import notifications.db.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0015_delivery_amendment_constraints"),
    ]

    operations = [
        notifications.db.operations.ReplaceConstraints(
            model_name="notification",
            removed=["notification_options_of_channel"],
            added=[
                models.CheckConstraint(
                    condition=models.Q(
                        ("channel__in", ["group_message", "correction"]),
                        models.Q(
                            ("channel__in", ["system_notification", "recall"]),
                            ("message_options", ""),
                        ),
                        _connector="OR",
                    ),
                    name="notification_options_of_channel",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("amends__isnull", False),
                            ("channel__in", ["recall", "correction"]),
                        ),
                        models.Q(
                            models.Q(
                                ("channel__in", ["recall", "correction"]), _negated=True
                            ),
                            ("amends__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="notification_amends_another",
                ),
            ],
        ),
        notifications.db.operations.AddIndexes(
            model_name="notification",
            indexes=[
                models.Index(
                    condition=models.Q(("amends__isnull", False)),
                    fields=["amends"],
                    name="notification_amends",
                )
            ],
            unique=[],
        ),
        notifications.db.operations.ReplaceConstraints(
            model_name="deliveryquery",
            removed=["query_kind_known", "query_repeat_proves_no_absence"],
            added=[
                models.CheckConstraint(
                    condition=models.Q(("kind__in", ["history", "repeat", "state"])),
                    name="query_kind_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("kind", "repeat"), _negated=True),
                        models.Q(("verdict", "absent"), _negated=True),
                        _connector="OR",
                    ),
                    name="query_repeat_proves_no_absence",
                ),
            ],
        ),
    ]

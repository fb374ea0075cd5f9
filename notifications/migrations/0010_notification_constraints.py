from django.db import migrations, models

import notifications.db.operations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0009_delivery_constraints"),
    ]

    operations = [
        notifications.db.operations.ReplaceConstraints(
            model_name="notification",
            removed=[],
            added=[
                models.CheckConstraint(
                    condition=models.Q(
                        ("channel", "group_message"),
                        models.Q(
                            ("channel", "system_notification"), ("message_options", "")
                        ),
                        _connector="OR",
                    ),
                    name="notification_options_of_channel",
                )
            ],
        ),
    ]

import notifications.db.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0018_indexes_and_autovacuum"),
    ]

    operations = [
        notifications.db.operations.AddIndexes(
            model_name="delivery",
            indexes=[
                models.Index(
                    condition=models.Q(("finished_at__isnull", False)),
                    fields=["notification", "finished_at"],
                    name="delivery_ended",
                )
            ],
            removed=["delivery_by_end"],
        ),
    ]

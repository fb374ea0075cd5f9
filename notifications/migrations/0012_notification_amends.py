import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0011_worker_request_kinds"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="amends",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="amendments",
                to="notifications.notification",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="channel",
            field=models.CharField(
                choices=[
                    ("system_notification", "System notification"),
                    ("group_message", "Group message"),
                    ("recall", "Recall"),
                    ("correction", "Correction"),
                ],
                db_default="system_notification",
                default="system_notification",
                max_length=20,
                verbose_name="channel",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0013_delivery_amends"),
    ]

    operations = [
        migrations.AlterField(
            model_name="draftversion",
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
        migrations.AlterField(
            model_name="deliveryquery",
            name="kind",
            field=models.CharField(
                choices=[
                    ("history", "history of the group"),
                    ("repeat", "repeat with the same number"),
                    ("state", "state of the message"),
                ],
                max_length=8,
            ),
        ),
    ]

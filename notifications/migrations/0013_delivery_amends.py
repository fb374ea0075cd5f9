from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0012_notification_amends"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="amended_delivery",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="delivery",
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

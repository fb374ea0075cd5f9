from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0002_notification_channel"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftversion",
            name="channel",
            field=models.CharField(
                choices=[
                    ("system_notification", "System notification"),
                    ("group_message", "Group message"),
                ],
                db_default="system_notification",
                default="system_notification",
                max_length=20,
                verbose_name="channel",
            ),
        ),
        migrations.AddField(
            model_name="draftversion",
            name="line_format",
            field=models.PositiveSmallIntegerField(db_default=1, default=2),
        ),
        migrations.AddField(
            model_name="draftversion",
            name="message_options",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]

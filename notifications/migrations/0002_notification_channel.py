from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_release_0_1_0"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
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
            model_name="notification",
            name="message_options",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0003_draftversion_channel"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
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
            model_name="delivery",
            name="drop_reason",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="delivery",
            name="is_altered",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="delivery",
            name="mention_all",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="delivery",
            name="msg_seq",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="msg_time",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="next_query_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="no_last_message",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="delivery",
            name="no_unread",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="delivery",
            name="online_only",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="delivery",
            name="query_asked_by",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=150
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="random",
            field=models.BigIntegerField(null=True),
        ),
    ]

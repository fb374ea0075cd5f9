from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0004_delivery_channel"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="drop_reason",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="attempt",
            name="msg_seq",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="attempt",
            name="msg_time",
            field=models.BigIntegerField(null=True),
        ),
    ]

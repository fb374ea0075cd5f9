from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_attempt_channel"),
    ]

    operations = [
        migrations.AddField(
            model_name="seal",
            name="text_format",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0010_notification_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="workerrequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("connection", "Check of the connection"),
                    ("members", "Check of members"),
                    ("probe", "Probe of the application"),
                    ("sender", "Check of the sender account"),
                ],
                max_length=12,
            ),
        ),
    ]

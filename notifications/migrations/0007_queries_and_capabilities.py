import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_seal_format"),
    ]

    operations = [
        migrations.CreateModel(
            name="Capability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("sdk_app_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=32)),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("yes", "Yes"),
                            ("no", "No"),
                            ("unknown", "Not known"),
                        ],
                        max_length=8,
                    ),
                ),
                ("finding", models.CharField(blank=True, max_length=32)),
                (
                    "error_code",
                    models.IntegerField(null=True, verbose_name="error code"),
                ),
                ("detail", models.TextField(blank=True)),
                ("group_id", models.CharField(max_length=48, verbose_name="group ID")),
                ("probed_by", models.CharField(max_length=150)),
                ("probed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "capability",
                "verbose_name_plural": "capabilities",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="DeliveryQuery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="query")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("history", "history of the group"),
                            ("repeat", "repeat with the same number"),
                        ],
                        max_length=8,
                    ),
                ),
                ("worker", models.BigIntegerField()),
                ("asked_by", models.CharField(blank=True, max_length=150)),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("finished_at", models.DateTimeField(verbose_name="ended")),
                ("request", models.TextField()),
                ("response", models.TextField(blank=True)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("present", "Found"),
                            ("absent", "Not found"),
                            ("unclear", "Cannot be told"),
                            ("no_answer", "No usable answer"),
                        ],
                        max_length=10,
                        verbose_name="verdict",
                    ),
                ),
                (
                    "error_code",
                    models.IntegerField(null=True, verbose_name="error code"),
                ),
                ("detail", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "query",
                "verbose_name_plural": "queries",
                "ordering": ["delivery_id", "number"],
            },
        ),
        migrations.AddConstraint(
            model_name="capability",
            constraint=models.UniqueConstraint(
                fields=("sdk_app_id", "name"), name="capability_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="capability",
            constraint=models.CheckConstraint(
                condition=models.Q(("answer__in", ["yes", "no", "unknown"])),
                name="capability_answer_known",
            ),
        ),
        migrations.AddField(
            model_name="deliveryquery",
            name="delivery",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="queries",
                to="notifications.delivery",
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryquery",
            constraint=models.UniqueConstraint(
                fields=("delivery", "number"), name="query_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryquery",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="query_number_from_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryquery",
            constraint=models.CheckConstraint(
                condition=models.Q(("finished_at__gte", models.F("started_at"))),
                name="query_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryquery",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["history", "repeat"])),
                name="query_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryquery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verdict__in", ["present", "absent", "unclear", "no_answer"])
                ),
                name="query_verdict_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryquery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "history"),
                    models.Q(("verdict", "absent"), _negated=True),
                    _connector="OR",
                ),
                name="query_repeat_proves_no_absence",
            ),
        ),
    ]

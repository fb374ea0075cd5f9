import django.db.models.deletion
from django.db import migrations, models

from notifications.db.operations import RemoveFieldIndex, SetStorage

# By default, PostgreSQL would vacuum and analyze a table of ten million rows only after
# two million and one million changes: a dozen sends to 100,000 groups.
OFTEN = {
    "autovacuum_vacuum_scale_factor": 0.02,
    "autovacuum_vacuum_insert_scale_factor": 0.02,
    "autovacuum_analyze_scale_factor": 0.01,
}


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0017_preparation"),
    ]

    operations = [
        RemoveFieldIndex(
            model_name="attempt",
            name="delivery",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="notifications.delivery",
            ),
        ),
        RemoveFieldIndex(
            model_name="deliveryquery",
            name="delivery",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="queries",
                to="notifications.delivery",
            ),
        ),
        SetStorage("delivery", OFTEN),
        SetStorage("attempt", OFTEN),
        SetStorage("tally", OFTEN),
        SetStorage("auditentry", OFTEN),
    ]

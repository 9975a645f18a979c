from django.db import migrations, models
from django.db.models import F, Q

_BURN = {"decimal_places": 16, "max_digits": 60}


class Migration(migrations.Migration):
    """The dearest rate times the largest quantity filled 40 digits: two such machines were refused with an overflow.
    A tail with one end only passed its check, because a comparison with nothing is not false.
    """

    dependencies = [("ledger", "0010_pages_read_by_account")]

    operations = [
        migrations.AlterField("balancestate", "burn_minor_per_hour", models.DecimalField(default=0, **_BURN)),
        migrations.AlterField("balancetransition", "burn_minor_per_hour", models.DecimalField(**_BURN)),
        migrations.RemoveConstraint("depletion", "depletion_tail_is_an_interval"),
        migrations.AddConstraint(
            "depletion",
            models.CheckConstraint(
                condition=Q(tail_from=None, tail_until=None)
                | Q(
                    tail_from__isnull=False,
                    tail_until__isnull=False,
                    tail_from__gte=F("depleted_at"),
                    tail_until=F("requested_at"),
                    tail_until__gt=F("tail_from"),
                ),
                name="depletion_tail_is_an_interval",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("quotas", "0016_external_ids_are_as_long_as_elsewhere"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="skurate",
            index=models.Index(fields=["effective_from"], name="sku_rates_in_force_since"),
        ),
    ]

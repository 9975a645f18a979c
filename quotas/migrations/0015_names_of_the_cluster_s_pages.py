from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("quotas", "0014_discounts_are_used_as_often_as_granted")]

    operations = [
        migrations.AlterModelOptions(
            name="clustersync",
            options={
                "verbose_name": "organization in the cluster",
                "verbose_name_plural": "organizations in the cluster",
            },
        ),
        migrations.AlterModelOptions(name="workloadscale", options={"verbose_name": "stopped workload"}),
    ]

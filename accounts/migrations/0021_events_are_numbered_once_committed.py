import django.db.models.deletion
from django.db import migrations, models

from accounts.migrations._append_only import keep

# Written with the message, in its transaction; a position is given once and stays.
FORWARD = """
CREATE FUNCTION messages_enter_the_feed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO event_feed (message_id, organization_id) SELECT id, organization_id FROM born;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_enter_the_feed AFTER INSERT ON outbox
    REFERENCING NEW TABLE AS born FOR EACH STATEMENT EXECUTE FUNCTION messages_enter_the_feed();

CREATE FUNCTION positions_are_given_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.position IS NOT NULL OR (NEW.message_id, NEW.organization_id) IS DISTINCT FROM
            (OLD.message_id, OLD.organization_id) THEN
        RAISE EXCEPTION 'the place of an event is given once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER positions_are_given_once BEFORE UPDATE ON event_feed
    FOR EACH ROW EXECUTE FUNCTION positions_are_given_once();
"""
BACKFILL = "INSERT INTO event_feed (message_id, organization_id) SELECT id, organization_id FROM outbox"
BACKWARD = """
DROP TRIGGER messages_enter_the_feed ON outbox;
DROP FUNCTION messages_enter_the_feed();
DROP TRIGGER positions_are_given_once ON event_feed;
DROP FUNCTION positions_are_given_once();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_who_may_call"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedEvent",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="place",
                        serialize=False,
                        to="accounts.outboxmessage",
                    ),
                ),
                ("position", models.BigIntegerField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "db_table": "event_feed",
                "indexes": [
                    models.Index(
                        condition=models.Q(("position", None)), fields=["message"], name="event_feed_to_number"
                    ),
                    models.Index(fields=["organization", "position"], name="event_feed_of_organization"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("position",), name="one_event_at_a_position"),
                    models.CheckConstraint(condition=models.Q(("position__gte", 1)), name="positions_begin_at_one"),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(keep("event_feed"), migrations.RunSQL.noop),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
    ]

"""dj-stripe's tables in one generated migration: its own three files take 40 seconds, this one a second.

After an upgrade of dj-stripe: delete the file, run `manage.py makemigrations djstripe --name dj_stripe_X_Y` for new
databases only before the first release, otherwise run it beside the old file. `test_djstripe_schema.py` says when.
"""

"""dj-stripe's tables in one generated migration: its own three files take 40 seconds, this one a second.

After an upgrade of dj-stripe, `tests/billing_site/test_djstripe_schema.py` fails until the difference has been
written beside the first file: `manage.py makemigrations djstripe --name dj_stripe_X_Y`.
"""

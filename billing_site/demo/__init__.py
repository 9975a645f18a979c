"""The demo: three weeks of a small GPU cloud, made by the real acts under a past clock."""

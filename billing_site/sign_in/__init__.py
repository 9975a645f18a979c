"""Who sits before the browser: password or OIDC, then a second factor; how long; how often one may guess.

django-allauth does the work. What is ours: which rules hold (`account_rules`, `oidc_rules`, `second_factor_rules`,
`codes`), when an issuer is believed (`issuer_adapter`), what staff reach without a second factor (`staff_gate`).
"""

"""Tokens of other issuers: who signed them, what they claim, whom they open."""

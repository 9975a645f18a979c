"""Pricing of usage, pure: a price is read strictly, a quantity priced exactly, and rounded once."""

"""A quote as programs read it: decimals as strings, money in minor units."""

from typing import Any

from quotas.pricing.exact import exactly, shortest
from quotas.pricing.lines import total
from quotas.pricing.quotes import Quote
from quotas.pricing.requests import Question


def answer_as_json(question: Question) -> dict[str, Any]:
    """One period as its quote; several with each of them, their sum, and where the term stands after the last.

    Raises AmountInvalid.
    """
    quotes = question.answer()
    if not question.several:
        return quote_as_json(quotes[0])
    with exactly():
        amount = shortest(total(line for quote in quotes for line in quote.lines))
    return {
        **quote_as_json(quotes[-1]),
        "amount": amount,
        "amount_minor": sum(quote.amount_minor for quote in quotes),
        "lines": [line.as_json() for quote in quotes for line in quote.lines],
        "periods": [quote_as_json(quote) for quote in quotes],
    }


def quote_as_json(quote: Quote) -> dict[str, Any]:
    """`amount` exact in major units, `amount_minor` rounded half up; what each tier or rule contributed."""
    answer: dict[str, Any] = {
        "currency": quote.currency,
        "amount": shortest(quote.amount),
        "amount_minor": quote.amount_minor,
        "lines": [line.as_json() for line in quote.lines],
    }
    if quote.drawdown:
        answer["commitment"] = dict(vars(quote.drawdown))
    if quote.so_far.uses:
        answer["discounts_used"] = dict(quote.so_far.uses)
    return answer

"""Price a quantity: a price and a quantity as JSON on standard input, the amount and how it came about as JSON.

The simplest question: {"price": {"currency": "USD", "model": "graduated", "tiers": [{"up_to": "100", "rate": "0.10"},
{"rate": "0.08"}]}, "quantity": "250.5"}. Numbers are whole, or decimals as strings. The price may also stand beside
the quantity in one object, or be called "model". Models: flat (rate), graduated and volume (tiers: up_to, rate, fee),
package (size, price), percentage (percent, fee; the quantity is the amount). Around any of them: free_units, minimum,
maximum, discounts, commitment; rates with match by dimension. Several periods: "quantities" instead of "quantity".
docs/pricing.md shows each with an example.

The last line of output is a JSON object; a refusal is one too, {"error": {code, field, detail, faults}}, exit code 1.
"""

import sys
from typing import Any

from accounts.clock import now
from accounts.json_commands import JsonCommand, Options
from quotas.pricing.answers import answer_as_json
from quotas.pricing.json_text import LONGEST, JsonInvalid, read_json
from quotas.pricing.requests import read_question


class Command(JsonCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def answer(self, options: Options) -> dict[str, Any]:
        return answer_as_json(read_question(read_json(_standard_input()), at=now()))


def _standard_input() -> str:
    """Standard input as UTF-8, no more of it than a document may hold. Raises JsonInvalid."""
    try:
        return sys.stdin.read(LONGEST + 1)
    except UnicodeDecodeError:
        raise JsonInvalid("the input is not UTF-8") from None

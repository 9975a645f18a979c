"""The bound above which postings go unjudged says nothing else than the rule of the balance state."""

from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.balance_rule import Terms, healthy_above, state_of
from ledger.models import State

BURNS = st.decimals(0, 10**8, places=16, allow_nan=False)
TERMS = st.builds(Terms, st.integers(0, 10**13), st.integers(0, 30 * 86_400))


@settings(deadline=None, derandomize=True)
@given(BURNS, TERMS, st.integers(-(10**15), 10**15), st.integers(-2, 2))
@example(Decimal(0), Terms(0, 0), 0, 0)
def test_a_balance_is_healthy_exactly_above_its_bound(burn: Decimal, terms: Terms, anywhere: int, beside: int) -> None:
    bound = healthy_above(burn, terms)
    for balance_minor in (anywhere, bound + beside):
        assert (state_of(balance_minor, burn, terms) == State.HEALTHY) == (balance_minor > bound)

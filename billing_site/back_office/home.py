"""The home page: what stands still, what waits, and what came in."""

from billing_site.back_office.home_cards import STALE, Card, cards
from billing_site.back_office.revenue_chart import Revenue, revenue
from billing_site.back_office.spans import span

__all__ = ["STALE", "Card", "Revenue", "cards", "revenue", "span"]

"""The price calculator: a price and a quantity, and how it is priced tier by tier. It writes nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import clock
from accounts.admin.act_pages import sentence, text_field
from accounts.errors import DomainError
from billing_site.admin_site import BackOffice
from billing_site.back_office import price_examples, price_sources
from quotas.pricing.faults import Fault, PriceInvalid
from quotas.pricing.json_text import LONGEST, read_json
from quotas.pricing.lines import Line
from quotas.pricing.quotes import Quote
from quotas.pricing.requests import read_question
from quotas.pricing.words import grouped, line_words, money


class CalculatorForm(forms.Form):
    price = forms.CharField(
        label="Price",
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "class": "code", "spellcheck": "false"}),
        help_text="A price, or a list of prices, as JSON. Numbers are whole, or decimals in quotes.",
    )
    quantity = text_field("Quantity", hint="Several with spaces between: one for each period of a term.", longest=5000)
    dimensions = text_field("Dimensions", required=False, hint="Such as region=eu, class=spot.")
    metric = text_field("Metric", required=False, hint="Of a list: which of its metrics.")
    segment = text_field("Segment", required=False, hint="Of a list: whose price, by segment of customers.")
    account = text_field("Account", required=False, hint="Of a list: whose price, by account, such as ba_….")


_MAIN = ("price", "quantity")


@dataclass(frozen=True)
class Row:
    """A line of the table; `width` is the length of its bar, 0 to 100."""

    what: str
    quantity: str
    rate: str
    exact: str
    amount_minor: int
    width: int
    lowers: bool


@dataclass(frozen=True)
class Period:
    """One period of the answer, as it is shown."""

    quote: Quote
    rows: list[Row]
    exact: str


def register() -> None:
    """Add the page to the back office; once, when the registry is ready."""
    BackOffice.own_pages.append(("price-calculator/", calculator, "price_calculator"))


@require_http_methods(["GET", "HEAD", "POST"])
def calculator(request: HttpRequest) -> HttpResponse:
    """A POST asks; it is safe to repeat, and a price may be too long for an address."""
    asked = request.method == "POST"
    form = CalculatorForm(request.POST) if asked else CalculatorForm(initial=_first_values(request.GET))
    shown: dict[str, Any] = {"title": "Price calculator", "form": form, "examples": price_examples.NAMES}
    shown |= {"offers": price_sources.published()}
    shown |= {
        "main_fields": _MAIN,
        "more_is_asked": any(form[name].value() for name in form.fields if name not in _MAIN),
    }
    if asked and form.is_valid():
        shown |= _answer(form)
    status = 422 if asked and (form.errors or "periods" not in shown) else 200
    context = {**admin.site.each_context(request), **shown}
    return TemplateResponse(request, "admin/price_calculator.html", context, status=status)


def _answer(form: CalculatorForm) -> dict[str, Any]:
    """The periods and their sum, or the faults."""
    try:
        quotes = read_question(_question(form.cleaned_data), at=clock.now()).answer()
    except PriceInvalid as error:
        return {"faults": error.faults}
    except DomainError as error:
        return {"faults": [Fault(error.field or "", error.code, sentence(error))]}
    currency = quotes[0].currency
    return {
        "currency": currency,
        "total_minor": sum(quote.amount_minor for quote in quotes),
        "periods": [_period(quote) for quote in quotes],
    }


def _question(cleaned: Mapping[str, str]) -> dict[str, Any]:
    """The form as price_quantity would be asked."""
    document = read_json(cleaned["price"])
    if not isinstance(document, dict):
        raise PriceInvalid([Fault("price", "not_an_object", "write an object: {…}")])
    listed = "prices" in document
    quantities = re.split(r"[\s;]+", cleaned["quantity"].strip())
    labels = dict(_pair(part) for part in cleaned["dimensions"].split(",") if part.strip())
    usages = [{"quantity": quantity, **({"dimensions": labels} if labels else {})} for quantity in quantities]
    named = {key: cleaned[key] for key in ("metric", "segment", "account") if cleaned[key]}
    asked: dict[str, Any] = {"usage": usages} if len(usages) == 1 else {"quantities": usages}
    return {"price_list" if listed else "price": document, **asked, **named}


def _pair(part: str) -> tuple[str, str]:
    name, separator, value = part.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise DomainError("write dimensions as region=eu, class=spot", field="dimensions", code="dimensions_invalid")
    return name.strip(), value.strip()


def _first_values(given: Mapping[str, str]) -> dict[str, str]:
    """What the address says, or an example."""
    first = price_sources.of_address(given) or price_examples.example(given.get("example", ""))
    return {**first, **{name: given[name] for name in CalculatorForm.base_fields if name in given}}


def _period(quote: Quote) -> Period:
    widest = max((abs(line.amount) for line in quote.lines), default=0) or 1
    rows = [_row(line, int(100 * abs(line.amount) / widest), quote.currency) for line in quote.lines]
    return Period(quote, rows, money(quote.amount, quote.currency))


def _row(line: Line, width: int, currency: str) -> Row:
    rated = line.rate is not None and line.kind not in ("percentage", "discount")
    return Row(
        what=line_words(line),
        quantity=grouped(line.quantity) if line.quantity is not None else "",
        rate=money(line.rate, currency) if rated and line.rate is not None else "",
        exact=money(line.amount, currency),
        amount_minor=line.amount_minor,
        width=max(width, 1) if line.amount else 0,
        lowers=line.amount < 0,
    )

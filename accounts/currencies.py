"""Currencies and amounts: ISO 4217 minor-unit exponents, strict parsing, exact formatting.

Money is an integer in the currency's minor unit everywhere; a float never comes near it.
"""

from accounts.errors import AmountInvalid, CurrencyMismatch, CurrencyUnknown

MAXIMUM_MINOR = 10**15

_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER "
    "ZAR ZMW ZWG"
)

# Source: ISO 4217 list one, active codes with a minor unit; metals, funds without one and test codes left out.
EXPONENTS: dict[str, int] = {
    code: exponent for exponent, codes in ((0, _ZERO), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()
}


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit. Raises CurrencyUnknown."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise CurrencyUnknown(f"{currency!r} is not an ISO 4217 currency code in use") from None


def require_currency(kept: str, currency: str) -> None:
    """An amount comes in the currency its account is kept in. Raises CurrencyMismatch."""
    if currency != kept:
        raise CurrencyMismatch(f"this account is kept in {kept}")


def parse_minor(value: object, *, field: str = "amount_minor") -> int:
    """A whole, non-zero amount in minor units, |amount| ≤ 10^15, as an integer or plain ASCII digits.

    Floats, exponents, underscores, full-width digits, NaN, booleans and blanks raise AmountInvalid.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise AmountInvalid("write the amount as a whole number of minor units", field=field)
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
            raise AmountInvalid("write the amount as a whole number of minor units", field=field)
        value = int(value)
    if value == 0:
        raise AmountInvalid("the amount must not be zero", field=field)
    if abs(value) > MAXIMUM_MINOR:
        raise AmountInvalid("the amount is out of range (at most 10^15 minor units)", field=field)
    return value


def parse_positive_minor(value: object, *, field: str = "amount_minor") -> int:
    """As parse_minor, and above zero."""
    amount_minor = parse_minor(value, field=field)
    if amount_minor < 0:
        raise AmountInvalid("the amount must be above zero", field=field)
    return amount_minor


def format_minor(amount_minor: int, currency: str) -> str:
    """`1,234.50 USD`, a true minus sign before a debit; exact for every exponent."""
    places = exponent(currency)
    whole, fraction = divmod(abs(amount_minor), 10**places)
    digits = f"{whole:,}.{fraction:0{places}d}" if places else f"{whole:,}"
    return f"{'−' if amount_minor < 0 else ''}{digits} {currency}"

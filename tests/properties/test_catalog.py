"""Any catalog that parses is written, and read again, as the same catalog: bare, in its ConfigMap, and as kept."""

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quotas.catalog.changes import changes
from quotas.catalog.document import canonical_json, fingerprint, parse, parse_text, read_json
from quotas.catalog.writing import write, write_configmap
from tests.quotas.plans import addon, catalog_document, plan

reproducible = settings(derandomize=True, deadline=None, print_blob=True, max_examples=60)

# Texts that YAML, or a reader of it, takes for something else, beside whatever else people type.
SURPRISES = (
    *(
        "yes",
        "No",
        "tRue",
        "NULL",
        "~",
        "null",
        "1.5",
        "+.5",
        "5.",
        "007",
        "0x1F",
        "1e3",
        "1_000",
        "12:30",
        "2026-01-01",
    ),
    *(
        "=",
        "<<",
        "- x",
        "a: b",
        "# x",
        "'",
        '"',
        "&a",
        "*a",
        "!t",
        "%",
        "@",
        "`",
        "|",
        ">",
        "{a}",
        "[a]",
        "a\nb",
        "a\n\nb\n c",
    ),
    *(
        "+4 GB RAM • +2 vCPU",
        "€",
        "a\u2028b",
        "\x85x",
        "😀",
        "a\tb",
        "...",
        "---",
        "---\nx",
        "a #b",
        "a:",
        ":",
        "?",
        "-",
    ),
)
texts = st.one_of(
    st.sampled_from(SURPRISES),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30),
)
names = texts.filter(lambda text: text.strip() != "")
whole = st.integers(0, 10**6)
numbers = st.one_of(whole, st.decimals(0, 10**6, places=2), st.sampled_from(["0.50", "12.25", "3"]))
codes = st.from_regex(r"[a-z][-a-z0-9]{0,12}[a-z0-9]", fullmatch=True)
cores = st.one_of(st.integers(1, 512), st.sampled_from(["1", "500m", "0.5", "1500m", "2e3", "1u", "3k", "0.000000001"]))
sizes = st.one_of(
    st.sampled_from(["8Gi", "512Mi", "1.5Gi", "1G", "1e9", "1000", "7Ti", "0.5", "1Ki"]), st.integers(1, 2**40)
)
unknown = st.dictionaries(
    st.sampled_from(["providers", "promoCodes", "note", "true"]),
    st.one_of(texts, whole, st.booleans(), st.none(), st.decimals(0, 10, places=3), st.lists(texts, max_size=2)),
    max_size=2,
)


def sold(draw: Any) -> dict[str, Any]:
    others = st.lists(st.tuples(st.sampled_from(["USD", "GBP"]), st.sampled_from(["month", "year"])), unique=True)
    return {
        "displayName": draw(names),
        "description": draw(texts),
        "price": draw(numbers),
        "prices": [
            {"currency": currency, "interval": interval, "amount": draw(numbers)} for currency, interval in draw(others)
        ],
        "selfService": draw(st.booleans()),
        **draw(unknown),
    }


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    plans = {
        code: plan(
            **sold(draw),
            recommended=draw(st.booleans()),
            features=draw(st.lists(texts, max_size=3)),
            burstRatio=draw(st.sampled_from([1, "1.0", "1.34", Decimal("2.50")])),
            objectStorage=draw(numbers),
            trialDays=draw(st.integers(0, 365)),
        )
        | {"requests": {"cpu": draw(cores), "memory": draw(sizes), "storage": draw(sizes)}}
        for code in draw(st.lists(codes, min_size=1, max_size=3, unique=True))
    }
    addons = {
        code: addon(**sold(draw), disabled=draw(st.booleans())) | {"cpu": draw(cores), "memory": draw(sizes)}
        for code in draw(st.lists(codes, max_size=2, unique=True))
    }
    return catalog_document(
        plans=plans,
        addons=addons,
        eipQuota={code: draw(whole) for code in plans if draw(st.booleans())},
        systemOverhead={"cpuPerProject": draw(cores), "memPerProject": draw(sizes)},
        **draw(unknown),
    )


@reproducible
@given(documents())
@example(catalog_document(promoCodes=[{"code": "SPRING", "discount": Decimal("0.50")}]))
def test_what_is_written_is_read_again_as_the_same_catalog(document: dict[str, Any]) -> None:
    catalog = parse(document)
    for text in (write(catalog), write_configmap(catalog)):
        again = parse_text(text)
        assert again == catalog
        assert list(again.plans) == list(catalog.plans)
        assert list(again.addons) == list(catalog.addons)
        assert fingerprint(again.as_document()) == fingerprint(catalog.as_document())
        assert changes(catalog, again) == []
    assert parse(read_json(canonical_json(catalog.as_document()))) == catalog


@reproducible
@given(documents())
def test_what_is_written_never_lacks_a_section_of_the_operator_s_and_other_readers_read_it(
    document: dict[str, Any],
) -> None:
    catalog = parse(document)
    plain = yaml.safe_load(yaml.safe_load(write_configmap(catalog))["data"]["plans.yaml"])
    assert {"plans", "suspendedPlan", "systemOverhead", "eipQuota"} <= set(plain)
    assert list(plain["plans"]) == list(document["plans"])
    for code, terms in document["plans"].items():
        assert Decimal(str(plain["plans"][code]["price"])) == Decimal(str(terms["price"]))
        assert plain["plans"][code]["displayName"] == terms["displayName"].strip()


@pytest.mark.parametrize("text", SURPRISES)
def test_a_name_is_read_as_the_text_it_is(text: str) -> None:
    catalog = parse(catalog_document(plans={"dev-pool": plan(displayName=text)}, eipQuota={}))
    assert catalog.plans["dev-pool"].display_name == text.strip()
    assert parse_text(write(catalog)) == catalog

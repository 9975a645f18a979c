"""Every act that writes an audit row has its sentence: found in the source, wherever the name of an act is given."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from accounts import activity

ROOT = Path(__file__).parents[2]
ROOMS = ("accounts", "quotas", "ledger", "payments", "billing_site")
_ACT = re.compile(r"[a-z_]+(\.[a-z_]+)?")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text()
            if "migrations" not in path.parts and "record(" in text:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(text)


def acts_of(name: str, tree: ast.Module) -> Iterator[str]:
    """Patterns of the acts that a module names: to `record`, or to a function of its own that hands `action` on."""
    places = {"record": 1}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            arguments = [argument.arg for argument in function.args.args]
            if "action" in arguments:
                places[function.name] = arguments.index("action")
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in places:
            given = call.args[places[call.func.id]]
            if not (isinstance(given, ast.Name) and given.id == "action"):
                yield _pattern(given, import_module(name))


def _pattern(given: ast.expr, module: ModuleType) -> str:
    match given:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=parts):
            return "".join(
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z_]+" for part in parts
            )
        case ast.Name(id=name):
            return re.escape(str(getattr(module, name)))
        case _:
            raise AssertionError(f"{module.__name__} names an act in a way this test cannot read: {ast.dump(given)}")


def patterns() -> dict[str, str]:
    return {pattern: name for name, tree in modules() for pattern in acts_of(name, tree)}


def test_every_audited_act_has_words() -> None:
    """An act without them: say it in the room's `activity_words.py`."""
    silent = {
        f"{pattern} of {module}"
        for pattern, module in patterns().items()
        if not any(re.fullmatch(pattern, action) for action in activity.known())
    }
    assert silent == set()


def test_no_words_are_left_of_an_act_that_is_gone() -> None:
    named = patterns()
    assert [act for act in activity.known() if not any(re.fullmatch(pattern, act) for pattern in named)] == []


def test_the_source_is_read_as_it_should_be() -> None:
    """Literal, constant, f-string, and through a function that hands the name on."""
    found = set(patterns())
    expected = {"project.bind", "catalog.published", "billing_account.set_terms", "allocation.start", "sku.set_rate"}
    assert {re.escape(act) for act in expected} <= found
    assert r"approval\.[a-z_]+" in found
    assert r"subscription\.[a-z_]+" in found


@pytest.mark.parametrize("action", sorted(activity.known()))
def test_a_sentence_goes_on_after_a_name_and_belongs_to_a_kind(action: str) -> None:
    words = activity.words_of(action)
    assert _ACT.fullmatch(action)
    assert words.kind in activity.KINDS
    assert words.text[0].islower()
    assert not words.text.endswith(".")
    assert "{" not in "".join(words.parts[::2])

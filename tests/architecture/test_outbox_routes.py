"""Every topic a room emits has a route, and every route leads somewhere."""

import inspect
from importlib import import_module

import pytest
from django.utils.module_loading import import_string

from billing_site.outbox_routes import ROUTES, WITH_A_CLUSTER

ROOMS = ("accounts", "quotas", "ledger", "payments")
HANDLERS = sorted({handler for handlers in WITH_A_CLUSTER.values() for handler in handlers})


def test_the_topics_of_the_rooms_are_the_topics_that_are_routed() -> None:
    emitted = [topic for room in ROOMS for topic in import_module(f"{room}.topics").TOPICS]
    assert len(emitted) == len(set(emitted))
    assert set(emitted) == set(ROUTES) == set(WITH_A_CLUSTER)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_every_topic_it_names(room: str) -> None:
    module = import_module(f"{room}.topics")
    named = {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    assert named == set(module.TOPICS)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_route_leads_to_a_function_that_takes_a_message_and_a_moment(handler: str) -> None:
    function = import_string(handler)
    parameters = inspect.signature(function).parameters
    assert list(parameters) == ["message", "at"]
    assert parameters["at"].kind is inspect.Parameter.KEYWORD_ONLY


def test_no_topic_has_the_same_handler_twice() -> None:
    assert [topic for topic, handlers in WITH_A_CLUSTER.items() if len(handlers) != len(set(handlers))] == []

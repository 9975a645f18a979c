"""Ways to reach people. A channel acts on the outside: the relay calls it with no transaction open."""

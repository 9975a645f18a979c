"""`/api/billing/*`: the calls of seed 001's console in its own dialect. It shows several rooms and holds no rules."""

"""Personal data: found by rules, replaced or dropped, and how well that works measured."""

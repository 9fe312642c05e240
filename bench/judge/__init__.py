"""Contracts judged on traces: three-valued verdicts with the events that show them."""

"""What a source of events is called once it is a request to the target, which need not know more of sources.

drivers/contract/source.py makes them. They are apart because dataclasses take an emulated processor long to import.
"""
from __future__ import annotations

from typing import Any, Mapping


def event_name(request: Mapping[str, Any]) -> str:
    """`system:name` in tracefs of a source's request: events of probes are in the group `bench`."""
    return "%s:%s" % (request.get("system", "bench"), request["name"])


def label(request: Mapping[str, Any]) -> str:
    """What tells sources apart: the event, and of the function tracer, which shares one among all, the filter."""
    return event_name(request) + (" " + request["filter"] if "filter" in request else "")

"""Answer calls: find the function, start the recorders, run it, send the
reply. It judges nothing.
"""
from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any, ContextManager, TypedDict, cast

from drivers.agent import frame
from drivers.agent.call import kind
from drivers.agent.coverage import Coverage
from drivers.agent.frame import Frame
from drivers.agent.interrupt import Interruptible
from drivers.agent.port import Port
from drivers.agent.recorder import recording
from drivers.agent.trace.request import TraceRequest
from drivers.agent.trace.tracer import Tracer


def serve(port: Port, turn: int) -> int:
    """Answer requests until a stop request (returns 0) or the end of the stream (EOFError).

    `turn` counts the starts of this server on one stream: 0 for the first.
    """
    tracer = Tracer(port)
    read = frame.exact(port.read)
    port.write({"hello": _identity(), "turn": turn})
    try:
        while True:
            request = frame.unpack(read)
            received = time.monotonic_ns()
            if "stop" in request:
                return 0
            if "interrupt" in request:
                continue  # an interrupt, perhaps after the call's end
            reply = _answer(request, tracer, port)
            reply.update(id=request.get("id"), received=received, sent=time.monotonic_ns())
            port.write(reply)
    finally:
        if Coverage.running:
            Coverage.running.stop()
        tracer.close()


class Identity(TypedDict):
    """The hello: kernel (as of uname), host name, Python, process id,
    devicetree compatible, byte order.
    """

    release: str
    version: str
    machine: str
    host: str
    python: str
    pid: int
    compatible: list[str]
    byteorder: str


class Error(TypedDict):
    """What a call raised; errno and its name for an OSError."""

    type: str
    text: str
    errno: int | None
    name: str
    traceback: str


def _identity() -> Identity:
    uname = os.uname()
    return {
        "release": uname.release,
        "version": uname.version,
        "machine": uname.machine,
        "host": uname.nodename,
        "python": sys.version.split()[0],
        "pid": os.getpid(),
        "compatible": _compatible(),
        "byteorder": sys.byteorder,
    }


def _compatible() -> list[str]:
    try:
        with open("/proc/device-tree/compatible", "rb") as f:
            return f.read().decode("utf-8", "replace").rstrip("\0").split("\0")
    except OSError:
        return []  # a machine without a devicetree


def _answer(request: Frame, tracer: Tracer, port: Port) -> Frame:
    reply: Frame = {"value": None, "error": None}
    ident = int(request.get("id") or 0)
    trace: TraceRequest | None = request.get("trace")
    try:
        function = _find(str(request["call"]))
        with recording(request.get("recorders") or {}, reply), tracer.recording(
            trace, ident
        ) as traced:
            reply["started"] = time.monotonic_ns()
            try:
                with _interruptible(request, port):
                    reply["value"] = _run(function, request.get("arguments") or {}, ident, port)
            finally:
                reply["ended"] = time.monotonic_ns()
                if trace is not None:
                    reply["trace"] = traced
    except (Exception, KeyboardInterrupt) as e:  # any error of a call is reported to the host
        reply["error"] = _error(e)
    return reply


def _interruptible(request: Frame, port: Port) -> ContextManager[None]:
    return Interruptible(port.reading) if request.get("interruptible") else contextlib.nullcontext()


def _find(name: str) -> Callable[..., Any]:
    exerciser, _, function_name = name.partition(".")
    module = importlib.import_module(f"drivers.{exerciser}.calls")
    function = getattr(module, function_name, None)
    if not kind(function):
        raise LookupError(f"{module.__name__} has no call named {function_name!r}")
    return cast("Callable[..., Any]", function)


def _run(function: Callable[..., Any], arguments: Frame, ident: int, port: Port) -> Any:
    if kind(function) == "call":
        return function(**arguments)
    steps = function(**arguments)
    try:
        next(steps)
    except StopIteration as e:  # it returned before it was ready
        return e.value
    port.write({"ready": True, "id": ident})
    try:
        next(steps)
    except StopIteration as e:
        return e.value
    raise RuntimeError(f"{function.__name__} yielded twice; a listening call is ready once")


def _error(e: BaseException) -> Error:
    import traceback  # slow to import on an emulated processor, and few calls raise

    number = e.errno if isinstance(e, OSError) else None
    return {
        "type": type(e).__name__,
        "text": str(e),
        "errno": number,
        "name": errno.errorcode.get(number, "") if number else "",
        "traceback": traceback.format_exc(),
    }

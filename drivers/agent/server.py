"""Answer calls: find the function, arm the trace, run it, send the reply.  It never judges."""
from __future__ import annotations

import contextlib
import errno
import importlib
import sys
import time
from typing import Any, Callable, Dict, List, Optional, cast

from drivers.agent import frame
from drivers.agent.call import kind
from drivers.agent.coverage import Coverage
from drivers.agent.interrupt import Ears
from drivers.agent.port import Port
from drivers.agent.recorder import recording
from drivers.agent.trace.tracer import Tracer


def serve(port: Port, turn: int) -> int:
    """Answer frames until one asks to stop (returns 0) or the stream ends (EOFError).

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
                continue  # the call has heard it, or was over
            reply = _answer(request, tracer, port)
            reply.update(id=request.get("id"), received=received, sent=time.monotonic_ns())
            port.write(reply)
    finally:
        if Coverage.running:
            Coverage.running.stop()
        tracer.close()


def _identity() -> Dict[str, Any]:
    import os

    uname = os.uname()
    return {
        "release": uname.release, "version": uname.version, "machine": uname.machine, "host": uname.nodename,
        "python": sys.version.split()[0], "pid": os.getpid(), "compatible": _compatible(),
        "byteorder": sys.byteorder,
    }


def _compatible() -> List[str]:
    try:
        with open("/proc/device-tree/compatible", "rb") as f:
            return f.read().decode("utf-8", "replace").rstrip("\0").split("\0")
    except OSError:
        return []  # a machine without a devicetree


def _answer(request: Dict[str, Any], tracer: Tracer, port: Port) -> Dict[str, Any]:
    reply: Dict[str, Any] = {"value": None, "error": None}
    trace: Optional[Dict[str, Any]] = request.get("trace")
    try:
        function = _find(str(request["call"]))
        with recording(request.get("recorders") or {}, reply), tracer.recording(trace, request.get("id")) as traced:
            reply["started"] = time.monotonic_ns()
            try:
                with Ears(port.reading) if request.get("interruptible") else contextlib.nullcontext():
                    reply["value"] = _run(function, request.get("arguments") or {}, request.get("id"), port)
            finally:
                reply["ended"] = time.monotonic_ns()
                if trace is not None:
                    reply["trace"] = traced
    except (Exception, KeyboardInterrupt) as e:  # everything that a call raises is an answer
        reply["error"] = _error(e)
    return reply


def _find(name: str) -> Callable[..., Any]:
    exerciser, _, function_name = name.partition(".")
    module = importlib.import_module("drivers.%s.calls" % exerciser)
    function: Any = getattr(module, function_name, None)
    if not kind(function):
        raise LookupError("%s has no call named %r" % (module.__name__, function_name))
    return cast(Callable[..., Any], function)


def _run(function: Callable[..., Any], arguments: Dict[str, Any], ident: Any, port: Port) -> Any:
    if kind(function) == "call":
        return function(**arguments)
    steps = function(**arguments)
    try:
        next(steps)
    except StopIteration as e:  # it had its answer before it could listen
        return e.value
    port.write({"ready": True, "id": ident})
    try:
        next(steps)
    except StopIteration as e:
        return e.value
    raise RuntimeError("%s yielded twice; a listening call is ready once" % function.__name__)


def _error(e: BaseException) -> Dict[str, Any]:
    import traceback  # takes its time on an emulated processor, and few calls raise

    number = e.errno if isinstance(e, OSError) else None
    return {
        "type": type(e).__name__,
        "text": str(e),
        "errno": number,
        "name": errno.errorcode.get(number, "") if number else "",
        "traceback": traceback.format_exc(),
    }

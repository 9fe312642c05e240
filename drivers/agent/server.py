"""Answer calls: find the function, arm the trace, run it, send the reply.  It never judges."""
from __future__ import annotations

import errno
import importlib
import sys
import time
import traceback
from typing import Any, Callable, Dict, List, Optional, cast

from drivers.agent import frame
from drivers.agent.tracer import Tracer
from drivers.call import kind

Write = Callable[[Dict[str, Any]], None]


def serve(read_some: Callable[[int], bytes], write: Write, turn: int) -> int:
    """Answer frames until one asks to stop (returns 0) or the stream ends (EOFError).

    `turn` counts the starts of this server on one stream: 0 for the first.
    """
    tracer = Tracer()
    read = frame.exact(read_some)
    write({"hello": _identity(), "turn": turn})
    try:
        while True:
            request = frame.unpack(read)
            received = time.monotonic_ns()
            if "stop" in request:
                return 0
            reply = _answer(request, tracer, write)
            reply.update(id=request.get("id"), received=received, sent=time.monotonic_ns())
            write(reply)
    finally:
        tracer.close()


def _identity() -> Dict[str, Any]:
    import os

    uname = os.uname()
    return {
        "release": uname.release, "version": uname.version, "machine": uname.machine, "host": uname.nodename,
        "python": sys.version.split()[0], "pid": os.getpid(), "compatible": _compatible(),
        "byteorder": sys.byteorder, "log_offset_ns": _log_offset(),
    }


def _log_offset() -> int:
    """CLOCK_MONOTONIC minus the kernel log's own clock, in ns: one line written and read back; 0 if it cannot be."""
    import os

    try:
        fd = os.open("/dev/kmsg", os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return 0  # not root, or no kernel log: times of log lines are then the log's own
    try:
        os.lseek(fd, 0, os.SEEK_END)
        before = time.monotonic_ns()
        os.write(fd, b"bench: agent started\n")
        middle = (before + time.monotonic_ns()) // 2
        return middle - int(os.read(fd, 8192).split(b",", 3)[2]) * 1000
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        os.close(fd)


def _compatible() -> List[str]:
    try:
        with open("/proc/device-tree/compatible", "rb") as f:
            return f.read().decode("utf-8", "replace").rstrip("\0").split("\0")
    except OSError:
        return []  # a machine without a devicetree


def _answer(request: Dict[str, Any], tracer: Tracer, write: Write) -> Dict[str, Any]:
    reply: Dict[str, Any] = {"value": None, "error": None}
    trace: Optional[Dict[str, Any]] = request.get("trace")
    try:
        function = _find(str(request["call"]))
        with tracer.recording(trace) as recording:
            reply["started"] = time.monotonic_ns()
            try:
                reply["value"] = _run(function, request.get("arguments") or {}, request.get("id"), write)
            finally:
                reply["ended"] = time.monotonic_ns()
                if trace is not None:
                    reply["trace"] = recording
    except Exception as e:  # everything that a call raises is an answer
        reply["error"] = _error(e)
    return reply


def _find(name: str) -> Callable[..., Any]:
    exerciser, _, function_name = name.partition(".")
    module = importlib.import_module("drivers.%s.calls" % exerciser)
    function: Any = getattr(module, function_name, None)
    if not kind(function):
        raise LookupError("%s has no call named %r" % (module.__name__, function_name))
    return cast(Callable[..., Any], function)


def _run(function: Callable[..., Any], arguments: Dict[str, Any], ident: Any, write: Write) -> Any:
    if kind(function) == "call":
        return function(**arguments)
    steps = function(**arguments)
    try:
        next(steps)
    except StopIteration as e:  # it had its answer before it could listen
        return e.value
    write({"ready": True, "id": ident})
    try:
        next(steps)
    except StopIteration as e:
        return e.value
    raise RuntimeError("%s yielded twice; a listening call is ready once" % function.__name__)


def _error(e: BaseException) -> Dict[str, Any]:
    number = e.errno if isinstance(e, OSError) else None
    return {
        "type": type(e).__name__,
        "text": str(e),
        "errno": number,
        "name": errno.errorcode.get(number, "") if number else "",
        "traceback": traceback.format_exc(),
    }

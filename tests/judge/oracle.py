"""The verbs of a contract as plain loops, to compare with: no arrays, no cleverness, nothing lost."""
import itertools
import math

EVENTS = {"open": "t:open", "close": "t:close", "mark": "t:mark"}


def keyed(events, keys, *roles):
    """key → its events of the roles, in order."""
    groups = {}
    for event in events:
        if event["role"] in roles:
            groups.setdefault(tuple(event[k] for k in keys), []).append(event)
    return groups


def matched(events, keys, several):
    """(pairs, unclosed, again, orphans with an open before, closes of opens that may have come before the recording)"""
    pairs, unclosed, again, orphans, early = [], [], [], [], []
    for group in keyed(events, keys, "open", "close").values():
        waiting, any_before, alone = [], False, 0
        for event in group:
            if event["role"] == "open":
                if waiting and not several:
                    again.append((waiting.pop(), event))
                waiting.append(event)
            elif waiting:
                pairs.append((waiting.pop(0), event))
            elif any_before and not several:
                orphans.append(event)
            else:
                alone += 1
            any_before = True
        early += [event for event in group if event["role"] == "close"][:alone]  # first in, first out
        unclosed += waiting
    return pairs, unclosed, again, orphans, early


def verdict(broken, inconclusive):
    return False if broken else None if inconclusive else True


def pair(events, began, ended, keys, several, within, edges):
    pairs, unclosed, again, orphans, early = matched(events, keys, several)
    if not any(event["role"] in ("open", "close") for event in events):
        return None
    allowed = math.inf if within is None else within
    late = [1 for a, b in pairs if b["ts"] - a["ts"] > allowed]
    gone = [a for a in unclosed if edges == "closed" or a["ts"] + allowed <= ended]
    nowhere = [b for b in early if edges == "closed" or b["ts"] - allowed >= began]
    return verdict(late or again or orphans or gone or nowhere, len(gone) < len(unclosed) or len(nowhere) < len(early))


def nearest_rank(values, percent):
    return sorted(values)[max(math.ceil(len(values) * percent / 100) - 1, 0)]


def latency(events, began, ended, keys, several, limits):
    pairs, unclosed, again, _, _ = matched(events, keys, several)
    if not any(event["role"] in ("open", "close") for event in events):
        return None
    took = [b["ts"] - a["ts"] for a, b in pairs]
    broken = any(t > limits.get("max", math.inf) or t > limits.get("deadline", math.inf) or t < limits.get("min", 0)
                 for t in took)
    for name, percent in (("median", 50), ("p99", 99)):
        broken |= bool(took) and nearest_rank(took, percent) > limits.get(name, math.inf)
    inconclusive = not took
    if "deadline" in limits:
        gone = [a for a in unclosed if a["ts"] + limits["deadline"] <= ended]
        broken |= bool(again or gone)
        inconclusive |= len(gone) < len(unclosed)
    return verdict(broken, inconclusive)


def order(events, roles, keys):
    groups = keyed(events, keys, *roles)
    broken = inconclusive = False
    for group in groups.values():
        inconclusive |= group[0]["role"] != roles[0]
        for before, after in itertools.pairwise(group):
            broken |= roles.index(after["role"]) != (roles.index(before["role"]) + 1) % len(roles)
    return verdict(broken, inconclusive) if groups else None


def count(events, keys, low, high):
    groups = keyed(events, keys, "mark")
    sizes = [len(group) for group in groups.values()]
    if not sizes:
        return None if keys or not low else False
    return all(size >= (low or 0) and size <= (math.inf if high is None else high) for size in sizes)


def absent_between(events, keys):
    broken = inconclusive = False
    for group in keyed(events, keys, "open", "close", "mark").values():
        state = None
        for number, event in enumerate(group):
            if event["role"] == "mark" and state == "open":
                broken = True
            elif event["role"] == "mark" and state is None:
                later = next((e["role"] for e in group[number:] if e["role"] != "mark"), None)
                inconclusive |= later == "close"
            elif event["role"] != "mark":
                state = event["role"]
    return verdict(broken, inconclusive) if any(event["role"] == "open" for event in events) else None


def until(events, keys):
    """After each open no mark until a close."""
    broken = inconclusive = False
    for group in keyed(events, keys, "open", "close", "mark").values():
        waiting = False
        for event in group:
            broken |= waiting and event["role"] == "mark"
            waiting = event["role"] == "open" or (waiting and event["role"] != "close")
        inconclusive |= waiting
    return verdict(broken, inconclusive) if any(event["role"] == "open" for event in events) else None


def until_first(events, keys):
    """No mark before the first close."""
    groups = keyed(events, keys, "close", "mark")
    broken = any(group[0]["role"] == "mark" for group in groups.values())
    return verdict(broken, not any(event["role"] == "close" for event in events)) if groups else None


def conserve(events, keys, amount, edges):
    broken = inconclusive = False
    groups = keyed(events, keys, "open", "close")
    for group in groups.values():
        balance, begun, least = 0, edges == "closed", 0
        for event in group:
            size = event[amount] if amount else 1
            begun |= event["role"] == "open"
            if not begun:
                inconclusive = True
                continue
            balance += size if event["role"] == "open" else -size
            least = min(least, balance)
        broken |= balance > 0 or (edges == "closed" and least < 0)
        inconclusive |= least < 0
    return verdict(broken, inconclusive) if groups else None


def jitter(events, keys, period, most):
    gaps = [b["ts"] - a["ts"] for group in keyed(events, keys, "mark").values()
            for a, b in itertools.pairwise(group)]
    if not gaps:
        return None
    middle = nearest_rank(gaps, 50) if period is None else period
    return all(abs(gap - middle) <= most for gap in gaps)


def payload(events, keys):
    """The n-th open and the n-th close of a key have the same value."""
    broken = inconclusive = False
    groups = keyed(events, keys, "open", "close")
    for group in groups.values():
        opens = [e["value"] for e in group if e["role"] == "open"]
        closes = [e["value"] for e in group if e["role"] == "close"]
        broken |= any(a != b for a, b in zip(opens, closes, strict=False))
        inconclusive |= len(opens) != len(closes)
    return verdict(broken, inconclusive) if groups else None


def ratio(events, low, high):
    """Marks for each open."""
    opens = sum(event["role"] == "open" for event in events)
    marks = sum(event["role"] == "mark" for event in events)
    if not opens:
        return None
    return (low is None or marks >= low * opens) and (high is None or marks <= high * opens)


def rate(events, low, high):
    """Marks per second, the limits in MHz."""
    times = [event["ts"] for event in events if event["role"] == "mark"]
    if len(times) < 2 or times[0] == times[-1]:
        return None
    megahertz = 1000 * (len(times) - 1), times[-1] - times[0]
    return (low is None or megahertz[0] >= low * megahertz[1]) and (high is None or megahertz[0] <= high * megahertz[1])


def all_equal(events):
    """The key of each mark is its value."""
    marks = [event for event in events if event["role"] == "mark"]
    return all(event["key"] == event["value"] for event in marks) if marks else None


def expected(events, values):
    """The marks' values are these, one after another."""
    found = [event["value"] for event in events if event["role"] == "mark"]
    return found == values if found or values else None


def composed(op, values):
    """Kleene's three values."""
    if op == "not":
        return None if values[0] is None else not values[0]
    if op == "implies":
        return composed("or", [composed("not", values[:1]), values[1]])
    decisive = op == "or"
    if decisive in values:
        return decisive
    return None if None in values else not decisive

"""Find a PWM controller in sysfs, take one of its channels, and give it back."""
from __future__ import annotations

import errno
import os
import re
from typing import Any, Dict, List

_CLASS = "/sys/class/pwm"


def controllers() -> List[Dict[str, str]]:
    """Each controller: name (pwmchip0), its device, and that one's driver."""
    found = []
    for name in sorted(os.listdir(_CLASS)) if os.path.isdir(_CLASS) else []:
        device = os.path.realpath("%s/%s/device" % (_CLASS, name))
        driver = device + "/driver"
        found.append({"name": name, "device": os.path.basename(device),
                      "driver": os.path.basename(os.readlink(driver)) if os.path.islink(driver) else ""})
    return found


def path_of(controller: str) -> str:
    """The folder of the controller with this driver, device or name; ENODEV when there is none."""
    known = controllers()
    for one in known:
        if controller in one.values():
            return "%s/%s" % (_CLASS, one["name"])
    raise OSError(errno.ENODEV, "no PWM controller %r; there are: %s"
                  % (controller, ", ".join("%(name)s (%(driver)s)" % one for one in known) or "none"))


def put(path: str, text: Any) -> None:
    """Write one attribute; the driver's refusal is the errno."""
    opened = os.open(path, os.O_WRONLY)
    try:
        os.write(opened, str(text).encode())
    finally:
        os.close(opened)


def get(path: str) -> str:
    """Read one attribute."""
    with open(path) as opened:
        return opened.read().strip()


def state(folder: str) -> Dict[str, Any]:
    """A channel as sysfs has it: period, duty_cycle (ns), polarity, enable."""
    return {"period": int(get(folder + "/period")), "duty_cycle": int(get(folder + "/duty_cycle")),
            "polarity": get(folder + "/polarity"), "enable": int(get(folder + "/enable"))}


def channel_of(controller: str, channel: int) -> str:
    """The folder of an exported channel; ENOENT when nobody has exported it."""
    folder = "%s/pwm%d" % (path_of(controller), channel)
    if not os.path.isdir(folder):
        raise OSError(errno.ENOENT, "%s: channel %d is not exported" % (controller, channel))
    return folder


def exported(controller: str) -> List[int]:
    """The numbers of the exported channels."""
    return sorted(int(entry[3:]) for entry in os.listdir(path_of(controller)) if re.match(r"pwm\d+$", entry))

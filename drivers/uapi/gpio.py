"""Find a GPIO controller by the driver that is bound to it, by its label or by its name."""
from __future__ import annotations

import errno
import os
from typing import Any, Dict, List

_DEVICES = "/sys/bus/gpio/devices"


def chips() -> List[Dict[str, Any]]:
    """Each controller: name (gpiochip0), its parent device, which is mostly its label too, and that one's driver."""
    found = []
    for name in sorted(os.listdir(_DEVICES)) if os.path.isdir(_DEVICES) else []:
        parent = os.path.dirname(os.path.realpath("%s/%s" % (_DEVICES, name)))
        driver = parent + "/driver"
        found.append({"name": name, "device": os.path.basename(parent),
                      "driver": os.path.basename(os.readlink(driver)) if os.path.islink(driver) else ""})
    return found


def path_of(chip: str) -> str:
    """The device node of the controller with this driver, parent or name; ENODEV when there is none."""
    return "/dev/%s" % _find(chip)["name"]


def parent_of(chip: str) -> str:
    """The sysfs folder of the device that is the controller."""
    return os.path.dirname(os.path.realpath("%s/%s" % (_DEVICES, _find(chip)["name"])))


def _find(chip: str) -> Dict[str, Any]:
    known = chips()
    for one in known:
        if chip in one.values():
            return one
    raise OSError(errno.ENODEV, "no GPIO controller %r; there are: %s"
                  % (chip, ", ".join("%(name)s (%(driver)s)" % one for one in known) or "none"))

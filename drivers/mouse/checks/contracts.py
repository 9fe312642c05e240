"""What the kernel's trace must show of a mouse.

Ref: drivers/hid/usbhid/hid-core.c, drivers/hid/hid-core.c

Neither the USB core nor HID has tracepoints of its own, so these are probes on their functions.
"""
from __future__ import annotations

from drivers.contract import Contract, Kprobe, contract, count, latency, limit, order, pair, role

received = role(
    "report fetched by usbhid", Kprobe("hid_irq_in", module="usbhid", fields={"urb": "%r0"})
)
passed = role(
    "report passed to HID", Kprobe("hid_report_raw_event", module="hid", fields={"hid": "%r0"})
)
reported = role(
    "event reported to input",
    Kprobe("input_event", fields={"kind": "%r1", "code": "%r2", "value": "%r3:s32"}),
)
submitted = role("URB submitted", Kprobe("usb_hcd_submit_urb", fields={"urb": "%r0"}))
given_back = role(
    "URB given back", Kprobe("usb_hcd_giveback_urb", fields={"urb": "%r1", "status": "%r2:s32"})
)

synced = reported.where(kind=0, code=0)

every_report_is_passed_to_hid: Contract = contract(
    "each report that usbhid receives is passed to HID",
    order(received, passed) & count(passed, exactly=limit("reports")),
)

each_report_is_an_input_frame_in_time: Contract = contract(
    "each report becomes one input frame within the latency limit",
    pair(passed, synced) & latency(passed, synced, max=limit("latency")),
)

every_urb_is_given_back: Contract = contract(
    "each URB that is submitted is given back before it is submitted again",
    pair(submitted, given_back, key="urb"),
)

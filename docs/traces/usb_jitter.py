"""A USB mouse: its interrupt endpoint is served evenly, and what it says is told at once.

Bind `interval`, the endpoint's own. Neither the USB core nor HID has tracepoints, so these are probes on functions.
Ref: drivers/usb/core/hcd.c, drivers/hid/usbhid/hid-core.c
"""
from drivers.contract import Kprobe, contract, jitter, latency, limit, pair, rate, role

submitted = role("URB submitted", Kprobe("usb_hcd_submit_urb", fields={"urb": "%r0"}))
given_back = role("URB given back", Kprobe("usb_hcd_giveback_urb", fields={"urb": "%r1", "status": "%r2:s32"}))
fetched = role("report fetched", Kprobe("hid_irq_in", module="usbhid", fields={"urb": "%r0"}))
told = role("event told", Kprobe("input_event", fields={"kind": "%r1", "code": "%r2", "value": "%r3:s32"}))
arrived = given_back.where(status=0)  # not those that are called back when the device is closed
frame_told = told.where(kind=0, code=0)  # SYN_REPORT

each_urb_comes_back = contract("each URB comes back before it is submitted again", pair(submitted, given_back, "urb"))

reports_come_evenly = contract(
    "reports come at the endpoint's interval, give or take two frames of the bus",
    jitter(arrived, period=limit("interval"), at_most="2 ms"),
)

reports_come_fast_enough = contract("at least 125 reports come a second", rate(arrived, at_least="125 /s"))

reports_are_told_at_once = contract(
    "each report is told to the input layer at once", latency(fetched, frame_told, median="1 ms", max="10 ms"),
)

"""A USB mouse: its interrupt endpoint is polled at an even rate, and each report reaches the input layer at once.

Bind `interval` to the endpoint's. Neither the USB core nor HID has tracepoints, so functions are probed.
Ref: drivers/usb/core/hcd.c, drivers/hid/usbhid/hid-core.c
"""
from drivers.contract import Kprobe, contract, jitter, latency, limit, pair, rate, role

submitted = role("URB submitted", Kprobe("usb_hcd_submit_urb", fields={"urb": "%r0"}))
given_back = role("URB given back", Kprobe("usb_hcd_giveback_urb", fields={"urb": "%r1", "status": "%r2:s32"}))
received = role("report received", Kprobe("hid_irq_in", module="usbhid", fields={"urb": "%r0"}), event="report_fetched")
reported = role("input event", Kprobe("input_event", fields={"kind": "%r1", "code": "%r2", "value": "%r3:s32"}),
                event="event_told")
completed = given_back.where(status=0)  # not those that are cancelled when the device is closed
synchronised = reported.where(kind=0, code=0)  # EV_SYN, SYN_REPORT

each_urb_is_given_back = contract("each URB is given back before it is submitted again",
                                  pair(submitted, given_back, "urb"))

reports_come_evenly = contract(
    "reports come at the endpoint's interval, give or take two USB frames",
    jitter(completed, period=limit("interval"), at_most="2 ms"),
)

reports_come_fast_enough = contract("at least 125 reports come per second", rate(completed, at_least="125 /s"))

reports_reach_the_input_layer = contract(
    "each report reaches the input layer at once", latency(received, synchronised, median="1 ms", max="10 ms"),
)

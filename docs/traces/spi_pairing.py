"""SPI: each message completes with every requested byte, and each of its transfers completes.

For any SPI controller: the events are the SPI core's own.   Ref: include/trace/events/spi.h
"""
from drivers.contract import Tracepoint, all_equal, contract, latency, order, pair

submitted = Tracepoint("spi:spi_message_submit")
started = Tracepoint("spi:spi_message_start")
done = Tracepoint("spi:spi_message_done")
transfer_started = Tracepoint("spi:spi_transfer_start")
transfer_stopped = Tracepoint("spi:spi_transfer_stop")

each_message_completes = contract(
    "each message is started and completes",
    order(submitted, started, done, key="msg") & pair(submitted, done, key="msg", within="2 s"),
)

no_byte_is_missing = contract("each message transfers every requested byte", all_equal(done, "frame", "actual"))


@contract
def each_transfer_completes_soon():
    """A transfer of 64 bytes at 50 kHz takes 10 ms on the wire."""
    return pair(transfer_started, transfer_stopped, key="xfer") & latency(
        transfer_started, transfer_stopped, key="xfer", median="100 ms", max="1 s")

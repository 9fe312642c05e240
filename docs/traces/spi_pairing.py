"""SPI: each message ends, with every byte that it asked for, and so does each transfer in it.

Any SPI controller: the events are the SPI core's own.   Ref: include/trace/events/spi.h
"""
from drivers.contract import Tracepoint, all_equal, contract, latency, order, pair

submitted = Tracepoint("spi:spi_message_submit")
begun = Tracepoint("spi:spi_message_start")
done = Tracepoint("spi:spi_message_done")
transfer_begins = Tracepoint("spi:spi_transfer_start")
transfer_ends = Tracepoint("spi:spi_transfer_stop")

each_message_ends = contract(
    "each message is begun and ends",
    order(submitted, begun, done, key="msg") & pair(submitted, done, key="msg", within="2 s"),
)

no_byte_is_missing = contract("each message moves every byte that it asked for", all_equal(done, "frame", "actual"))


@contract
def each_transfer_ends_soon():
    """A transfer of 64 bytes at 50 kHz takes 10 ms on the wire."""
    return pair(transfer_begins, transfer_ends, key="xfer") & latency(
        transfer_begins, transfer_ends, key="xfer", median="100 ms", max="1 s")

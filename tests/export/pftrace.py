"""A .pftrace file as Perfetto's own protobuf classes read it."""
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace


def parsed(path):
    """The packets; what Perfetto's parsers insist on is there, and nothing that its protobuf does not know."""
    whole = Trace()
    whole.ParseFromString(path.read_bytes())
    known = Trace()
    known.CopyFrom(whole)
    known.DiscardUnknownFields()
    assert known.ByteSize() == whole.ByteSize()
    seen = set()
    for packet in whole.packet:
        assert packet.trusted_packet_sequence_id == 1
        if packet.HasField("track_descriptor"):
            uuid, parent = packet.track_descriptor.uuid, packet.track_descriptor.parent_uuid
            assert uuid not in seen and (not parent or parent in seen)
            seen.add(uuid)
        else:
            assert packet.timestamp and packet.track_event.track_uuid in seen
    return whole.packet


def ends(packets):
    """(time, (group, track), event) of every event, in the order of the file; slices open and close in turn."""
    tracks = {p.track_descriptor.uuid: p.track_descriptor for p in packets if p.HasField("track_descriptor")}
    names = {uuid: (tracks[one.parent_uuid].name if one.parent_uuid else "", one.name) for uuid, one in tracks.items()}
    found = [(p.timestamp, names[p.track_event.track_uuid], p.track_event)
             for p in packets if p.HasField("track_event")]
    depth = {}
    for _, track, event in sorted(found, key=lambda one: one[0]):
        depth[track] = depth.get(track, 0) + {1: 1, 2: -1}.get(event.type, 0)
        assert depth[track] >= 0
    assert not any(depth.values())
    return found


def values(event):
    """An event's fields as they were given."""
    return {note.name: getattr(note, note.WhichOneof("value")) for note in event.debug_annotations}

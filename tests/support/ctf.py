# SPDX-License-Identifier: MIT
"""A trace's bytes, for tests that change them: segments, chunks, packets and Records, as docs/records.md and
lib/spool/trace/ctf.hpp have them. Shares no code with the recorder or with unspool."""
import pathlib
import re
import struct

HEADER = 96
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "p16": 2, "p32": 4, "p64": 8, "i8": 1, "i16": 2, "i32": 4, "i64": 8,
         "f32": 4, "f64": 8, "boolean": 1, "pointer": 8}
STATUS_HEADER, STATUS_ENTRY, STATUS_HOLDS = 64, 512, 18


class Record:
    """Where it stands, and its header. Fields are read and written by name."""

    def __init__(self, chunk, start, thread, definition, record_class):
        self.chunk, self.start, self.thread, self.definition = chunk, start, thread, definition
        self.name, self.fields = record_class
        self.end = start
        self.places = {}

    @property
    def time(self):
        return struct.unpack_from("<Q", self.chunk.bytes, self.start)[0]

    @time.setter
    def time(self, value):
        struct.pack_into("<Q", self.chunk.bytes, self.start, value)

    @property
    def id(self):
        return struct.unpack_from("<H", self.chunk.bytes, self.start + 8)[0]

    @property
    def object(self):
        return struct.unpack_from("<Q", self.chunk.bytes, self.start + 8)[0] >> 16

    @object.setter
    def object(self, value):
        struct.pack_into("<Q", self.chunk.bytes, self.start + 8, value << 16 | self.id)

    def set_id(self, value):
        struct.pack_into("<H", self.chunk.bytes, self.start + 8, value)

    def get(self, field):
        at, size = self.places[field]
        return int.from_bytes(self.chunk.bytes[at:at + size], "little")

    def put(self, field, value):
        at, size = self.places[field]
        self.chunk.bytes[at:at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


class Packet:
    """One of a chunk's chain."""

    def __init__(self, chunk, start):
        self.chunk, self.start = chunk, start
        (self.stream, self.content, self.size) = struct.unpack_from("<IQQ", chunk.bytes, start + 20)
        self.content //= 8
        self.size //= 8
        self.thread = struct.unpack_from("<I", chunk.bytes, start + 64)[0]

    def shift(self, ticks):
        begin = struct.unpack_from("<Q", self.chunk.bytes, self.start + 40)[0]
        struct.pack_into("<Q", self.chunk.bytes, self.start + 40, begin + ticks)

    def set_content(self, length):
        """What is committed of it ends there, counted from its start."""
        struct.pack_into("<Q", self.chunk.bytes, self.start + 24, length * 8)
        self.content = length

    def records(self, at=None):
        """From this byte of the chunk on."""
        data, end = self.chunk.bytes, self.start + self.content
        at = self.start + HEADER if at is None else at
        while (at + 7) // 8 * 8 + 16 <= end:
            at = (at + 7) // 8 * 8
            number = struct.unpack_from("<H", data, at + 8)[0]
            record = Record(self.chunk, at, self.thread, self.stream == 1, self.chunk.classes[self.stream, number])
            at += 16
            for name, size, aligned in record.fields:
                if isinstance(size, str):  # a text, counted by the field of that name
                    size = record.get(size)
                elif aligned:
                    at = (at + size - 1) // size * size
                record.places[name] = (at, size)
                at += size
            record.end = at
            yield record


class Chunk:
    """A stream file."""

    def __init__(self, path, classes):
        self.path, self.classes = path, classes
        self.bytes = bytearray(path.read_bytes())

    def packets(self):
        at = 0
        while at + HEADER <= len(self.bytes):
            packet = Packet(self, at)
            if packet.size < HEADER:
                return
            yield packet
            at += packet.size

    def write(self):
        self.path.write_bytes(self.bytes)


def classes_in(metadata):
    """(stream, id) -> (name, [(field, size or the field that counts it, whether it is aligned)])."""
    text, at = b"", 0
    while at + 37 <= len(metadata):  # packets
        content, size = struct.unpack_from("<II", metadata, at + 24)
        text += metadata[at + 37:at + content // 8]
        at += size // 8
    classes = {}
    pattern = rb'event \{ name = (".*?"); id = (\d+); stream_id = (\d+);.*?fields := struct \{(.*?)\}(?: align\(\d+\))?; \};'
    for name, number, stream, body in re.findall(pattern, text):
        fields = []
        body = re.sub(rb"typealias .*?\} := \w+;", b"", body)
        for kind, field, count in re.findall(rb"(\w+) (\w+)(?:\[(\w+)\])?;", body):
            kind, field, count = kind.decode(), field.decode(), count.decode()
            if count and not count.isdigit():
                fields.append((field, count, False))
            elif count:
                fields.append((field, int(count), False))
            else:
                size = SIZES.get(kind) or (4 if kind.endswith("f32") else 8)
                fields.append((field, size, kind[0] == "u" and kind != "u8"))
        classes[int(stream), int(number)] = (name.decode().strip('"'), fields)
    return classes


class Trace:
    """A trace directory, in memory; write() puts back what was changed."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.segments = sorted(each for each in self.path.iterdir() if each.is_dir() and each.name.isdigit())
        self.chunks = []
        for segment in self.segments:
            classes = classes_in((segment / "metadata").read_bytes())
            self.chunks += [Chunk(path, classes) for path in sorted(segment.glob("stream-*"))]
        status = self.path / ".status"
        self.status = bytearray(status.read_bytes()) if status.exists() else bytearray()

    def packets(self):
        for chunk in self.chunks:
            yield from chunk.packets()

    def records(self):
        """Of threads; definitions are none."""
        for packet in self.packets():
            if packet.stream == 0 and packet.thread != 0:
                yield from packet.records()

    def threads(self):
        return sorted({packet.thread for packet in self.packets() if packet.stream == 0 and packet.thread != 0})

    def status_entries(self):
        return range(STATUS_HEADER, len(self.status) - STATUS_ENTRY + 1, STATUS_ENTRY)

    def write(self):
        for chunk in self.chunks:
            chunk.write()
        if self.status:
            (self.path / ".status").write_bytes(self.status)


def layout(record_class):
    """(length, where `since` stands or None) of Records of a class that has no texts; else None. Traces have millions."""
    at, since = 16, None
    for name, size, aligned in record_class[1]:
        if isinstance(size, str):
            return None
        if aligned:
            at = (at + size - 1) // size * size
        if name == "since":
            since = at
        at += size
    return at, since


def shift_records(packet, ticks):
    number_of = struct.Struct("<QH").unpack_from
    ticks_of, put_ticks = struct.Struct("<Q").unpack_from, struct.Struct("<Q").pack_into
    data, classes = packet.chunk.bytes, packet.chunk.classes
    layouts = {number: layout(each) for (stream, number), each in classes.items() if stream == packet.stream}
    at, end = packet.start + HEADER, packet.start + packet.content
    while (at + 7) // 8 * 8 + 16 <= end:
        at = (at + 7) // 8 * 8
        time, number = number_of(data, at)
        put_ticks(data, at, time + ticks)
        known = layouts[number]
        if known is None:
            at = next(packet.records(at)).end
            continue
        if known[1] is not None:
            put_ticks(data, at + known[1], ticks_of(data, at + known[1])[0] + ticks)
        at += known[0]


def shift_clocks(path, shifts):
    """All that a thread has read from its clock is `shifts[thread]` ticks later: times of Records, begins of packets, and
    since when it waits and holds, in Records and in the status file."""
    trace = Trace(path)
    for packet in trace.packets():
        if packet.stream != 0 or packet.thread == 0:
            continue
        packet.shift(shifts.get(packet.thread, 0))
        shift_records(packet, shifts.get(packet.thread, 0))
    for at in trace.status_entries():
        thread, depth = struct.unpack_from("<II", trace.status, at + 4)
        places = [at + 24] + [at + 80 + 24 * hold + 8 for hold in range(min(depth, STATUS_HOLDS))]
        for place in places:
            since = struct.unpack_from("<Q", trace.status, place)[0]
            if since != 0:
                struct.pack_into("<Q", trace.status, place, since + shifts.get(thread, 0))
    trace.write()

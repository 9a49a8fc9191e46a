# SPDX-License-Identifier: MIT
"""Figures about locks, counted from the lines of `unspool cat --format json` and from nothing else.

Written from the words of docs/design.md, so that a fault of the tool's own replay has no part in it. All times are
integers of clock ticks, but for `spun`, which the lines have in nanoseconds. A wait is the span from a thread's first block to its acquire, timeout or cancel; a hold the
span from acquire to release; what no hold covers of a wait is hand-over.

One thing is not sharp. The lock is taken a moment before the acquire is written, and a release has its number a moment
before its time; when a thread is descheduled just then, a block that names the owner stands on the other side of that
Record in the order than in time. How long such moments were in all is counted as `doubt`.
"""
import bisect
import collections


def site_of(record):
    return f"{record['code.filepath']}:{record['code.lineno']}"


class Wait:
    def __init__(self, block):
        self.thread = block["thread.id"]
        self.site = site_of(block)
        self.since = block["ticks"]
        self.until = None
        self.named = []     # (time, owner, quoted seq) of each of its blocks

    def span(self):
        return self.until - self.since


class Hold:
    def __init__(self, acquire):
        self.who = (acquire["thread.id"], site_of(acquire))
        self.since = acquire["ticks"]
        self.until = None

    def span(self):
        return self.until - self.since


class Lock:
    """One instance."""

    def __init__(self):
        self.holder = None     # the Hold that goes on
        self.waiting = {}      # thread: the Wait that goes on
        self.holds = []        # all, in order
        self.hold_of = {}      # seq of its acquire: Hold
        self.waits = []        # those that ended
        self.last_seq = 0
        self.figures = collections.Counter()

    def feed(self, record):
        getattr(self, record["record"].split(".")[1])(record)

    def advance(self, record):
        assert record["seq"] == self.last_seq + 1, f"{record['place']}: seq {record['seq']} after {self.last_seq}"
        self.last_seq = record["seq"]

    def block(self, record):
        thread = record["thread.id"]
        self.figures["futile_wakes"] += thread in self.waiting
        wait = self.waiting.setdefault(thread, Wait(record))
        wait.named.append((record["ticks"], record["owner"], record["seq"]))

    def end_wait(self, record):
        wait = self.waiting.pop(record["thread.id"], None)
        if wait:
            wait.until = record["ticks"]
            self.waits.append(wait)
        return wait is not None

    def acquire(self, record):
        self.advance(record)
        assert self.holder is None, f"{record['place']}: acquired while held"
        waited = self.end_wait(record)
        self.holder = self.hold_of[record["seq"]] = Hold(record)
        self.holds.append(self.holder)
        self.figures["acquisitions"] += 1
        self.figures["contended"] += waited
        self.figures["spun"] += not waited and record["spun"] > 0
        self.figures["spun_time"] += record["spun"]

    def release(self, record):
        self.advance(record)
        self.figures["released_by_other"] += self.holder.who[0] != record["thread.id"]
        self.holder.until = record["ticks"]
        self.holder = None

    def busy(self, _record):
        self.figures["busy"] += 1

    def timeout(self, record):
        self.end_wait(record)
        self.figures["timeouts"] += 1

    def cancel(self, record):
        self.end_wait(record)
        self.figures["cancels"] += 1

    def destroy(self, record):
        self.advance(record)

    def shares(self):
        """Of the waits, the time that each (thread, site) held the lock meanwhile."""
        begins = [hold.since for hold in self.holds]
        shares = collections.Counter()
        for wait in self.waits:
            first = max(bisect.bisect_right(begins, wait.since) - 1, 0)
            for hold in self.holds[first:bisect.bisect_left(begins, wait.until)]:
                end = wait.until if hold.until is None else min(hold.until, wait.until)
                shares[hold.who] += max(0, end - max(hold.since, wait.since))
        return shares

    def doubt(self):
        """How much of the waits may be counted as a hold or as hand-over."""
        return sum(self.moment(*named) for wait in self.waits for named in wait.named)

    def moment(self, time, owner, seq):
        acquiring = self.hold_of.get(seq) or self.hold_of.get(seq + 1)
        releasing = self.hold_of.get(seq - 1)
        end = time
        if acquiring and acquiring.who[0] == owner:
            end = max(end, acquiring.since)
        if releasing and releasing.who[0] == owner and releasing.until is not None:
            end = max(end, releasing.until)
        others = sum(wait.since < end and time < wait.until for wait in self.waits) if end > time else 0
        return (end - time) * others


class Group:
    """All instances of one name and creation site."""

    def __init__(self):
        self.instances = 0
        self.figures = collections.Counter()
        self.waits = []
        self.unended = []
        self.holds = []
        self.holders = collections.Counter()
        self.doubt = 0
        self.waiters = collections.defaultdict(list)

    def add(self, lock, last):
        """`last`: the time of the trace's last Record."""
        self.instances += 1
        self.figures.update(lock.figures)
        self.waits += [wait.span() for wait in lock.waits]
        self.unended += [last - wait.since for wait in lock.waiting.values()]
        self.holds += [hold.span() for hold in lock.holds if hold.until is not None]
        self.holders.update(lock.shares())
        self.doubt += lock.doubt()
        for wait in lock.waits:
            self.waiters[(wait.thread, wait.site)].append(wait.span())


class Count:
    """Feed it every Record of one process, definitions too, in the order of `unspool cat`."""

    def __init__(self):
        self.records = 0
        self.definitions = 0
        self.times = [None, 0]
        self.locks = collections.defaultdict(Lock)
        self.created = {}   # object number: (name, "file:line")

    def feed(self, record):
        name = record["record"]
        if name.startswith("definition.") or name == "trace.cost":
            self.definitions += 1
            if name == "definition.object":
                self.created[record["object.id"]] = (record["name"], site_of(record))
            return
        self.records += 1
        self.times = [min(self.times[0] or record["ticks"], record["ticks"]), max(self.times[1], record["ticks"])]
        if name.startswith("lock."):
            self.locks[record["object.id"]].feed(record)

    def groups(self):
        groups = collections.defaultdict(Group)
        for number, lock in self.locks.items():
            groups[self.created[number]].add(lock, self.times[1])
        return dict(groups)

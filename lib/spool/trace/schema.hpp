// SPDX-License-Identifier: MIT
//
// WHAT a Record is: the one table from which ids, names, CTF metadata, text, JSON names and legality follow.
// A new kind of Record is one row here and one emit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace spool::trace {

/// What a Record is about. Numbers are part of the trace format: append, never renumber.
enum class Kind : std::uint8_t {
  trace = 0,       ///< the recording itself: losses, its end
  thread = 1,      ///< a thread's life, and joins
  lock = 2,        ///< spool::Lock
  condition = 3,   ///< spool::Condition
  status = 4,      ///< a thread's state, repeated at the head of each segment it writes
  message = 5,     ///< text from the user
  definition = 6,  ///< what the numbers mean, and what else no thread has written; the only kind in CTF stream class 1
  rlock = 7,       ///< spool::RLock
  shared_lock = 8,
  event = 9,
  semaphore = 10,
  bounded_semaphore = 11,
  barrier = 12,
  queue = 13,  ///< spool::Queue, LifoQueue and PriorityQueue
  pool = 14,   ///< spool::ThreadPool
  timer = 15,  ///< spool::Timer's waiting; its thread's life is Kind::thread
};
inline constexpr std::uint8_t kind_count = 16;

/// What happened. Numbers are part of the trace format: append, never renumber; at most 64.
enum class Verb : std::uint8_t {
  create = 0,
  start = 1,
  begin = 2,
  end = 3,
  block = 4,
  resume = 5,  ///< written "continue" everywhere but in C++, where that is a keyword
  acquire = 6,
  release = 7,
  busy = 8,  ///< a try that failed without waiting
  timeout = 9,
  cancel = 10,
  notify = 11,
  destroy = 12,
  hold = 13,
  wait = 14,
  loss = 15,
  text = 16,
  thread = 17,
  object = 18,
  site = 19,
  clock = 20,
  mode = 21,
  enter = 22,  ///< a nested acquire by the owner
  leave = 23,
  block_shared = 24,
  acquire_shared = 25,
  release_shared = 26,
  busy_shared = 27,
  set = 28,
  clear = 29,
  trip = 30,    ///< the last party came: a barrier lets all go
  abort = 31,   ///< somebody broke a barrier, or stopped a timer
  broken = 32,  ///< a wait ended because the barrier is broken
  reset = 33,
  put = 34,
  get = 35,
  done = 36,  ///< an item, or a task's result, has been dealt with
  shutdown = 37,
  closed = 38,  ///< a call found the queue shut down
  submit = 39,
  drop = 40,     ///< a task left the queue without being run
  orphan = 41,   ///< the owner, or all workers, stayed behind in the parent of a fork
  refuse = 42,   ///< the system made no thread
  process = 43,  ///< which process wrote a log; a trace says it in its metadata
  stack = 44,    ///< a call stack
  frame = 45,    ///< one call in it
  cost = 46,     ///< what the recording has cost
};

/// How a field stands in the file. Integers are little-endian. In a transition (`Row::packed == false`) an
/// integer is aligned to its size, which the table arranges without padding; in all others fields follow each
/// other byte by byte. A text is a u32 count of bytes, then that many bytes of UTF-8.
enum class Type : std::uint8_t { u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, boolean, text };

/// What a field's number stands for, so that readers need not know names.
enum class Means : std::uint8_t {
  value,
  site,      ///< a SiteNumber
  sequence,  ///< the object's Sequence
  thread,    ///< a ThreadNumber
  object,    ///< an ObjectNumber
  ticks,     ///< a span or a point in ticks
  // Of a message's arguments alone:
  character,  ///< a char, as u8
  pointer,    ///< an address, as u64
  duration,   ///< a count of `period`s
};

/// What one unit of a duration is, in seconds: numerator / denominator, as std::ratio has them.
struct Period {
  std::uint32_t numerator = 1;
  std::uint32_t denominator = 1;
  bool operator==(const Period&) const = default;
};

struct Field {
  std::string_view name;
  Type type = Type::u32;
  Means means = Means::value;
  Period period = {};  ///< of a duration
};

/// What a Record does to its thread and object. The analyzer's state machines run on this alone.
enum class Effect : std::uint8_t {
  none,
  wait,     ///< a wait begins, or goes on with another owner
  acquire,  ///< a hold begins; a wait for the object, if any, has ended
  release,  ///< a hold ends
  resume,   ///< a wait has ended and nothing is held
  fail,     ///< a wait, or a try, has ended without success
  share,    ///< a shared hold begins; a wait for the object, if any, has ended
  unshare,  ///< a shared hold ends
  take,     ///< a permit is taken; a wait for the object, if any, has ended
  give,     ///< permits are given, by whomever
};

/// What else than its object can end a wait.
enum class WaitLimit : std::uint32_t {
  unknown = 0,  ///< written by a version that did not say it
  none = 1,
  deadline = 2,  ///< and perhaps a stop too
  stop = 3,      ///< a std::stop_token
};

/// A set of verbs.
struct Verbs {
  std::uint64_t bits = 0;
  constexpr bool has(Verb verb) const { return (bits >> static_cast<unsigned>(verb) & 1U) != 0; }
};

template <class... V>
constexpr Verbs verbs(V... verb) {
  return {((std::uint64_t{1} << static_cast<unsigned>(verb)) | ... | 0U)};
}

inline constexpr std::size_t max_fields = 8;

struct Row {
  Kind kind;
  Verb verb;
  std::string_view name;  ///< in text, in JSON and as the CTF event name
  Effect effect;
  bool advances;  ///< advances the object's sequence; otherwise quotes the last one seen
  bool packed;    ///< fields stand byte by byte
  Verbs next;     ///< what the same thread may do next to the same object; empty: anything its row allows at rest
  std::array<Field, max_fields> field_array;
  std::uint8_t field_count;
  WaitLimit limit = WaitLimit::none;  ///< of the wait that begins

  constexpr std::span<const Field> fields() const { return {field_array.data(), field_count}; }
};

/// The number of a row in the file: event.header's `id`.
constexpr std::uint16_t record_id(Kind kind, Verb verb) {
  return static_cast<std::uint16_t>(static_cast<unsigned>(kind) << 6 | static_cast<unsigned>(verb));
}

/// That of a begin of a wait. A Timer's always has an end, and no row of its own for that.
constexpr std::uint16_t wait_id(Kind kind, Verb verb, WaitLimit limit) {
  const bool limited = kind != Kind::timer && (limit == WaitLimit::deadline || limit == WaitLimit::stop);
  const unsigned group = limited ? static_cast<unsigned>(limit) - static_cast<unsigned>(WaitLimit::none) : 0;
  return static_cast<std::uint16_t>(group << 10 | record_id(kind, verb));
}

/// The limit of a wait that a Record with this number began.
constexpr WaitLimit limit_of(std::uint32_t wait_id) {
  const std::uint32_t group = wait_id >> 10U & 3U;
  return static_cast<WaitLimit>(std::min(group + 1, 3U));
}

/// The verb of that Record.
constexpr Verb verb_of(std::uint32_t wait_id) {
  return static_cast<Verb>(wait_id & 63U);
}

constexpr std::uint16_t record_id(const Row& row) {
  return wait_id(row.kind, row.verb, row.limit);
}

/// Message classes (one a message site) have the ids from here up; what they mean stands in the metadata only.
inline constexpr std::uint16_t first_message_class = 4096;

/// Every row. Thread-safe: constant.
std::span<const Row> rows();

/// The row with this name, or nullptr. Readers go by name: ids are the file's own.
const Row* row_named(std::string_view name);

/// The row of a kind and verb, or nullptr.
const Row* row_of(Kind kind, Verb verb);

/// The row of a number that record_id gave, or nullptr. Only for Records of this very program: a file's ids are its
/// own.
const Row* row_of_id(std::uint16_t id);

/// "lock", "thread", ...
std::string_view name_of(Kind kind);

/// The kind with this name; Kind::trace when there is none.
Kind kind_named(std::string_view name);

/// What a thread may do to an object of this kind when it is in no wait for it.
Verbs at_rest(Kind kind);

/// The severities of messages, and the CTF loglevel each is written as.
enum class Level : std::uint8_t { trace = 0, debug = 1, info = 2, warning = 3, error = 4, critical = 5, off = 6 };
std::string_view name_of(Level level);
int ctf_loglevel(Level level);
Level level_of_ctf(int loglevel);

/// Which transitions are recorded. Stands in `definition.mode` Records.
/// `long_waits` (in text: "long") is `contended` for waits that last.
enum class Mode : std::uint8_t { off = 0, contended = 1, all = 2, long_waits = 3 };
inline constexpr std::uint8_t mode_count = 4;

/// Only what had to wait makes a Record.
constexpr bool is_contended(Mode mode) {
  return mode == Mode::contended || mode == Mode::long_waits;
}
std::string_view name_of(Mode mode);

/// Why Records were lost: `trace.loss`.
enum class LossReason : std::uint8_t {
  no_space = 0,   ///< no chunk could be had: disk full, or the writers outran what could be made
  no_stream = 1,  ///< the thread could get no stream of its own
  reentered = 2,  ///< a signal handler emitted while its thread was inside an emit
  shut_down = 3,  ///< after the recording had ended
  lapped = 4,     ///< a sink was too slow and its Records were recycled
  failed = 5,     ///< a sink did not take them, however often it was asked
  truncated = 6,  ///< another process has truncated the file; at 32 bytes a Record, as transitions have
};
std::string_view name_of(LossReason reason);

/// Where a thread comes from: `definition.thread`.
enum class Origin : std::uint8_t { main = 0, spool = 1, foreign = 2, internal = 3 };
std::string_view name_of(Origin origin);

/// How a thread ended: `thread.end`.
enum class Outcome : std::uint8_t { returned = 0, exception = 1 };

/// The version of the trace format, in the metadata's env block. A reader refuses a greater major.
inline constexpr int format_major = 1;
inline constexpr int format_minor = 1;

}  // namespace spool::trace

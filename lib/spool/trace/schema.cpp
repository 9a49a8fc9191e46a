// SPDX-License-Identifier: MIT
#include <spool/trace/schema.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace spool::trace {
namespace {

constexpr Field site{"site", Type::u32, Means::site};
constexpr Field seq{"seq", Type::u32, Means::sequence};
constexpr Field owner{"owner", Type::u32, Means::thread};
constexpr Field owner_site{"owner_site", Type::u32, Means::site};
constexpr Field waker{"waker", Type::u32, Means::thread};
constexpr Field waker_site{"waker_site", Type::u32, Means::site};
constexpr Field since{"since", Type::u64, Means::ticks};
constexpr Field name{"name", Type::text};

constexpr Field number(std::string_view text, Type type = Type::u32) {
  return {text, type, Means::value};
}

constexpr Row row(Kind kind, Verb verb, std::string_view text, Effect effect, bool advances, Verbs next,
                  std::initializer_list<Field> fields, bool packed = false) {
  Row made{kind, verb, text, effect, advances, packed, next, {}, static_cast<std::uint8_t>(fields.size()), {}};
  made.limit = WaitLimit::none;
  std::copy(fields.begin(), fields.end(), made.field_array.begin());
  return made;
}

constexpr bool advances = true;
constexpr bool quotes = false;
constexpr bool packed = true;
constexpr Verbs any{};
constexpr Verbs in_lock_wait = verbs(Verb::block, Verb::acquire, Verb::timeout, Verb::cancel);
constexpr Verbs in_wait = verbs(Verb::block, Verb::resume, Verb::timeout, Verb::cancel);
constexpr Verbs in_shared_wait = verbs(Verb::block_shared, Verb::acquire_shared, Verb::timeout, Verb::cancel);
constexpr Verbs in_barrier_wait = verbs(Verb::resume, Verb::timeout, Verb::cancel, Verb::broken);
constexpr Verbs in_queue_wait = verbs(Verb::put, Verb::get, Verb::resume, Verb::timeout, Verb::cancel, Verb::closed);
constexpr Verbs in_pool_wait =
    verbs(Verb::submit, Verb::begin, Verb::resume, Verb::timeout, Verb::cancel, Verb::closed);
constexpr Verbs in_timer_wait = verbs(Verb::resume, Verb::cancel);
constexpr Verbs nothing_more = verbs(Verb::destroy);

// clang-format off
constexpr std::array plain_rows{
    // ── the recording
    row(Kind::trace, Verb::loss, "trace.loss", Effect::none, quotes, any,
        {number("count", Type::u64), number("reason"), number("reserved")}),
    row(Kind::trace, Verb::end, "trace.end", Effect::none, quotes, any,
        {site, number("alive"), number("reserved_a"), number("reserved_b")}),
    // ── threads and joins; refuse: the system made no thread, `error` is its errno, and start may follow again; block
    // to continue is a join's wait, a join of an ended thread is a lone continue
    row(Kind::thread, Verb::create, "thread.create", Effect::none, advances, any,
        {site, seq, number("daemon"), number("reserved")}),
    row(Kind::thread, Verb::start, "thread.start", Effect::none, advances, any,
        {site, seq, number("reserved_a"), number("reserved_b")}),
    row(Kind::thread, Verb::refuse, "thread.refuse", Effect::none, advances, any,
        {site, seq, number("error"), number("reserved")}),
    row(Kind::thread, Verb::begin, "thread.begin", Effect::none, advances, any,
        {site, seq, {"creator", Type::u32, Means::thread}, number("native_id")}),
    row(Kind::thread, Verb::end, "thread.end", Effect::none, advances, nothing_more,
        {site, seq, number("outcome"), number("held")}),
    row(Kind::thread, Verb::block, "thread.block", Effect::wait, quotes, in_wait,
        {site, seq, owner, owner_site}),
    row(Kind::thread, Verb::resume, "thread.continue", Effect::resume, advances, any,
        {site, seq, waker, waker_site}),
    row(Kind::thread, Verb::timeout, "thread.timeout", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::thread, Verb::cancel, "thread.cancel", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    // ── Lock
    row(Kind::lock, Verb::block, "lock.block", Effect::wait, quotes, in_lock_wait,
        {site, seq, owner, owner_site}),
    row(Kind::lock, Verb::acquire, "lock.acquire", Effect::acquire, advances, any,
        {site, seq, waker, {"spun", Type::u32, Means::ticks}}),
    row(Kind::lock, Verb::release, "lock.release", Effect::release, advances, any,
        {site, seq, number("waiters"), owner}),
    row(Kind::lock, Verb::busy, "lock.busy", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::lock, Verb::timeout, "lock.timeout", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::lock, Verb::cancel, "lock.cancel", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::lock, Verb::orphan, "lock.orphan", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::lock, Verb::destroy, "lock.destroy", Effect::none, advances, nothing_more,
        {site, seq, owner, owner_site}),
    // ── Condition
    row(Kind::condition, Verb::block, "condition.block", Effect::wait, quotes, in_wait,
        {site, seq, number("waiters"), number("depth")}),
    row(Kind::condition, Verb::resume, "condition.continue", Effect::resume, quotes, any,
        {site, seq, waker, waker_site}),
    row(Kind::condition, Verb::timeout, "condition.timeout", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::condition, Verb::cancel, "condition.cancel", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::condition, Verb::notify, "condition.notify", Effect::none, advances, any,
        {site, seq, number("woken"), number("waiters")}),
    row(Kind::condition, Verb::destroy, "condition.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("waiters"), number("reserved")}),
    // ── RLock: a Lock, and in between its owner's nested acquires; `depth` is how often it is held afterwards
    row(Kind::rlock, Verb::block, "rlock.block", Effect::wait, quotes, in_lock_wait,
        {site, seq, owner, owner_site}),
    row(Kind::rlock, Verb::acquire, "rlock.acquire", Effect::acquire, advances, any,
        {site, seq, waker, {"spun", Type::u32, Means::ticks}}),
    row(Kind::rlock, Verb::enter, "rlock.enter", Effect::none, advances, any,
        {site, seq, number("depth"), number("reserved")}),
    row(Kind::rlock, Verb::leave, "rlock.leave", Effect::none, advances, any,
        {site, seq, number("depth"), number("reserved")}),
    row(Kind::rlock, Verb::release, "rlock.release", Effect::release, advances, any,
        {site, seq, number("waiters"), owner}),
    row(Kind::rlock, Verb::busy, "rlock.busy", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::rlock, Verb::timeout, "rlock.timeout", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::rlock, Verb::cancel, "rlock.cancel", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::rlock, Verb::orphan, "rlock.orphan", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::rlock, Verb::destroy, "rlock.destroy", Effect::none, advances, nothing_more,
        {site, seq, owner, owner_site}),
    // ── SharedLock: `owner` is the writer, 0 while readers hold it; `readers` is how many hold it afterwards
    row(Kind::shared_lock, Verb::block, "shared_lock.block", Effect::wait, quotes, in_lock_wait,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::acquire, "shared_lock.acquire", Effect::acquire, advances, any,
        {site, seq, waker, number("reserved")}),
    row(Kind::shared_lock, Verb::release, "shared_lock.release", Effect::release, advances, any,
        {site, seq, number("waiters"), owner}),
    row(Kind::shared_lock, Verb::busy, "shared_lock.busy", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::block_shared, "shared_lock.block_shared", Effect::wait, quotes, in_shared_wait,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::acquire_shared, "shared_lock.acquire_shared", Effect::share, advances, any,
        {site, seq, waker, number("readers")}),
    row(Kind::shared_lock, Verb::release_shared, "shared_lock.release_shared", Effect::unshare, advances, any,
        {site, seq, number("waiters"), number("readers")}),
    row(Kind::shared_lock, Verb::busy_shared, "shared_lock.busy_shared", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::timeout, "shared_lock.timeout", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::cancel, "shared_lock.cancel", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::orphan, "shared_lock.orphan", Effect::fail, quotes, any,
        {site, seq, owner, owner_site}),
    row(Kind::shared_lock, Verb::destroy, "shared_lock.destroy", Effect::none, advances, nothing_more,
        {site, seq, owner, owner_site}),
    // ── Event; a wait that passes is a lone continue that names the last setter
    row(Kind::event, Verb::set, "event.set", Effect::none, advances, any,
        {site, seq, number("woken"), number("was_set")}),
    row(Kind::event, Verb::clear, "event.clear", Effect::none, advances, any,
        {site, seq, number("was_set"), number("reserved")}),
    row(Kind::event, Verb::block, "event.block", Effect::wait, quotes, in_wait,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::event, Verb::resume, "event.continue", Effect::resume, quotes, any,
        {site, seq, waker, waker_site}),
    row(Kind::event, Verb::busy, "event.busy", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::event, Verb::timeout, "event.timeout", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::event, Verb::cancel, "event.cancel", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::event, Verb::destroy, "event.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("waiters"), number("reserved")}),
    // ── Semaphore and BoundedSemaphore; `value` is what is left afterwards
    row(Kind::semaphore, Verb::acquire, "semaphore.acquire", Effect::take, advances, any,
        {site, seq, waker, number("value")}),
    row(Kind::semaphore, Verb::release, "semaphore.release", Effect::give, advances, any,
        {site, seq, number("count"), number("woken")}),
    row(Kind::semaphore, Verb::block, "semaphore.block", Effect::wait, quotes, in_lock_wait,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::semaphore, Verb::busy, "semaphore.busy", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::semaphore, Verb::timeout, "semaphore.timeout", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::semaphore, Verb::cancel, "semaphore.cancel", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::semaphore, Verb::destroy, "semaphore.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("value"), number("waiters")}),
    row(Kind::bounded_semaphore, Verb::acquire, "bounded_semaphore.acquire", Effect::take, advances, any,
        {site, seq, waker, number("value")}),
    row(Kind::bounded_semaphore, Verb::release, "bounded_semaphore.release", Effect::give, advances, any,
        {site, seq, number("count"), number("woken")}),
    row(Kind::bounded_semaphore, Verb::block, "bounded_semaphore.block", Effect::wait, quotes, in_lock_wait,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::bounded_semaphore, Verb::busy, "bounded_semaphore.busy", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::bounded_semaphore, Verb::timeout, "bounded_semaphore.timeout", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::bounded_semaphore, Verb::cancel, "bounded_semaphore.cancel", Effect::fail, quotes, any,
        {site, seq, number("waiters"), number("reserved")}),
    row(Kind::bounded_semaphore, Verb::destroy, "bounded_semaphore.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("value"), number("waiters")}),
    // ── Barrier; the last party does not wait: where there is an action it begins it, and then it trips the barrier
    row(Kind::barrier, Verb::block, "barrier.block", Effect::wait, quotes, in_barrier_wait,
        {site, seq, number("index"), number("generation")}),
    row(Kind::barrier, Verb::begin, "barrier.begin", Effect::none, quotes, any,
        {site, seq, number("others"), number("generation")}),
    row(Kind::barrier, Verb::trip, "barrier.trip", Effect::none, advances, any,
        {site, seq, number("woken"), number("generation")}),
    row(Kind::barrier, Verb::resume, "barrier.continue", Effect::resume, quotes, any,
        {site, seq, waker, waker_site}),
    row(Kind::barrier, Verb::timeout, "barrier.timeout", Effect::fail, advances, any,
        {site, seq, number("woken"), number("generation")}),
    row(Kind::barrier, Verb::cancel, "barrier.cancel", Effect::fail, advances, any,
        {site, seq, number("woken"), number("generation")}),
    row(Kind::barrier, Verb::broken, "barrier.broken", Effect::fail, quotes, any,
        {site, seq, waker, waker_site}),
    row(Kind::barrier, Verb::abort, "barrier.abort", Effect::none, advances, any,
        {site, seq, number("woken"), number("cause")}),
    row(Kind::barrier, Verb::reset, "barrier.reset", Effect::none, advances, any,
        {site, seq, number("woken"), number("generation")}),
    row(Kind::barrier, Verb::destroy, "barrier.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("waiters"), number("reserved")}),
    // ── Queue, LifoQueue, PriorityQueue; `what` is the call: 0 put, 1 get, 2 join; `size` is that afterwards;
    //    the waker of `closed` shut it down
    row(Kind::queue, Verb::block, "queue.block", Effect::wait, quotes, in_queue_wait,
        {site, seq, number("what"), number("size")}),
    row(Kind::queue, Verb::put, "queue.put", Effect::resume, advances, any,
        {site, seq, waker, number("size")}),
    row(Kind::queue, Verb::get, "queue.get", Effect::resume, advances, any,
        {site, seq, waker, number("size")}),
    row(Kind::queue, Verb::done, "queue.done", Effect::none, advances, any,
        {site, seq, number("unfinished"), number("woken")}),
    row(Kind::queue, Verb::resume, "queue.continue", Effect::resume, quotes, any,
        {site, seq, waker, waker_site}),
    row(Kind::queue, Verb::busy, "queue.busy", Effect::fail, quotes, any,
        {site, seq, number("what"), number("size")}),
    row(Kind::queue, Verb::timeout, "queue.timeout", Effect::fail, quotes, any,
        {site, seq, number("what"), number("size")}),
    row(Kind::queue, Verb::cancel, "queue.cancel", Effect::fail, quotes, any,
        {site, seq, number("what"), number("size")}),
    row(Kind::queue, Verb::shutdown, "queue.shutdown", Effect::none, advances, any,
        {site, seq, number("immediate"), number("woken")}),
    row(Kind::queue, Verb::closed, "queue.closed", Effect::fail, quotes, any,
        {site, seq, number("what"), waker}),
    row(Kind::queue, Verb::destroy, "queue.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("size"), number("waiters")}),
    // ── ThreadPool; tasks are numbered from 1 in each pool; `what` is what a wait is for: 0 room in the queue, 1 a
    //    task's result, 2 work (an idle worker), 3 the end of all tasks; the waker of `submit` made the room that was
    //    waited for, that of `closed` shut the pool down
    row(Kind::pool, Verb::submit, "pool.submit", Effect::resume, advances, any,
        {site, seq, number("task"), waker}),
    row(Kind::pool, Verb::begin, "pool.begin", Effect::resume, advances, any,
        {site, seq, number("task"), {"submitter", Type::u32, Means::thread}}),
    row(Kind::pool, Verb::end, "pool.end", Effect::none, advances, any,
        {site, seq, number("task"), number("outcome")}),
    row(Kind::pool, Verb::drop, "pool.drop", Effect::none, advances, any,
        {site, seq, number("task"), number("reserved")}),
    row(Kind::pool, Verb::block, "pool.block", Effect::wait, quotes, in_pool_wait,
        {site, seq, number("what"), number("task")}),
    row(Kind::pool, Verb::resume, "pool.continue", Effect::resume, quotes, any,
        {site, seq, waker, number("task")}),
    row(Kind::pool, Verb::busy, "pool.busy", Effect::fail, quotes, any,
        {site, seq, number("what"), number("task")}),
    row(Kind::pool, Verb::timeout, "pool.timeout", Effect::fail, quotes, any,
        {site, seq, number("what"), number("task")}),
    row(Kind::pool, Verb::cancel, "pool.cancel", Effect::fail, quotes, any,
        {site, seq, number("what"), number("task")}),
    row(Kind::pool, Verb::closed, "pool.closed", Effect::fail, quotes, any,
        {site, seq, number("what"), waker}),
    row(Kind::pool, Verb::orphan, "pool.orphan", Effect::fail, quotes, any,
        {site, seq, number("what"), number("task")}),
    row(Kind::pool, Verb::shutdown, "pool.shutdown", Effect::none, advances, any,
        {site, seq, number("queued"), number("dropped")}),
    row(Kind::pool, Verb::destroy, "pool.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("queued"), number("reserved")}),
    // ── Timer: the waiting of its thread, and who stopped it
    row(Kind::timer, Verb::block, "timer.block", Effect::wait, quotes, in_timer_wait,
        {site, seq, number("delay_ms"), number("reserved")}),
    row(Kind::timer, Verb::resume, "timer.continue", Effect::resume, advances, any,
        {site, seq, waker, waker_site}),
    row(Kind::timer, Verb::cancel, "timer.cancel", Effect::fail, quotes, any,
        {site, seq, waker, waker_site}),
    row(Kind::timer, Verb::abort, "timer.abort", Effect::none, advances, any,
        {site, seq, number("woken"), number("reserved")}),
    row(Kind::timer, Verb::destroy, "timer.destroy", Effect::none, advances, nothing_more,
        {site, seq, number("reserved_a"), number("reserved_b")}),
    // ── a thread's state, repeated where it enters a segment
    row(Kind::status, Verb::hold, "status.hold", Effect::none, quotes, any,
        {site, number("mode"), since}),
    row(Kind::status, Verb::wait, "status.wait", Effect::none, quotes, any,
        {site, owner, since, owner_site, number("begun_by")}),
    row(Kind::status, Verb::stack, "status.stack", Effect::none, quotes, any,
        {number("stack"), number("reserved")}),
    // ── text that was formatted where it was logged; typed messages have classes of their own
    row(Kind::message, Verb::text, "message", Effect::none, quotes, any,
        {site, number("level", Type::u8), {"logger", Type::text}, {"text", Type::text}}, packed),
    // ── what the numbers mean (stream class 1); a later one of the same number replaces an earlier
    row(Kind::definition, Verb::thread, "definition.thread", Effect::none, quotes, any,
        {number("native_id"), {"creator", Type::u32, Means::thread}, number("daemon", Type::u8),
         number("origin", Type::u8), name}, packed),
    row(Kind::definition, Verb::object, "definition.object", Effect::none, quotes, any,
        {site, number("kind", Type::u8), {"parent", Type::u64, Means::object}, name}, packed),
    row(Kind::definition, Verb::site, "definition.site", Effect::none, quotes, any,
        {{"number", Type::u32, Means::site}, number("line"), {"file", Type::text}, {"function", Type::text}}, packed),
    row(Kind::definition, Verb::clock, "definition.clock", Effect::none, quotes, any,
        {number("monotonic", Type::u64), number("realtime", Type::u64), number("boottime", Type::u64),
         number("frequency", Type::u64)}, packed),
    row(Kind::definition, Verb::mode, "definition.mode", Effect::none, quotes, any,
        {number("mode", Type::u8)}, packed),
    row(Kind::definition, Verb::wait, "definition.long_wait", Effect::none, quotes, any,
        {number("nanoseconds", Type::u64)}, packed),
    // A frame has as many of these as the compiler put functions into each other there: `inlined` 0 is the innermost.
    row(Kind::definition, Verb::frame, "definition.frame", Effect::none, quotes, any,
        {number("number"), number("inlined"), number("source_line"), number("offset", Type::u64),
         {"module", Type::text}, {"source_file", Type::text}, {"source_function", Type::text}}, packed),
    row(Kind::definition, Verb::stack, "definition.stack", Effect::none, quotes, any,
        {number("number"), number("frame"), number("caller")}, packed),
    // What the recording has cost since `since`, as totals; CPU in nanoseconds. In a trace only.
    row(Kind::definition, Verb::cost, "trace.cost", Effect::none, quotes, any,
        {since, number("records", Type::u64), number("bytes", Type::u64), number("lost", Type::u64),
         number("helped", Type::u64), number("keeper_cpu", Type::u64), number("dispatcher_cpu", Type::u64),
         number("archiver_cpu", Type::u64)}, packed),
    // In log lines only: of a trace the metadata says it.
    row(Kind::definition, Verb::process, "definition.process", Effect::none, quotes, any,
        {number("parent_pid"), {"started", Type::u64, Means::ticks}, {"program", Type::text}, {"host", Type::text},
         {"clock", Type::text}, {"version", Type::text}}, packed),
};
// clang-format on

constexpr bool can_be_limited(const Row& row) {
  return row.effect == Effect::wait && row.kind != Kind::timer;
}

constexpr std::size_t limited_waits = std::ranges::count_if(plain_rows, can_be_limited);

/// The name of a row and what stands behind it.
struct LongerName {
  std::array<char, 40> text{};
  std::size_t size = 0;

  constexpr LongerName() = default;
  constexpr LongerName(std::string_view front, std::string_view back) {
    for (const std::string_view part : {front, back}) {
      for (const char each : part)
        text[size++] = each;
    }
  }
};

constexpr std::array limits{std::pair{WaitLimit::deadline, std::string_view{"_timed"}},
                            std::pair{WaitLimit::stop, std::string_view{"_stoppable"}}};

constexpr auto longer_names = [] {
  std::array<LongerName, limited_waits * limits.size()> names;
  std::size_t count = 0;
  for (const Row& each : plain_rows) {
    for (const auto& [limit, suffix] : limits) {
      if (can_be_limited(each)) names[count++] = {each.name, suffix};
    }
  }
  return names;
}();

/// What begins a wait stands there once more for one with a deadline and for one that can be stopped: block Records have no
/// room for another field.
constexpr auto table = [] {
  std::array<Row, plain_rows.size() + longer_names.size()> rows{};
  std::size_t count = 0;
  std::size_t longer = 0;
  for (const Row& each : plain_rows) {
    rows[count++] = each;
    for (const auto& [limit, suffix] : limits) {
      if (!can_be_limited(each)) continue;
      Row& limited = rows[count++] = each;
      const LongerName& name_of_it = longer_names[longer++];
      limited.name = {name_of_it.text.data(), name_of_it.size};
      limited.limit = limit;
    }
  }
  return rows;
}();

constexpr std::array<std::string_view, kind_count> kind_names{
    "trace",       "thread", "lock",      "condition",         "status",  "message", "definition", "rlock",
    "shared_lock", "event",  "semaphore", "bounded_semaphore", "barrier", "queue",   "pool",       "timer"};
constexpr std::array<std::string_view, 7> level_names{"trace", "debug", "info", "warning", "error", "critical", "off"};
constexpr std::array<int, 7> ctf_levels{14, 7, 6, 4, 3, 2, 0};
constexpr std::array<std::string_view, mode_count> mode_names{"off", "contended", "all", "long"};
constexpr std::array<std::string_view, 7> reason_names{"no space", "no stream", "reentered", "shut down",
                                                       "lapped",   "failed",    "truncated"};
constexpr std::array<std::string_view, 4> origin_names{"main", "spool", "foreign", "internal"};

template <std::size_t N, class E>
std::string_view pick(const std::array<std::string_view, N>& names, E value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : std::string_view{"unknown"};
}

}  // namespace

std::span<const Row> rows() {
  return table;
}

const Row* row_named(std::string_view text) {
  const auto* found = std::ranges::find(table, text, &Row::name);
  return found == table.end() ? nullptr : found;
}

const Row* row_of(Kind kind, Verb verb) {
  const auto* found =
      std::ranges::find_if(table, [&](const Row& each) { return each.kind == kind && each.verb == verb; });
  return found == table.end() ? nullptr : found;
}

const Row* row_of_id(std::uint16_t id) {
  const auto* found = std::ranges::find_if(table, [&](const Row& each) { return record_id(each) == id; });
  return found == table.end() ? nullptr : found;
}

std::string_view name_of(Kind kind) {
  return pick(kind_names, kind);
}

Kind kind_named(std::string_view text) {
  const auto* found = std::ranges::find(kind_names, text);
  return found == kind_names.end() ? Kind::trace : static_cast<Kind>(found - kind_names.begin());
}

namespace {

/// Kinds whose waits may pass without a block: a join of an ended thread, an event that is set.
constexpr bool may_pass(Kind kind) {
  return kind == Kind::thread || kind == Kind::event || kind == Kind::queue || kind == Kind::pool;
}

}  // namespace

Verbs at_rest(Kind kind) {
  std::uint64_t bits = 0;
  for (const Row& each : table) {
    const bool only_in_wait =
        each.verb == Verb::timeout || each.verb == Verb::cancel || (each.verb == Verb::resume && !may_pass(kind));
    if (each.kind == kind && !only_in_wait) bits |= verbs(each.verb).bits;
  }
  return {bits};
}

std::string_view name_of(Level level) {
  return pick(level_names, level);
}

int ctf_loglevel(Level level) {
  return ctf_levels[static_cast<std::size_t>(level) % ctf_levels.size()];
}

Level level_of_ctf(int loglevel) {
  if (loglevel <= 2) return Level::critical;
  if (loglevel == 3) return Level::error;
  if (loglevel == 4) return Level::warning;
  if (loglevel <= 6) return Level::info;
  return loglevel <= 13 ? Level::debug : Level::trace;
}

std::string_view name_of(Mode mode) {
  return pick(mode_names, mode);
}
std::string_view name_of(LossReason reason) {
  return pick(reason_names, reason);
}
std::string_view name_of(Origin origin) {
  return pick(origin_names, origin);
}

}  // namespace spool::trace

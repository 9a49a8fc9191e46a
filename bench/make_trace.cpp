// SPDX-License-Identifier: MIT
//
// A trace of any size to be read in a measurement: threads that take locks of a common set, in a made-up time, so that
// the same arguments give the same bytes. Every Record is legal: `unspool check` finds nothing.
//
//   make_trace DIRECTORY RECORDS [THREADS=16] [LOCKS=1000] [PERCENT_CONTENDED=5]
#include <spool/trace/ctf.hpp>
#include <spool/trace/schema.hpp>

#include <fmt/format.h>
#include <unspool/builder.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace trace = spool::trace;
using trace::Kind;
using trace::Verb;
using unspool_test::ChunkBuilder;
using unspool_test::SegmentBuilder;

struct Plan {
  std::string directory;
  std::uint64_t records = 0;
  std::uint32_t threads = 16;
  std::uint32_t locks = 1000;
  std::uint32_t percent_contended = 5;
};

constexpr trace::SiteNumber lock_made_at = 1;
constexpr trace::SiteNumber first_site = 2;
constexpr std::uint32_t site_count = 40;
constexpr std::size_t chunk_bytes = std::size_t{4} << 20;
constexpr trace::Ticks never = ~trace::Ticks{0};

/// Writes the segments, each of which ends when the chunk of one thread is full.
class Writer {
 public:
  explicit Writer(const Plan& plan) : plan_{plan} {
    process_.program = "made";
    process_.hostname = "host";
    process_.pid = 1;
    process_.started = "2026-01-02T03:04:05Z";
    process_.clock = "tsc";
    begin_segment(1);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { end_segment(); }

  void put(trace::Ticks time, std::uint32_t thread, Verb verb, std::uint32_t lock, const std::uint32_t (&fields)[4]) {
    if (used_[thread] + sizeof(trace::Transition) > chunk_bytes) {
      end_segment();
      begin_segment(time);
    }
    used_[thread] += sizeof(trace::Transition);
    ++records_;
    char bytes[sizeof fields];
    std::memcpy(bytes, &fields, sizeof fields);
    chunks_[thread]->raw(time, trace::record_id(Kind::lock, verb), unspool_test::object_number(lock + 1),
                         {bytes, sizeof bytes});
  }

  std::uint64_t records() const { return records_; }

 private:
  void begin_segment(trace::Ticks time) {
    segment_ = std::make_unique<SegmentBuilder>(++number_, process_);
    segment_->define_clock(time, time, time, process_.frequency).define_mode(trace::Mode::all);
    segment_->define_site(lock_made_at, "../made.cpp", 10, "main");
    for (std::uint32_t i = 0; i < site_count; ++i)
      segment_->define_site(first_site + i, "../made.cpp", 100 + i, "work");
    for (std::uint32_t i = 0; i < plan_.locks; ++i)
      segment_->define_object(unspool_test::object_number(i + 1), Kind::lock, "", lock_made_at);
    chunks_.clear();
    for (std::uint32_t i = 0; i < plan_.threads; ++i) {
      segment_->define_thread(i + 1, i == 0 ? "MainThread" : fmt::format("worker-{}", i),
                              i == 0 ? trace::Origin::main : trace::Origin::spool, i == 0 ? 0 : 1);
      chunks_.push_back(&segment_->writer(i + 1, time));
    }
    used_.assign(plan_.threads, sizeof(trace::PacketHeader));
  }

  void end_segment() { segment_->write(fmt::format("{}/{:06}", plan_.directory, number_)); }

  const Plan& plan_;
  trace::Process process_;
  std::unique_ptr<SegmentBuilder> segment_;
  std::vector<ChunkBuilder*> chunks_;
  std::vector<std::size_t> used_;
  std::uint32_t number_ = 0;
  std::uint64_t records_ = 0;
};

/// The threads and locks: who wants what when.
class World {
 public:
  explicit World(const Plan& plan) : plan_{plan}, threads_(plan.threads), locks_(plan.locks) {
    for (Thread& each : threads_)
      each.next = random_(1, 1000);
  }

  void run(Writer& writer) {
    while (writer.records() < plan_.records)
      step(writer);
  }

 private:
  struct Thread {
    trace::Ticks next = 0;  ///< when it does something again
    std::uint32_t lock = 0;
    trace::SiteNumber site = 0;
    trace::ThreadNumber waker = 0;
    bool holds = false;
    bool waits = false;
  };
  struct Lock {
    std::uint32_t owner = 0;  ///< index + 1
    trace::SiteNumber site = 0;
    trace::Sequence sequence = 0;
    std::deque<std::uint32_t> waiters;
    bool reserved = false;  ///< the first waiter is about to take it
  };
  struct Random {
    std::uint32_t operator()(std::uint32_t low, std::uint32_t high) {
      return low + static_cast<std::uint32_t>(engine() % (high - low + 1));
    }
    std::minstd_rand engine{1};
  };

  void step(Writer& writer) {
    const auto index =
        static_cast<std::uint32_t>(std::ranges::min_element(threads_, {}, &Thread::next) - threads_.begin());
    Thread& thread = threads_[index];
    if (thread.holds) {
      release(writer, index, thread);
    } else if (thread.waits) {
      acquire(writer, index, thread);
    } else {
      want(writer, index, thread);
    }
  }

  void want(Writer& writer, std::uint32_t index, Thread& thread) {
    thread.lock = choose(index);
    thread.site = first_site + random_(0, site_count - 1);
    Lock& lock = locks_[thread.lock];
    if (lock.owner == 0 && !lock.reserved) return acquire(writer, index, thread);
    writer.put(thread.next, index, Verb::block, thread.lock, {thread.site, lock.sequence, lock.owner, lock.site});
    lock.waiters.push_back(index);
    thread.waits = true;
    thread.next = never;
  }

  /// A lock that is held, in so many of a hundred cases; any other is free.
  std::uint32_t choose(std::uint32_t index) {
    const bool contended = random_(1, 100) <= plan_.percent_contended;
    for (std::uint32_t tries = 0; contended && tries < 4 * plan_.threads; ++tries) {
      const std::uint32_t other = random_(0, plan_.threads - 1);
      if (other != index && threads_[other].holds) return threads_[other].lock;
    }
    for (;;) {
      const std::uint32_t lock = random_(0, plan_.locks - 1);
      if (locks_[lock].owner == 0 && !locks_[lock].reserved) return lock;
    }
  }

  void acquire(Writer& writer, std::uint32_t index, Thread& thread) {
    Lock& lock = locks_[thread.lock];
    writer.put(thread.next, index, Verb::acquire, thread.lock, {thread.site, ++lock.sequence, thread.waker, 0});
    lock.owner = index + 1;
    lock.site = thread.site;
    lock.reserved = false;
    thread.holds = true;
    thread.waits = false;
    thread.waker = 0;
    thread.next += random_(100, 2000);
  }

  void release(Writer& writer, std::uint32_t index, Thread& thread) {
    Lock& lock = locks_[thread.lock];
    const auto waiters = static_cast<std::uint32_t>(lock.waiters.size());
    writer.put(thread.next, index, Verb::release, thread.lock, {thread.site, ++lock.sequence, waiters, index + 1});
    lock.owner = 0;
    thread.holds = false;
    if (!lock.waiters.empty()) {
      Thread& next = threads_[lock.waiters.front()];
      lock.waiters.pop_front();
      lock.reserved = true;
      next.waker = index + 1;
      next.next = thread.next + random_(50, 500);
    }
    thread.next += random_(100, 3000);
  }

  const Plan& plan_;
  std::vector<Thread> threads_;
  std::vector<Lock> locks_;
  Random random_;
};

bool read(std::string_view word, auto& number) {
  return std::from_chars(word.data(), word.data() + word.size(), number).ptr == word.data() + word.size();
}

bool parse(std::span<char*> words, Plan& plan) {
  if (words.size() < 3 || words.size() > 6) return false;
  plan.directory = words[1];
  bool ok = read(words[2], plan.records);
  if (words.size() > 3) ok &= read(words[3], plan.threads) && plan.threads > 1;
  if (words.size() > 4) ok &= read(words[4], plan.locks) && plan.locks > plan.threads;
  if (words.size() > 5) ok &= read(words[5], plan.percent_contended) && plan.percent_contended <= 100;
  return ok;
}

}  // namespace

int main(int count, char** words) {
  Plan plan;
  if (!parse({words, static_cast<std::size_t>(count)}, plan)) {
    std::fputs(
        "make_trace DIRECTORY RECORDS [THREADS=16] [LOCKS=1000] [PERCENT_CONTENDED=5]; more locks than threads\n",
        stderr);
    return 2;
  }
  Writer writer{plan};
  World{plan}.run(writer);
  fmt::print("{} Records\n", writer.records());
  return 0;
}

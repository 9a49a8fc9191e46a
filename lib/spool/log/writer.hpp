// SPDX-License-Identifier: MIT
//
// A thread's own way into the trace, and the one emit path. Owns the fast path; what must happen when a chunk is full,
// a segment has changed or something is not yet defined is the recorder's.
//
// Invariants (numbered as in docs/recorder.md):
//   I2  a chunk has one writer: only the owner's slow path changes that, and the keeper takes it back only while the
//       owner is outside
//   I3  owner: store position, then load generation; keeper: store generation, barrier in all threads, load position.
//       At least one of the two sees the other.
//   A thread is inside an emit iff position != committed. (A mirror of content_size, so that nobody
//   has to read a packet that may have been taken away.)
#pragma once

#include <spool/log/identity.hpp>
#include <spool/log/object.hpp>
#include <spool/os/clock.hpp>
#include <spool/trace/ctf.hpp>
#include <spool/trace/status.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>

namespace spool::log {

struct CapturedStack;
struct Segment;
struct MessageSite;

/// The current segment's number; 0 while nothing is recorded.
inline std::atomic<std::uint32_t> generation{0};

/// Where seccomp forbids membarrier each emit pays a full fence instead. Set before the first Record.
inline std::atomic<bool> full_fence{false};

/// Needs the fence, or a clock other than the TSC: the fast path is not for this process. One test for both.
inline std::atomic<bool> is_unusual{false};

/// What an emit gives back to the primitive: when it happened and the number of the site.
struct Emitted {
  trace::Ticks time;
  trace::SiteNumber site;
};

/// A direct-mapped cache from a Site to its number in the current segment. 32 bytes: found by a shift.
struct alignas(32) SiteSlot {
  const char* file = nullptr;
  const char* function = nullptr;
  std::uint32_t line = 0;
  std::uint32_t generation = 0;
  trace::SiteNumber number = 0;

  /// Numbers hold for the whole trace; only a definition is a segment's.
  bool is_of(const Site& site) const { return is_at(site) && generation != 0; }
  bool is_at(const Site& site) const { return file == site.file && function == site.function && line == site.line; }
};

/// The same from a message site to its class.
struct MessageSlot {
  std::uint64_t digest = 0;  ///< of the MessageKey
  std::uint32_t generation = 0;
  trace::SiteNumber site = 0;
  std::uint16_t id = 0;
};

struct Writer {
  // Touched by each emit. `position` is the owner's; the keeper reads it.
  std::atomic<std::uint64_t> position{0};   ///< bytes of the packet, a claimed Record included
  std::atomic<std::uint64_t> committed{0};  ///< bytes of the packet that are whole
  std::atomic<std::uint64_t> limit{0};      ///< bytes the packet may have; 0: evicted, by the keeper under m
  std::byte* packet = nullptr;              ///< owner
  std::uint32_t generation = 0;             ///< owner: the segment that packet belongs to
  trace::ThreadNumber number = 0;
  std::atomic<trace::StatusEntry*> status{nullptr};  ///< moves to the status file when the recording starts
  std::int32_t holds = 0;                            ///< owner: locks taken less locks released, in every mode

  // The slow path's, under m.
  Segment* segment = nullptr;  ///< nullptr: evicted
  std::uint32_t chunk = 0;
  bool fresh = false;      ///< the packet is another thread's: chain one for this thread
  std::uint64_t lost = 0;  ///< owner: not yet told in a loss Record
  trace::LossReason lost_reason{};
  bool slow = false;           ///< owner: in the slow path; a signal handler that emits now loses its Record
  bool attached = false;       ///< a thread uses it
  std::uint32_t mixed_in = 0;  ///< the last segment that it has prepared a message in
  bool shares = false;         ///< in `generation` it has no chunk of its own: see Recorder::lease
  bool leased = false;         ///< owner: it may write one Record into the shared chunk, and holds m
  int exit_round = 0;          ///< owner: see attach.cpp
  std::shared_ptr<Identity> identity;
  std::array<std::atomic<const ObjectClass*>, trace::status_holds> held{};  ///< beside status->holds
  std::atomic<const ObjectClass*> waited{nullptr};                          ///< beside status->wait_object
  std::atomic<trace::ObjectNumber> waited_parent{0};
  trace::StatusEntry private_status{};  ///< where the status file has no room

  trace::StatusEntry& current_status() const noexcept {
    return *status.load(std::memory_order_acquire);  // acquire: partner is the release in Recorder::assign_status
  }

  /// What is known to be defined in `generation`, by number: saves the mutex when the same are quoted again.
  struct QuotedSlot {
    std::uint32_t number = 0;
    std::uint32_t generation = 0;
  };
  static constexpr std::size_t quoted_slots = 64;
  std::array<QuotedSlot, quoted_slots> quoted_threads{};
  std::array<QuotedSlot, quoted_slots> quoted_sites{};

  /// The number of a call stack, by its digest; 0: it has none, as there are too many.
  struct StackSlot {
    std::uint64_t digest = 0;
    std::uint32_t generation = 0;
    trace::StackNumber number = 0;
  };
  static constexpr std::size_t stack_slots = 16;
  std::array<StackSlot, stack_slots> stacks{};

  static constexpr std::size_t site_slots = 256;
  static constexpr std::size_t message_slots = 128;
  std::array<SiteSlot, site_slots> sites{};
  std::array<MessageSlot, message_slots> messages{};
};

/// The calling thread's writer, or nullptr before it first touched spool. (initial-exec: found without a call, also by
/// code that is made for a shared library. It takes 12 bytes of what glibc keeps for libraries that are loaded late.)
[[gnu::tls_model("initial-exec")]] extern constinit thread_local Writer* my_writer;
/// Its number, beside it: a lock's atomic operations take it, and wait for each load on the way there.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local trace::ThreadNumber my_number;

/// Gives the calling thread an identity and a writer. `identity` is empty for a thread that spool did not start.
Writer& attach(std::shared_ptr<Identity> identity);
/// Takes them away again: the thread ends.
void detach();

inline Writer& self() {
  Writer* writer = my_writer;
  if (writer == nullptr) [[unlikely]] {
    return attach({});
  }
  return *writer;
}

/// Neighbouring lines of a file have neighbouring slots; functions at one line, as a template makes them, have their
/// own by their names' addresses. (Two instructions that add and multiply, and one that divides.)
inline std::size_t site_slot(const Site& site) {
  const auto file = static_cast<std::uint32_t>(std::bit_cast<std::uintptr_t>(site.file));
  const auto function = static_cast<std::uint32_t>(std::bit_cast<std::uintptr_t>(site.function));
  return (file + (function + site.line * 4) * 8) / sizeof(SiteSlot) % Writer::site_slots;
}

/// What an emit needs to have defined in the current segment before it may write.
struct Need {
  std::uint64_t size = 0;
  Object* object = nullptr;
  const Site* site = nullptr;
  MessageSite* message = nullptr;
  trace::ThreadNumber thread = 0;        ///< a thread that the Record names (owner, waker), 0: none
  trace::SiteNumber quoted_site = 0;     ///< a site that it names (owner_site, waker_site), 0: none
  const CapturedStack* stack = nullptr;  ///< the call stack that it names
  bool claims = true;                    ///< false: the Record comes later
};

/// Makes room and definitions for `need`; finish() follows. False: the Record is lost, and has been counted.
bool prepare(Writer& writer, const Need& need) noexcept;

void end_lease(Writer& writer) noexcept;

/// After each Record that prepare made room for, and after each that could not be written in spite of it. A signal
/// handler that interrupted a Record under way leaves the lease to it.
inline void finish(Writer& writer) noexcept {
  // relaxed, both: our own
  if (writer.leased && writer.position.load(std::memory_order_relaxed) ==
                           writer.committed.load(std::memory_order_relaxed)) [[unlikely]] {
    end_lease(writer);
  }
}

/// Counts a Record that could not be written.
void count_loss(Writer& writer, trace::LossReason reason) noexcept;

/// Fenced: full_fence is looked at; without it the caller has looked at is_unusual.
enum class Fenced : std::uint8_t { yes, no };

/// One Record under way: the bytes between enter() and commit().
struct Emission {
  enum class Result : std::uint8_t { entered, refused, reentered };

  std::byte* packet = nullptr;
  std::byte* bytes = nullptr;
  std::uint64_t end = 0;

  /// Claims `size` bytes (ENTER). `refused`: full, evicted or another segment; `reentered`: a signal handler has
  /// interrupted an emit of its own thread. Then nothing is claimed.
  template <Fenced fenced = Fenced::yes>
  [[gnu::always_inline]] inline Result enter(Writer& writer, std::uint64_t size) noexcept {
    // relaxed, both: the owner's own; the keeper only reads them
    const std::uint64_t left = writer.position.load(std::memory_order_relaxed);
    if (left != writer.committed.load(std::memory_order_relaxed)) [[unlikely]] {
      return Result::reentered;
    }
    const std::uint64_t at = trace::align_record(left);
    end = at + size;
    // relaxed, then a compiler fence: the keeper's barrier_everywhere orders it before the next load (I3)
    writer.position.store(end, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if constexpr (fenced == Fenced::yes) {
      // relaxed: set before the first segment, which is seen in this generation or a later one
      if (full_fence.load(std::memory_order_relaxed)) os::full_fence();
    }
    // relaxed, both: see I3; `limit` is lowered only while we are outside
    const bool fits = end <= writer.limit.load(std::memory_order_relaxed) &&
                      writer.generation == generation.load(std::memory_order_relaxed);
    if (!fits) [[unlikely]] {
      leave(writer);
      return Result::refused;
    }
    packet = writer.packet;
    bytes = packet + at;
    return Result::entered;
  }

  /// Says that the Record is not as long as a transition (tally.hpp). Before commit. A typed message need not: the slow
  /// path that its thread takes in each segment has said it.
  void mark_mixed() const noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
    std::atomic_ref mixed{reinterpret_cast<trace::PacketHeader*>(packet)->mixed};
    mixed.store(1, std::memory_order_relaxed);  // relaxed: the release of commit comes after it
  }

  /// COMMIT, then LEAVE.
  [[gnu::always_inline]] inline void commit(Writer& writer) const noexcept {
    // release: partner is the acquire of whoever reads content_size (the drain, or any reader of the file)
    content_size(packet).store(end * 8, std::memory_order_release);
    // release: partner is the acquire in the keeper's close pass, which may then reuse the packet
    writer.committed.store(end, std::memory_order_release);
  }

  /// LEAVE without a Record.
  [[gnu::always_inline]] inline void leave(Writer& writer) const noexcept {
    // relaxed, both: our own, and the same as before enter(); the keeper's barrier orders the store
    writer.position.store(writer.committed.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }

  static std::atomic_ref<std::uint64_t> content_size(std::byte* packet) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
    return std::atomic_ref{reinterpret_cast<trace::PacketHeader*>(packet)->content_size};
  }
};

/// The number of a site, without a Record; 0 where it cannot be had now.
trace::SiteNumber number_of_site(Writer& writer, const Site& site) noexcept;

/// The site with this number; an empty one where there is none. Takes the recorder's mutex.
Site site_of_number(Writer& writer, trace::SiteNumber number) noexcept;

/// Another thread and a site of its that a Record names (owner, waker): they are defined first.
struct Quoted {
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;
};

/// Makes room and definitions ahead, so that the Record which is soon made under an inner lock takes the fast path.
/// Only when the segment changes in between does it not.
inline void make_ready(Writer& writer, Object& object, const Site& site) noexcept {
  // relaxed, all: hints; the emit looks again
  const std::uint64_t end = writer.position.load(std::memory_order_relaxed) + 2 * sizeof(trace::Transition);
  const SiteSlot& slot = writer.sites[site_slot(site)];
  const std::uint32_t segment = generation.load(std::memory_order_relaxed);
  const bool ready = end <= writer.limit.load(std::memory_order_relaxed) && writer.generation == segment &&
                     slot.is_of(site) && slot.generation == segment && object.is_defined(segment);
  if (!ready) [[unlikely]] {
    (void)prepare(writer, {.size = 2 * sizeof(trace::Transition), .object = &object, .site = &site, .claims = false});
  }
}

/// The same for a Record that will name another thread or a site of its, by emit_quoting.
void make_ready(Writer& writer, Object& object, const Site& site, const Quoted& quoted) noexcept;

/// The slow continuation of emit: tries again, and makes room and definitions where that fails.
Emitted emit_slowly(Writer& writer, std::uint16_t id, Object& object, const Site& site, trace::Sequence sequence,
                    std::uint32_t a, std::uint32_t b, const Quoted& quoted = {}) noexcept;

/// Eight bytes of a Record. (A Record put together on the stack and copied in one go stalls: the wide load does not get
/// its bytes from the narrow stores before it.)
[[gnu::always_inline]] inline void store_word(std::byte* to, std::uint64_t word) noexcept {
  std::memcpy(to, &word, sizeof word);
}

constexpr std::uint64_t two_words(std::uint32_t low, std::uint32_t high) {
  return std::uint64_t{high} << 32U | low;
}

/// So far ahead of the Record the cache line is fetched: a lock's release waits until what was stored before it has
/// one, and no processor fetches lines for stores early enough by itself. (Beyond the end of the mapping it is a hint
/// that does nothing.)
inline constexpr std::uint64_t prefetched_bytes = 1024;

/// One attempt; false when the slow path is due. `last_field` is called with the Record's time: so a span that ends
/// with the Record needs no clock reading of its own.
template <Fenced fenced, class LastField>
[[gnu::always_inline]] inline bool try_emit_with(Writer& writer, std::uint16_t id, const Object& object,
                                                 const Site& site, trace::Sequence sequence, std::uint32_t a,
                                                 LastField last_field, Emitted& out) noexcept {
  Emission emission;
  if (emission.enter<fenced>(writer, sizeof(trace::Transition)) != Emission::Result::entered) [[unlikely]] {
    return false;
  }
  const SiteSlot& slot = writer.sites[site_slot(site)];
  const std::uint32_t segment = writer.generation;
  const bool known = slot.file == site.file && slot.function == site.function && slot.line == site.line &&
                     slot.generation == segment && object.is_defined(segment);
  if (!known) [[unlikely]] {
    emission.leave(writer);
    return false;
  }
  const trace::SiteNumber site_number = slot.number;  // before the stores, which the compiler takes for stores into it
  const trace::Ticks now = fenced == Fenced::no ? os::ticks_of_tsc() : os::ticks();
  store_word(emission.bytes, now);
  store_word(emission.bytes + 8, trace::id_and_object(id, object.known_number()));
  store_word(emission.bytes + 16, two_words(site_number, sequence));
  store_word(emission.bytes + 24, two_words(a, last_field(now)));
  emission.commit(writer);
  __builtin_prefetch(emission.bytes + prefetched_bytes, 1);
  out = {now, site_number};
  return true;
}

template <Fenced fenced = Fenced::yes>
[[gnu::always_inline]] inline bool try_emit(Writer& writer, std::uint16_t id, const Object& object, const Site& site,
                                            trace::Sequence sequence, std::uint32_t a, std::uint32_t b,
                                            Emitted& out) noexcept {
  return try_emit_with<fenced>(
      writer, id, object, site, sequence, a, [b](trace::Ticks) { return b; }, out);
}

/// try_emit where the process is as usual, else false: inline it, and leave the rest to a slow path that tries again.
[[gnu::always_inline]] inline bool try_emit_fast(Writer& writer, std::uint16_t id, const Object& object,
                                                 const Site& site, trace::Sequence sequence, std::uint32_t a,
                                                 std::uint32_t b, Emitted& out) noexcept {
  // relaxed: set before the first segment
  if (is_unusual.load(std::memory_order_relaxed)) [[unlikely]] {
    return false;
  }
  return try_emit<Fenced::no>(writer, id, object, site, sequence, a, b, out);
}

/// Writes a transition. `a` and `b` are the row's third and fourth field. No lock, no allocation, no formatting and no
/// atomic read-modify-write, unless the slow path is due.
[[gnu::always_inline]] inline Emitted emit(Writer& writer, std::uint16_t id, Object& object, const Site& site,
                                           trace::Sequence sequence, std::uint32_t a, std::uint32_t b) noexcept {
  Emitted emitted{};
  if (try_emit_fast(writer, id, object, site, sequence, a, b, emitted)) [[likely]] {
    return emitted;
  }
  return emit_slowly(writer, id, object, site, sequence, a, b);
}

/// The same for a Record that names another thread, or a site of its: these are defined first.
Emitted emit_quoting(Writer& writer, std::uint16_t id, Object& object, const Site& site, trace::Sequence sequence,
                     std::uint32_t a, std::uint32_t b, const Quoted& quoted) noexcept;

}  // namespace spool::log

// SPDX-License-Identifier: MIT
#include <spool/os/spare_page.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <mutex>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace spool::os {
namespace {

/// A range in one word, so that the handler never sees half of one: | number of the first page : 40 | pages : 24 |. 0
/// is none.
constexpr unsigned pages_bits = 24;
constexpr std::uint64_t most_pages = (std::uint64_t{1} << pages_bits) - 1;

struct Slot {
  std::atomic<std::uint64_t> range{0};
  std::atomic<std::uint32_t> spares{0};
};

/// A ring of `keep` bytes has a mapping for each chunk, 30,000 at most.
constexpr std::size_t slots = 32'768;
constinit std::array<Slot, slots> table{};
constinit std::atomic<std::size_t> used{0};  ///< no slot behind it was ever taken
constinit std::atomic<std::uint64_t> all_spares{0};
constinit std::atomic<void (*)() noexcept> wake{nullptr};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::size_t>::is_always_lock_free);

/// What SIGBUS did before; written before our handler is there to read it.
struct sigaction before {};

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::uint64_t page_of(const void* address) noexcept {
  return std::bit_cast<std::uintptr_t>(address) / page_size();
}

/// The slot of the range that the page is in; nullptr: it is none of ours.
Slot* slot_of(std::uint64_t page) noexcept {
  const std::size_t end = used.load(std::memory_order_acquire);  // acquire: partner is the release in take_slot
  for (std::size_t i = 0; i < end; ++i) {
    const std::uint64_t range = table[i].range.load(std::memory_order_acquire);  // acquire: as above
    const std::uint64_t first = range >> pages_bits;
    if (range != 0 && page >= first && page - first < (range & most_pages)) return &table[i];
  }
  return nullptr;
}

/// A store would no longer fault: another thread has put a page there, or the file has grown again.
bool is_there(void* place) noexcept {
#ifndef MADV_POPULATE_WRITE
  constexpr int MADV_POPULATE_WRITE = 23;
#endif
  return madvise(place, page_size(), MADV_POPULATE_WRITE) == 0;  // a kernel before 5.14 says no
}

/// One thread at a time, or the second would take away what the first has written. All signals are blocked meanwhile.
class Turn {
 public:
  Turn() noexcept {
    while (taken.test_and_set(std::memory_order_acquire)) {}  // acquire: partner is the release in ~Turn
  }
  ~Turn() { taken.clear(std::memory_order_release); }  // release: partner is the acquire in Turn
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  static inline std::atomic_flag taken;
};

bool map_plain_page(void* place) noexcept {
  const Turn turn;
  if (is_there(place)) return true;
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  // The system call itself: a sanitizer's mmap takes the pages for new ones, and others' use of them for races.
  return syscall(SYS_mmap, place, page_size(), PROT_READ | PROT_WRITE, flags, -1, 0) != -1;
}

/// A thread that faults here is using the mapping, so it stays where it is meanwhile.
bool put_spare_page(const void* address) noexcept {
  const std::uint64_t page = page_of(address);
  Slot* const slot = slot_of(page);
  if (slot == nullptr) return false;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the page's address
  void* const place = std::bit_cast<void*>(static_cast<std::uintptr_t>(page * page_size()));
  if (!map_plain_page(place)) return false;
  slot->spares.fetch_add(1, std::memory_order_release);      // release: partner is the acquire in spare_pages
  all_spares.fetch_add(1, std::memory_order_release);        // release: partner is the acquire in spare_pages
  auto* const woken = wake.load(std::memory_order_acquire);  // acquire: partner is the release in survive_truncation
  if (woken != nullptr) woken();
  return true;
}

/// As if our handler were not there.
void pass_on(int signal, siginfo_t* about, void* context) noexcept {
  sigset_t mask = static_cast<const ucontext_t*>(context)->uc_sigmask;  // of the interrupted thread
  sigaddset(&mask, signal);
  for (int each = 1; each < NSIG; ++each) {
    if (sigismember(&before.sa_mask, each) == 1) sigaddset(&mask, each);
  }
  (void)pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, about, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(signal);
  const bool sent = about->si_code <= 0;  // by a process: it does not come again by itself
  if (before.sa_handler == SIG_IGN && sent) return;
  (void)sigaction(signal, &before, nullptr);
  if (sent) (void)raise(signal);  // when the handler returns
}

/// Async-signal-safe: atomics, mmap (a system call), and what `woken` does.
void on_bus_error(int signal, siginfo_t* about, void* context) noexcept {
  const int kept = errno;
  const bool ours = about->si_code > 0 && put_spare_page(about->si_addr);
  errno = kept;
  if (!ours) pass_on(signal, about, context);
}

std::size_t take_slot(std::uint64_t range) noexcept {
  for (std::size_t i = 0; i < slots; ++i) {
    std::uint64_t none = 0;
    // relaxed: a look; the exchange decides
    if (table[i].range.load(std::memory_order_relaxed) != 0) continue;
    table[i].spares.store(0, std::memory_order_relaxed);  // relaxed: published by the next store
    // release: partner is the acquire in slot_of; relaxed on failure: nothing was read
    if (!table[i].range.compare_exchange_strong(none, range, std::memory_order_release, std::memory_order_relaxed))
      continue;
    std::size_t end = used.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    // release: partner is the acquire in slot_of
    while (end <= i && !used.compare_exchange_weak(end, i + 1, std::memory_order_release, std::memory_order_relaxed)) {}
    return i;
  }
  return slots;
}

}  // namespace

GuardedRange::GuardedRange(const std::byte* begin, std::size_t size) noexcept {
  const std::uint64_t pages = (size + page_size() - 1) / page_size();
  if (pages == 0 || pages > most_pages || page_of(begin) >> (64U - pages_bits) != 0) return;
  const std::uint64_t word = page_of(begin) << pages_bits | pages;
  const std::size_t index = take_slot(word);
  if (index == slots) return;
  word_ = word;
  index_ = static_cast<std::uint32_t>(index);
}

void GuardedRange::release() noexcept {
  std::uint64_t mine = word_;
  word_ = 0;
  if (mine == 0) return;
  // release: partner is the acquire in slot_of; where a fork has emptied the table the slot is somebody else's by now
  (void)table[index_].range.compare_exchange_strong(mine, 0, std::memory_order_release, std::memory_order_relaxed);
}

std::uint32_t GuardedRange::spare_pages() const noexcept {
  // acquire: partner is the release in put_spare_page
  return word_ == 0 ? 0 : table[index_].spares.load(std::memory_order_acquire);
}

bool survive_truncation(void (*woken)() noexcept) noexcept {
  static std::mutex mutex;
  static bool installed = false;
  const std::lock_guard guard{mutex};
  wake.store(woken, std::memory_order_release);  // release: partner is the acquire in put_spare_page
  if (installed) return true;
  (void)page_size();  // not for the first time in the handler
  if (sigaction(SIGBUS, nullptr, &before) != 0) return false;
  struct sigaction action {};
  action.sa_sigaction = &on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  installed = sigaction(SIGBUS, &action, nullptr) == 0;
  return installed;
}

std::uint64_t spare_pages() noexcept {
  return all_spares.load(std::memory_order_acquire);  // acquire: partner is the release in put_spare_page
}

void forget_guarded_ranges() noexcept {
  for (std::size_t i = 0; i < used.load(std::memory_order_relaxed); ++i)  // relaxed, both: one thread
    table[i].range.store(0, std::memory_order_relaxed);
}

}  // namespace spool::os

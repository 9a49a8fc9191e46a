// SPDX-License-Identifier: MIT
//
// A server whose threads make their first call when the heap has nothing: heapless messages | locks |
// messages-of-child | locks-of-child. The trace is written to $TRACE_PARENT.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

std::atomic<bool> heap_is_empty{false};

void* allocate(std::size_t bytes) noexcept {
  return heap_is_empty.load() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}

void* allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
  const auto unit = static_cast<std::size_t>(alignment);
  return heap_is_empty.load() ? nullptr : std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

// In front of the standard library's; all that C++ code allocates comes through these.
void* operator new(std::size_t bytes) {
  return or_throw(allocate(bytes));
}
void* operator new(std::size_t bytes, const std::nothrow_t& /*unused*/) noexcept {
  return allocate(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(allocate(bytes, alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t& /*unused*/) noexcept {
  return allocate(bytes, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*unused*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*unused*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*unused*/, std::align_val_t /*unused*/) noexcept {
  std::free(memory);
}

namespace {

constexpr int workers = 40;
constexpr int meanwhile = 500;
constexpr int afterwards = 100;

std::uint64_t lost() {
  return spool::log::Recorder::instance().counters().lost;
}

/// In small segments that are all kept.
bool record() {
  const char* const parent = std::getenv("TRACE_PARENT");
  spool::log::RecorderSettings settings;
  settings.parent = parent == nullptr ? "/nonexistent" : parent;
  settings.keep = 0;
  settings.geometry = {.chunks = 128, .chunk_bytes = 32 * 1024, .metadata_bytes = 32 * 1024};
  spool::log::set_level(spool::Level::info);
  if (!spool::log::Recorder::instance().start(settings)) return false;
  spool::log::set_mode(spool::Mode::all);
  return true;
}

struct Phases {
  std::atomic<bool> begun{false};
  std::atomic<int> through{0};
  std::atomic<bool> over{false};

  void pass(std::atomic<bool>& gate) {
    while (!gate.load())
      std::this_thread::yield();
  }
};

/// `work` is done without a heap, and again with one.
template <class Work>
void run(Phases& phases, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i) {
    threads.emplace_back([&] {
      phases.pass(phases.begun);
      work(meanwhile);
      ++phases.through;
      phases.pass(phases.over);
      work(afterwards);
    });
  }
  heap_is_empty.store(true);
  phases.begun.store(true);
  while (phases.through.load() < workers)
    std::this_thread::yield();
  heap_is_empty.store(false);
  phases.over.store(true);
  for (std::thread& each : threads)
    each.join();
}

int messages() {
  Phases phases;
  std::atomic<long> said{0};
  run(phases, [&](int count) {
    for (int n = 0; n < count; ++n) {
      spool::info("served {} of {}", n, "a client with a long name");
      said.fetch_add(1);
    }
  });
  const std::uint64_t gone = lost();
  spool::shutdown();
  std::printf("%ld %llu\n", said.load(), static_cast<unsigned long long>(gone));
  return 0;
}

/// Their first call waits: the lock is held by somebody most of the time.
int locks() {
  Phases phases;
  spool::Lock lock;
  long pairs = 0;
  run(phases, [&](int count) {
    for (int n = 0; n < count; ++n) {
      const std::lock_guard guard{lock};
      ++pairs;
      if (n % 8 == 0) std::this_thread::yield();
    }
  });
  const std::uint64_t gone = lost();
  spool::shutdown();
  std::printf("%ld %llu\n", pairs, static_cast<unsigned long long>(gone));
  return 0;
}

/// The trace of a child of a fork is begun by its first Record.
template <class Work>
int child_of_fork(Work work) {
  spool::info("in the parent");
  const pid_t child = ::fork();
  if (child == 0) {
    heap_is_empty.store(true);
    work(meanwhile);
    heap_is_empty.store(false);
    work(afterwards);
    std::printf("%d %llu\n", meanwhile + afterwards, static_cast<unsigned long long>(lost()));
    (void)std::fflush(stdout);
    spool::shutdown();
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) return 1;
  spool::shutdown();
  return 0;
}

int messages_of_child() {
  return child_of_fork([](int count) {
    for (int n = 0; n < count; ++n)
      spool::info("served {} of {}", n, "a client with a long name");
  });
}

int locks_of_child() {
  spool::Lock lock;
  return child_of_fork([&](int count) {
    for (int n = 0; n < count; ++n)
      const std::lock_guard guard{lock};
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !record()) return 2;
  if (argv[1] == std::string_view{"messages"}) return messages();
  if (argv[1] == std::string_view{"locks"}) return locks();
  if (argv[1] == std::string_view{"messages-of-child"}) return messages_of_child();
  if (argv[1] == std::string_view{"locks-of-child"}) return locks_of_child();
  return 2;
}

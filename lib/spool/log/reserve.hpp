// SPDX-License-Identifier: MIT
//
// Memory for what a thread needs before it can make a Record: its identity and its writer. From the heap, and where
// that has nothing, from a reserve of the library's own: the thread gets on with its work, and its Records are lost and
// counted. The reserve is enough for 256 such threads at a time. It lies in the program's zeroed data, and no page of
// it is there before it is used.
#pragma once

#include <cstddef>

namespace spool::log {

/// Thread-safe, and takes no lock. Throws std::bad_alloc where the reserve has nothing either.
void* take_memory(std::size_t bytes, std::size_t alignment);
void give_back_memory(void* memory, std::size_t alignment) noexcept;

template <class T>
struct ReservedAllocator {
  using value_type = T;

  ReservedAllocator() = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): an allocator has to be one
  ReservedAllocator(const ReservedAllocator<U>& /*unused*/) noexcept {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(
        take_memory(count * sizeof(T), alignof(T)));  // NOLINT(bugprone-sizeof-expression): pointers are meant
  }
  void deallocate(T* memory, std::size_t /*unused*/) noexcept { give_back_memory(memory, alignof(T)); }

  template <class U>
  bool operator==(const ReservedAllocator<U>& /*unused*/) const noexcept {
    return true;
  }
};

}  // namespace spool::log

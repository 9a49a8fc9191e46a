// SPDX-License-Identifier: MIT
#include <spool/log/reserve.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <new>

namespace spool::log {
namespace {

constexpr std::size_t block_alignment = 64;

/// Blocks of one size. A bit of `used_` is a block.
template <std::size_t block, std::size_t count>
class Pool {
  static_assert(block % block_alignment == 0 && count % 64 == 0);

 public:
  void* take() noexcept {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      std::uint64_t seen = used_[i].load(std::memory_order_relaxed);  // relaxed: a hint, the exchange looks again
      while (~seen != 0) {
        const int bit = std::countr_one(seen);
        // acquire: partner is the release in give_back
        if (used_[i].compare_exchange_weak(seen, seen | std::uint64_t{1} << static_cast<unsigned>(bit),
                                           std::memory_order_acquire, std::memory_order_relaxed)) {
          return bytes_.data() + (i * 64 + static_cast<std::size_t>(bit)) * block;
        }
      }
    }
    return nullptr;
  }

  /// False: it is not from here.
  bool give_back(void* memory) noexcept {
    auto* const at = static_cast<std::byte*>(memory);
    if (std::less<>{}(at, bytes_.data()) || !std::less<>{}(at, bytes_.data() + bytes_.size())) return false;
    const std::size_t index = static_cast<std::size_t>(at - bytes_.data()) / block;
    // release: partner is the acquire in take
    used_[index / 64].fetch_and(~(std::uint64_t{1} << (index % 64)), std::memory_order_release);
    return true;
  }

 private:
  alignas(block_alignment) std::array<std::byte, block * count> bytes_{};
  std::array<std::atomic<std::uint64_t>, count / 64> used_{};
};

/// Identities and their places in the registry: two a thread.
using Small = Pool<512, 512>;
/// Writers.
using Large = Pool<std::size_t{16} * 1024, 256>;

constinit Small small;
constinit Large large;

bool is_plain(std::size_t alignment) {
  return alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
}

void* of_the_heap(std::size_t bytes, std::size_t alignment) noexcept {
  return is_plain(alignment) ? ::operator new(bytes, std::nothrow)
                             : ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
}

}  // namespace

void* take_memory(std::size_t bytes, std::size_t alignment) {
  void* memory = of_the_heap(bytes, alignment);
  if (memory == nullptr && alignment <= block_alignment) {
    if (bytes <= 512) memory = small.take();
    if (memory == nullptr && bytes <= std::size_t{16} * 1024) memory = large.take();
  }
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

void give_back_memory(void* memory, std::size_t alignment) noexcept {
  if (small.give_back(memory) || large.give_back(memory)) return;
  if (is_plain(alignment)) {
    ::operator delete(memory);
  } else {
    ::operator delete (memory, std::align_val_t{alignment});
  }
}

}  // namespace spool::log

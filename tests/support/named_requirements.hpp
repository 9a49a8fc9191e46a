// SPDX-License-Identifier: MIT
//
// The standard's named requirements for locks, as concepts.
#pragma once

#include <chrono>
#include <concepts>

namespace spool::test {

template <class L>
concept BasicLockable = requires(L& lock) {
  lock.lock();
  lock.unlock();
};

template <class L>
concept Lockable = BasicLockable<L> && requires(L& lock) {
  { lock.try_lock() } -> std::same_as<bool>;
};

template <class L>
concept TimedLockable = Lockable<L> && requires(L& lock) {
  { lock.try_lock_for(std::chrono::milliseconds{1}) } -> std::same_as<bool>;
  { lock.try_lock_for(std::chrono::duration<double>{1}) } -> std::same_as<bool>;
  { lock.try_lock_until(std::chrono::system_clock::now()) } -> std::same_as<bool>;
  { lock.try_lock_until(std::chrono::steady_clock::now()) } -> std::same_as<bool>;
};

}  // namespace spool::test

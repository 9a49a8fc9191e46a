// SPDX-License-Identifier: MIT
//
// Which value of a Local belongs to which thread, and who destroys it. Owns the values; what they are is local.hpp's.
//
//   Local ─▶ Values: { thread's token ─▶ value }      under a mutex; owns the values
//   thread ─▶ table: [ slot ─▶ Values, value ]        the thread's own: the fast way to its value
//
// Whoever takes a value out of the map destroys it: a thread that ends its own, the end of the Local all. So each value
// is destroyed once, and never under the mutex. Tokens are never reused. Slots are; an entry is believed only if it is
// the Local's own, and its Values are kept alive by it, so that no other has the same address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace spool::thread {

/// Base of what a Local keeps for a thread.
class LocalValue {
 public:
  LocalValue() = default;
  LocalValue(const LocalValue&) = delete;
  LocalValue& operator=(const LocalValue&) = delete;
  virtual ~LocalValue() = default;
};

/// The values of one Local. find, put and reset are about the calling thread's.
class LocalValues {
 public:
  LocalValues();
  ~LocalValues();
  LocalValues(const LocalValues&) = delete;
  LocalValues& operator=(const LocalValues&) = delete;

  LocalValue* find() const noexcept;
  LocalValue& put(std::unique_ptr<LocalValue> value);
  void reset() noexcept;

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
  std::size_t slot_;
};

[[noreturn]] void throw_no_value();

/// The program ends, and daemon threads may be in the middle of a call: what they may be using is left as it is.
bool daemons_may_be_inside() noexcept;
void leave(std::shared_ptr<const void> used);

}  // namespace spool::thread

// SPDX-License-Identifier: MIT
//
// What every primitive carries for the log: its number, its class, and the segment it is defined in.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/name.hpp>
#include <spool/log/site.hpp>
#include <spool/trace/ids.hpp>
#include <spool/trace/schema.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace spool::log {

/// Kind, creation site and name: what many objects have in common. Immortal, so that a thread's status can name what
/// it waits for without touching the object.
struct ObjectClass {
  trace::Kind kind = trace::Kind::trace;
  Site site;
  const char* name = nullptr;
};

/// Member of every primitive. Constant-initialized and cheap; the number comes with the first Record.
class Object {
 public:
  constexpr Object(trace::Kind kind, Name name, const Site& site) : class_{kind, site, name.text()} {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  trace::Kind kind() const { return class_.kind; }
  const char* name() const { return class_.name; }
  const Site& site() const { return class_.site; }

  /// The number, given now if it has none yet. Thread-safe.
  trace::ObjectNumber number() {
    // relaxed: the number is all there is to read
    const trace::ObjectNumber known = number_.load(std::memory_order_relaxed);
    return known != 0 ? known : assign_number();
  }

  /// 0 while no Record has named the object.
  trace::ObjectNumber known_number() const {
    return number_.load(std::memory_order_relaxed);  // relaxed: as above
  }

  /// The object this one belongs to: a Condition's lock.
  Object* parent() const { return parent_; }
  constexpr void set_parent(Object* parent) { parent_ = parent; }

  /// What is recorded of it now: as its own mode says, or the general one.
  Mode mode() const noexcept {
    const std::uint8_t own = own_mode_.load(std::memory_order_relaxed);  // relaxed: a switch, seen soon
    return own == 0 ? current_mode() : static_cast<Mode>(own & ~own_mode_bit & 0xffU);
  }
  /// log::state for this object: what a fast path compares, in one go, with the values for which it is made. With a
  /// mode of its own it is none of them.
  std::uint8_t state() const noexcept {
    // relaxed: a switch, seen soon
    return static_cast<std::uint8_t>(current_state() | own_mode_.load(std::memory_order_relaxed));
  }
  /// Gives it a mode of its own, or takes that away. Records: definition.mode, of this object. Thread-safe.
  void set_mode(std::optional<Mode> mode);

  /// The immortal copy of its class, or nullptr before its first definition.
  const ObjectClass* shared_class() const {
    return shared_class_.load(std::memory_order_acquire);  // acquire: partner is the release in Definitions
  }

  /// Defined in this segment?
  bool is_defined(std::uint32_t generation) const {
    // relaxed: set under the recorder's mutex by whoever defined it; the definition itself is read from the file
    return defined_.load(std::memory_order_relaxed) == generation;
  }

 protected:
  /// For threads, whose number is their ThreadNumber.
  Object(trace::Kind kind, trace::ObjectNumber number) : number_{number}, class_{kind, {}, nullptr} {}
  ~Object() = default;

  /// What was said of it has changed: it is defined anew before its next Record.
  void forget_definition() { defined_.store(0, std::memory_order_relaxed); }  // relaxed: see is_defined

 private:
  friend class Definitions;
  trace::ObjectNumber assign_number();

  std::atomic<trace::ObjectNumber> number_{0};
  std::atomic<std::uint32_t> defined_{0};  ///< number of the segment it was last defined in
  std::atomic<std::uint8_t> own_mode_{0};  ///< own_mode_bit and its own mode; 0: the general one
  Object* parent_ = nullptr;
  ObjectClass class_;
  std::atomic<const ObjectClass*> shared_class_{nullptr};  ///< the immortal copy, made with the first definition
};

/// An Object that is a member.
class ObjectState final : public Object {
 public:
  using Object::Object;
};

}  // namespace spool::log

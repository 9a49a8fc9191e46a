// SPDX-License-Identifier: MIT
//
// Local<T>: a value of its own for each thread. Python's threading.local, for one value. Owns the values; who must
// destroy them is local_values.hpp's.
//
//   spool::Local<Buffer> scratch{4096};                               // made on first use, from these arguments
//   spool::Local<Connection> connection{[] { return connect(); }};    // or by a factory
//   spool::Local<std::string> request_id;                             // or empty until it is set
//   scratch->clear();
//   if (const std::string* id = request_id.get_if()) ...              // nullptr: no value yet
#pragma once

#include <spool/log/control.hpp>
#include <spool/thread/local_values.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace spool {

/// Thread-safe: each thread sees its own value only. What makes the values (arguments, factory) is used by many threads
/// at the same time, as const.
///
/// A value is destroyed when its thread ends, by that thread, after the thread's function and before a join returns,
/// the newest first; main's as the program ends, before the static objects. Or, if that comes first, when the Local is
/// destroyed, by whoever does it. (At the end of the program those of daemon threads, which may be in use, are left.)
/// A value's destructor may use this and other Locals, and so may static destructors: a value that was destroyed is
/// then made anew, and destroyed with the next round; after a few rounds it is left until the Local is destroyed.
/// Memory ordering: a value is its thread's own; the thread's last use of it happens before its destruction.
/// Requires: no thread uses the Local while, or after, it is destroyed. Threads may end meanwhile.
/// Records: none. Nobody waits for anybody here.
template <class T>
class Local {
 public:
  /// No value until it is set.
  Local() = default;

  /// A value is made by `factory()`, if that can be called and gives one; else from copies of the arguments.
  template <class First, class... Rest>
  requires(!std::same_as<std::remove_cvref_t<First>, Local>) explicit Local(First&& first, Rest&&... rest) {
    if constexpr (sizeof...(Rest) == 0 && is_factory<std::decay_t<First>>) {
      maker_.made = new FactoryMaker<std::decay_t<First>>(std::forward<First>(first));
    } else {
      maker_.made = new ArgumentMaker<std::decay_t<First>, std::decay_t<Rest>...>(std::forward<First>(first),
                                                                                  std::forward<Rest>(rest)...);
    }
  }
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  ~Local() = default;

  /// The calling thread's value, made now if it has none. Throws MisuseError where nothing says how to make it, and
  /// what T's constructor or the factory throws; then there is none still.
  T& get() {
    log::park_if_ending();
    thread::LocalValue* value = values_.find();
    if (value == nullptr) [[unlikely]] {
      if (maker_.made == nullptr) thread::throw_no_value();
      value = &values_.put(maker_.made->make());
    }
    return static_cast<Held*>(value)->value;
  }
  T& operator*() { return get(); }
  T* operator->() { return &get(); }

  /// nullptr: no value yet.
  T* get_if() {
    log::park_if_ending();
    thread::LocalValue* const value = values_.find();
    return value == nullptr ? nullptr : &static_cast<Held*>(value)->value;
  }

  /// Replaces the calling thread's value: the new one is made first, then the old one destroyed.
  template <class... Args>
  requires std::constructible_from<T, Args&&...> T& emplace(Args&&... arguments) {
    log::park_if_ending();
    // make_from_tuple: whether a conversion is worth a warning is the caller's compiler's to say, not this line's
    auto made = std::make_unique<Held>(
        [&] { return std::make_from_tuple<T>(std::forward_as_tuple(std::forward<Args>(arguments)...)); });
    return static_cast<Held&>(values_.put(std::move(made))).value;
  }
  template <class U = T>
  requires std::constructible_from<T, U&&> T& set(U&& value) { return emplace(std::forward<U>(value)); }

  /// The calling thread has no value any more; the next get() makes one anew.
  void reset() {
    log::park_if_ending();
    values_.reset();
  }

 private:
  template <class F>
  static constexpr bool is_factory = std::is_invocable_r_v<T, const F&>;

  struct Held final : thread::LocalValue {
    template <class Make>
    explicit Held(const Make& make) : value(make()) {}
    T value;
  };

  struct Maker {
    Maker() = default;
    Maker(const Maker&) = delete;
    Maker& operator=(const Maker&) = delete;
    virtual ~Maker() = default;
    virtual std::unique_ptr<Held> make() const = 0;
  };

  template <class F>
  struct FactoryMaker final : Maker {
    template <class G>
    explicit FactoryMaker(G&& given) : factory(std::forward<G>(given)) {}
    std::unique_ptr<Held> make() const override {
      return std::make_unique<Held>([this]() -> T { return std::invoke(factory); });
    }
    F factory;
  };

  template <class... Args>
  struct ArgumentMaker final : Maker {
    template <class... Given>
    explicit ArgumentMaker(Given&&... given) : arguments(std::forward<Given>(given)...) {}
    std::unique_ptr<Held> make() const override {
      return std::make_unique<Held>([this] { return std::make_from_tuple<T>(arguments); });
    }
    std::tuple<Args...> arguments;
  };

  /// Left as it is where daemon threads may be in the middle of get() as the program ends: no pointer is cleared under
  /// them.
  struct OwnedMaker {
    OwnedMaker() = default;
    OwnedMaker(const OwnedMaker&) = delete;
    OwnedMaker& operator=(const OwnedMaker&) = delete;
    ~OwnedMaker() {
      std::unique_ptr<const Maker> mine{made};
      if (thread::daemons_may_be_inside()) thread::leave(std::move(mine));
    }
    const Maker* made = nullptr;
  };

  OwnedMaker maker_;
  thread::LocalValues values_;  ///< last: destroyed first, while a value's destructor may still have one made
};

}  // namespace spool

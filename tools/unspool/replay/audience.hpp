// SPDX-License-Identifier: MIT
//
// Who is told what. Most analyses hear of few things, and a trace has a hundred million Records: an observer is called
// only for what its class has a function for.
//
//   Replay replay{process, Audience{locks, joins}};
#pragma once

#include <unspool/replay/observer.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace unspool {

class Audience {
 public:
  Audience() = default;
  template <std::derived_from<Observer>... T>
  explicit Audience(T&... observers) {
    (add(observers), ...);
  }

  /// `observer` outlives it. What it hears is told by its static type: of an Observer, of all. One that has a type
  /// `NeedsNoPlainHolds` hears of other holds only.
  template <std::derived_from<Observer> T>
  Audience& add(T& observer) {
    all.push_back(&observer);
    if (hears<T>(&T::record, &Observer::record)) add_listener(observer);
    if (hears<T>(&T::born, &Observer::born)) born.push_back(&observer);
    if (hears<T>(&T::destroyed, &Observer::destroyed)) destroyed.push_back(&observer);
    if (hears<T>(&T::acquired, &Observer::acquired)) acquired.push_back(&observer);
    if (hears<T>(&T::held, &Observer::held)) held.push_back(&observer);
    if (hears<T>(&T::waited, &Observer::waited)) waited.push_back(&observer);
    // Of one whose type is not known here nobody can say that it hears of plain holds as such.
    constexpr bool is_known = !std::is_same_v<T, Observer>;
    if (is_known && hears<T>(&T::held_plainly, &Observer::held_plainly)) {
      held_plainly.push_back(&observer);
    } else if (is_known && requires { typename T::NeedsNoPlainHolds; }) {
      // They change nothing of what it counts.
    } else if (hears<T>(&T::acquired, &Observer::acquired) || hears<T>(&T::held, &Observer::held) ||
               (hears<T>(&T::record, &Observer::record) && hears_holds(observer))) {
      takes_holds = false;
    }
    return *this;
  }

  /// Who hears of Records of this row.
  const std::vector<Observer*>& of(const trace::Row* row) const {
    return row == nullptr ? all : by_row[static_cast<std::size_t>(row - trace::rows().data())];
  }

  std::vector<Observer*> all;
  std::vector<std::vector<Observer*>> by_row = std::vector<std::vector<Observer*>>(trace::rows().size());
  std::vector<Observer*> born;
  std::vector<Observer*> destroyed;
  std::vector<Observer*> acquired;
  std::vector<Observer*> held;
  std::vector<Observer*> waited;
  std::vector<Observer*> held_plainly;
  bool takes_holds = true;  ///< nobody needs the Records of a PlainHold one by one

 private:
  /// A function that T, or a class between it and Observer, has for itself has another type.
  template <class T, class Own, class Base>
  static constexpr bool hears(Own, Base) {
    return std::is_same_v<T, Observer> || !std::is_same_v<Own, Base>;
  }

  static bool hears_holds(const Observer& observer) {
    return std::ranges::any_of(trace::rows(), [&](const trace::Row& row) {
      const bool is_end = row.effect == trace::Effect::acquire || row.effect == trace::Effect::release;
      return is_end && observer.hears(row);
    });
  }

  void add_listener(Observer& observer) {
    for (std::size_t i = 0; i < by_row.size(); ++i) {
      if (observer.hears(trace::rows()[i])) by_row[i].push_back(&observer);
    }
  }
};

}  // namespace unspool

// SPDX-License-Identifier: MIT
//
// What a thread runs: a callable with its arguments, moved in as std::thread does it.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace spool::thread {

class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;
  virtual void run(const std::stop_token& stop) = 0;
};

/// A first parameter of type std::stop_token gets the thread's.
template <class F, class... Args>
class BoundTask final : public Task {
 public:
  template <class G, class... Given>
  explicit BoundTask(G&& function, Given&&... given)
      : function_{std::forward<G>(function)}, arguments_{std::forward<Given>(given)...} {}

  void run([[maybe_unused]] const std::stop_token& stop) override {
    std::apply(
        [&](Args&... arguments) {
          if constexpr (std::is_invocable_v<F, std::stop_token, Args...>) {
            std::invoke(std::move(function_), stop, std::move(arguments)...);
          } else {
            std::invoke(std::move(function_), std::move(arguments)...);
          }
        },
        arguments_);
  }

 private:
  F function_;
  std::tuple<Args...> arguments_;
};

template <class F, class... Args>
concept Runnable = std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...> ||
    std::is_invocable_v<std::decay_t<F>, std::stop_token, std::decay_t<Args>...>;

template <class F, class... Args>
std::unique_ptr<Task> make_task(F&& function, Args&&... arguments) {
  return std::make_unique<BoundTask<std::decay_t<F>, std::decay_t<Args>...>>(std::forward<F>(function),
                                                                             std::forward<Args>(arguments)...);
}

}  // namespace spool::thread

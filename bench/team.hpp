// SPDX-License-Identifier: MIT
//
// Threads that do the same at the same time, over and over: made once, so that no round pays for their making.
#pragma once

#include "measure.hpp"

#include <atomic>
#include <barrier>
#include <functional>
#include <thread>
#include <vector>

namespace bench {

class Team {
 public:
  explicit Team(int size);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(spans_.size()); }

  /// Each member calls `work` with its index; ns from the first begin to the last end. Clean if none of them had to
  /// wait for a CPU, where there are enough.
  Timed run(const std::function<void(int)>& work);

 private:
  struct Span {
    double begun = 0;  ///< ns, as all
    double ended = 0;
    double delayed = 0;  ///< ready to run, without a CPU
  };

  void serve(int index);
  void start_together();

  std::barrier<> gate_;
  const std::function<void(int)>* work_ = nullptr;  ///< nullptr at the gate: the end
  std::atomic<int> ready_{0};
  std::vector<Span> spans_;
  std::vector<std::thread> members_;
};

}  // namespace bench

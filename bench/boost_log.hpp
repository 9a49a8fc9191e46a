// SPDX-License-Identifier: MIT
//
// Boost.Log as a peer: a severity logger and a synchronous text file, with the time and the thread in each line, as
// spdlog's lines have them. Apart from the rows, because its headers take long to compile.
#pragma once

#include <memory>
#include <string>

namespace bench {

/// Thread-bound.
class BoostLog {
 public:
  explicit BoostLog(const std::string& file);
  ~BoostLog();
  BoostLog(const BoostLog&) = delete;
  BoostLog& operator=(const BoostLog&) = delete;

  void acquired(int lock);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bench

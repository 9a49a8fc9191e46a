// SPDX-License-Identifier: MIT
//
// Question: what is in this trace? Owns counts of Records, messages and threads.
#pragma once

#include <unspool/replay/observer.hpp>

#include <array>

namespace unspool {

class Summary : public Observer {
 public:
  struct Threads {
    std::uint64_t all = 0;  ///< the recorder's own are not counted
    std::uint64_t alive = 0;
    std::uint64_t ended = 0;
    std::uint64_t silent = 0;  ///< no Record of their own: not yet started, or gone before the oldest segment
    std::uint64_t exceptions = 0;
    std::uint64_t daemons_alive = 0;
  };
  static constexpr std::size_t levels = 6;

  bool hears(const trace::Row& row) const override { return row.kind == trace::Kind::message; }
  void record(const Record& record) override;
  void finished(const Replay& replay) override;

  /// By trace::Level.
  const std::array<std::uint64_t, levels>& messages() const { return messages_; }
  const Threads& threads() const { return threads_; }

 private:
  std::array<std::uint64_t, levels> messages_{};
  Threads threads_;
};

}  // namespace unspool

// SPDX-License-Identifier: MIT
//
// Question: what is in this trace? Owns counts of Records, messages and threads.
#pragma once

#include <unspool/analyze/filter.hpp>
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

  explicit Summary(const Filter& filter) : filter_{filter} {}

  bool hears(const trace::Row& row) const override { return row.kind == trace::Kind::message; }
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void finished(const Replay& replay) override;

  /// By trace::Level.
  const std::array<std::uint64_t, levels>& messages() const { return messages_; }
  const Threads& threads() const { return threads_; }
  /// With those that the filter leaves out.
  std::uint64_t threads_in_all() const { return threads_in_all_; }
  /// Waits of any kind whose end, or that they have none, is known.
  Filter::Count waits() const { return waits_; }

 private:
  const Filter& filter_;
  std::array<std::uint64_t, levels> messages_{};
  Threads threads_;
  std::uint64_t threads_in_all_ = 0;
  Filter::Count waits_;
};

}  // namespace unspool

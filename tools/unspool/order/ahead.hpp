// SPDX-License-Identifier: MIT
//
// Reads and orders Records on a thread of its own while others are analysed. Owns the handing over, in batches.
#pragma once

#include <unspool/order/merge.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace unspool {

/// The thread begins with the first Record that is asked for: until then the Process may be read freely, and again when
/// there is no Record left. What the merge throws, next() and more() throw. Otherwise thread-bound.
class Ahead final : public RecordSource {
 public:
  explicit Ahead(std::unique_ptr<Merge> merge) : merge_{std::move(merge)} {}
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() override;

  bool next(Record& record) override;
  Batch more() override;
  bool shows_damage() const override { return shows_damage_; }
  void join_holds() override { joins_ = true; }

 private:
  // So small that what the one thread writes is still in a cache when the other reads it; so many that one that had to
  // wait for the other does not wait again at once.
  static constexpr std::size_t part_records = 1024;
  static constexpr std::size_t part_holds = 2048;
  static constexpr std::size_t part_count = 8;

  struct Part {
    std::vector<Record> records;
    std::size_t used = 0;
    std::vector<std::uint32_t> holds_before;  ///< as in Batch
    std::vector<PlainHold> holds;
    std::vector<std::unique_ptr<std::byte[]>> bytes;  ///< of Records that are no plain transitions
    bool shows_damage = false;
  };

  void produce();
  bool fill(Part& part);
  Merge::Given read(Record& record, Part& part);
  static void keep_bytes(Record& record, Part& part);
  void await_part() const;
  bool take_part();

  std::unique_ptr<Merge> merge_;
  bool joins_ = false;  ///< only changed before the thread begins
  std::array<Part, part_count> parts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::size_t> filled_ = 0;  ///< parts given so far; changed by mutex_, as are the three below
  std::size_t returned_ = 0;             ///< of them: free again
  std::atomic<bool> ended_ = false;
  bool stop_ = false;
  std::exception_ptr failure_;
  Batch current_;  ///< what is left of the part in use
  bool in_use_ = false;
  bool shows_damage_ = false;  ///< as of that part
  std::optional<std::thread> thread_;
};

}  // namespace unspool

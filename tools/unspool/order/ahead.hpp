// SPDX-License-Identifier: MIT
//
// Reads and orders Records on a thread of its own while others are analysed. Owns the handing over, in batches.
#pragma once

#include <unspool/model/source.hpp>

#include <array>
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
/// there is no Record left. What the source throws, next() and more() throw. Otherwise thread-bound.
class Ahead final : public RecordSource {
 public:
  explicit Ahead(std::unique_ptr<RecordSource> source) : source_{std::move(source)} {}
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() override;

  bool next(Record& record) override;
  std::span<const Record> more() override;

 private:
  static constexpr std::size_t batch_records = 2048;
  static constexpr std::size_t batch_count = 4;

  struct Batch {
    std::vector<Record> records;
    std::size_t used = 0;
    std::vector<std::unique_ptr<std::byte[]>> bytes;  ///< of Records that are no plain transitions
  };

  void produce();
  bool fill(Batch& batch);
  static void keep_bytes(Record& record, Batch& batch);
  bool take_batch();

  std::unique_ptr<RecordSource> source_;
  std::array<Batch, batch_count> batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t filled_ = 0;    ///< batches given so far; by mutex_, as are the three below
  std::size_t returned_ = 0;  ///< of them: free again
  bool ended_ = false;
  bool stop_ = false;
  std::exception_ptr failure_;
  std::span<const Record> current_;  ///< what is left of the batch in use
  bool in_use_ = false;
  std::optional<std::thread> thread_;
};

}  // namespace unspool

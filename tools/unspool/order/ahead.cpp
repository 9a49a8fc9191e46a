// SPDX-License-Identifier: MIT
#include <unspool/order/ahead.hpp>

#include <cstring>
#include <utility>

namespace unspool {
namespace {

/// A transition's fields are in the Record itself, as they stand in the file.
bool is_plain(const Record& record) {
  constexpr std::size_t size = 4 * sizeof(std::uint32_t);
  static_assert(offsetof(Record, b) - offsetof(Record, site) == 3 * sizeof(std::uint32_t));
  return record.bytes.size() == size && record.row != nullptr && !record.row->packed && record.message == nullptr &&
         std::memcmp(record.bytes.data(), &record.site, size) == 0;
}

}  // namespace

Ahead::~Ahead() {
  if (!thread_) return;
  {
    const std::lock_guard hold{mutex_};
    stop_ = true;
  }
  changed_.notify_all();
  thread_->join();
}

void Ahead::keep_bytes(Record& record, Batch& batch) {
  if (record.bytes.empty()) return;
  if (is_plain(record)) {
    record.bytes = {reinterpret_cast<const std::byte*>(&record.site), record.bytes.size()};
    return;
  }
  auto& copy = batch.bytes.emplace_back(new std::byte[record.bytes.size()]);
  std::memcpy(copy.get(), record.bytes.data(), record.bytes.size());
  record.bytes = {copy.get(), record.bytes.size()};
}

/// False after the last Record.
bool Ahead::fill(Batch& batch) {
  batch.records.resize(batch_records);
  batch.bytes.clear();
  std::size_t bytes = 0;
  constexpr std::size_t most_bytes = 1 << 20;
  for (batch.used = 0; batch.used < batch_records && bytes < most_bytes; ++batch.used) {
    Record& record = batch.records[batch.used];
    if (!source_->next(record)) return false;
    bytes += record.bytes.size();
    keep_bytes(record, batch);
  }
  return true;
}

void Ahead::produce() {
  std::unique_lock hold{mutex_};
  try {
    while (!ended_) {
      changed_.wait(hold, [this] { return stop_ || filled_ - returned_ < batch_count; });
      if (stop_) break;
      Batch& batch = batches_[filled_ % batch_count];
      hold.unlock();
      const bool more = fill(batch);
      hold.lock();
      ++filled_;
      ended_ = !more;
      changed_.notify_one();
    }
  } catch (...) {
    if (!hold.owns_lock()) hold.lock();
    failure_ = std::current_exception();
    ended_ = true;
    changed_.notify_one();
  }
}

/// False after the last one.
bool Ahead::take_batch() {
  if (!thread_) thread_.emplace([this] { produce(); });
  std::unique_lock hold{mutex_};
  if (std::exchange(in_use_, false)) {
    ++returned_;
    changed_.notify_one();
  }
  changed_.wait(hold, [this] { return filled_ != returned_ || ended_; });
  if (filled_ == returned_) {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return false;
  }
  const Batch& batch = batches_[returned_ % batch_count];
  current_ = std::span{batch.records}.first(batch.used);
  in_use_ = true;
  return true;
}

std::span<const Record> Ahead::more() {
  while (current_.empty()) {
    if (!take_batch()) return {};
  }
  return std::exchange(current_, {});
}

bool Ahead::next(Record& record) {
  while (current_.empty()) {
    if (!take_batch()) return false;
  }
  record = current_.front();
  current_ = current_.subspan(1);
  return true;
}

}  // namespace unspool

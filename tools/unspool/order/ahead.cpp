// SPDX-License-Identifier: MIT
#include <unspool/order/ahead.hpp>
#include <unspool/order/claim.hpp>

#include <cstring>
#include <utility>

namespace unspool {
namespace {

// So many bytes ahead of the Record that is made.
constexpr std::size_t claimed = 1024;
constexpr std::size_t cache_line = 64;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

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

void Ahead::keep_bytes(Record& record, Part& part) {
  if (record.bytes.empty()) return;
  if (is_plain(record)) {
    record.bytes = {reinterpret_cast<const std::byte*>(&record.site), record.bytes.size()};
    return;
  }
  auto& copy = part.bytes.emplace_back(new std::byte[record.bytes.size()]);
  std::memcpy(copy.get(), record.bytes.data(), record.bytes.size());
  record.bytes = {copy.get(), record.bytes.size()};
}

Merge::Given Ahead::read(Record& record, Part& part) {
  if (joins_) return merge_->next(record, part.holds, part_holds);
  return merge_->next(record) ? Merge::Given::record : Merge::Given::end;
}

/// False after the last Record.
bool Ahead::fill(Part& part) {
  part.records.resize(part_records);
  part.holds_before.resize(part_records);
  part.holds.clear();
  part.holds.reserve(part_holds + Merge::most_in_a_row);
  part.bytes.clear();
  std::size_t bytes = 0;
  constexpr std::size_t most_bytes = 1 << 20;
  for (part.used = 0; part.used < part_records && bytes < most_bytes; ++part.used) {
    Record& record = part.records[part.used];
    claim(&record, claimed);
    claim(&record, claimed + cache_line);
    claim(&part.holds_before[part.used], cache_line);
    const Merge::Given given = read(record, part);
    if (given != Merge::Given::record) return given == Merge::Given::holds;
    part.holds_before[part.used] = static_cast<std::uint32_t>(part.holds.size());
    bytes += record.bytes.size();
    keep_bytes(record, part);
  }
  return true;
}

void Ahead::produce() {
  std::unique_lock hold{mutex_};
  try {
    while (!ended_) {
      if (filled_ - returned_ == part_count)
        changed_.wait(hold, [this] { return stop_ || filled_ - returned_ <= part_count / 2; });
      if (stop_) break;
      Part& part = parts_[filled_ % part_count];
      hold.unlock();
      const bool more = fill(part);
      part.shows_damage = merge_->shows_damage();
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

/// For a moment, as the next one is nearly there, and to sleep and be woken takes longer.
void Ahead::await_part() const {
  constexpr int most_looks = 1000;  // some tens of microseconds
  const std::size_t taken = returned_ + (in_use_ ? 1 : 0);
  for (int i = 0; i < most_looks && filled_ == taken && !ended_; ++i)
    pause();
}

/// False after the last one.
bool Ahead::take_part() {
  if (!thread_) thread_.emplace([this] { produce(); });
  await_part();
  std::unique_lock hold{mutex_};
  if (std::exchange(in_use_, false)) {
    ++returned_;
    if (filled_ - returned_ == part_count / 2) changed_.notify_one();
  }
  changed_.wait(hold, [this] { return filled_ != returned_ || ended_; });
  if (filled_ == returned_) {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return false;
  }
  const Part& part = parts_[returned_ % part_count];
  current_ = {std::span{part.records}.first(part.used), std::span{part.holds_before}.first(part.used), part.holds};
  shows_damage_ = part.shows_damage;
  in_use_ = true;
  return true;
}

Batch Ahead::more() {
  while (current_.empty()) {
    if (!take_part()) return {};
  }
  return std::exchange(current_, {});
}

bool Ahead::next(Record& record) {
  while (current_.records.empty()) {
    if (!take_part()) return false;
  }
  record = current_.records.front();
  current_.records = current_.records.subspan(1);
  return true;
}

}  // namespace unspool

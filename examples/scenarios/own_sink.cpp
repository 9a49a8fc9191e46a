// SPDX-License-Identifier: MIT
// A sink of one's own is one small class: it is given each Record with its names. This one counts what happens to
// locks.
//
// Output:
//   lock.acquire: 3
//   lock.release: 3
#include <spool/spool.hpp>

#include <cstdio>
#include <map>
#include <mutex>
#include <string_view>

/// Called by a thread of its own, so it needs no lock and may be slow.
class Counting final : public spool::Sink {
 public:
  bool wants_transitions() const override { return true; }

  void write(const spool::SinkRecord& record) override {
    if (record.row->kind == spool::trace::Kind::lock) ++counts_[record.row->name];
  }

  /// After shutdown() or flush() nobody calls it.
  void print() const {
    for (const auto& [name, count] : counts_)
      std::printf("%.*s: %d\n", static_cast<int>(name.size()), name.data(), count);
  }

 private:
  std::map<std::string_view, int> counts_;
};

int main() {
  const auto counting = std::make_shared<Counting>();
  spool::basic_config({.sinks = {counting}});
  spool::Lock lock{"counted"};
  for (int i = 0; i < 3; ++i)
    const std::lock_guard guard{lock};
  spool::shutdown();
  counting->print();
}

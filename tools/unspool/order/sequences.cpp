// SPDX-License-Identifier: MIT
#include <unspool/order/sequences.hpp>

#include <utility>

namespace unspool {

Progress& Sequences::insert(std::size_t at, spool::trace::ObjectNumber object) {
  if (++used_ * 2 > table_.size()) {
    std::vector<Progress> old(table_.size() * 2, empty());
    old.swap(table_);
    --shift_;
    for (const Progress& each : old) {
      if (each.object == 0) continue;
      std::size_t to = place(each.object);
      while (table_[to].object != 0)
        to = (to + 1) & (table_.size() - 1);
      table_[to] = each;
    }
    at = place(object);
    while (table_[at].object != 0)
      at = (at + 1) & (table_.size() - 1);
  }
  table_[at].object = object & spool::trace::max_object_number;
  return table_[at];
}

}  // namespace unspool

// SPDX-License-Identifier: MIT
//
// What replay asks of a kind or a row, answered from the schema table.
#pragma once

#include <spool/trace/schema.hpp>

#include <unspool/model/model.hpp>

#include <array>

namespace unspool {

/// Whether objects of this kind have a holder. (A semaphore's permit may be given back by anybody: it has none.)
inline bool can_be_held(trace::Kind kind) {
  const trace::Row* row = trace::row_of(kind, trace::Verb::acquire);
  return row != nullptr && row->effect == trace::Effect::acquire;
}

/// What a thread in a wait for such an object may do next to it.
inline trace::Verbs next_in_wait(trace::Kind kind) {
  trace::Verbs next;
  for (const trace::Row& row : trace::rows()) {
    if (row.kind == kind && row.effect == trace::Effect::wait) next.bits |= row.next.bits;
  }
  return next;
}

/// Whether a field of a transition (2 or 3: Record's `a` or `b`) stands for this.
inline bool field_means(const trace::Row& row, std::size_t field, trace::Means means) {
  return field < row.field_count && row.field_array[field].means == means;
}

/// Record's `a` where it is a thread, else 0: the owner, or the waker.
inline trace::ThreadNumber other_thread(const Record& record) {
  return field_means(*record.row, 2, trace::Means::thread) ? record.a : 0;
}

/// Record's `b` where it is a site, else 0: where the owner acquired, or the waker woke.
inline trace::SiteNumber other_site(const Record& record) {
  return field_means(*record.row, 3, trace::Means::site) ? record.b : 0;
}

}  // namespace unspool

// SPDX-License-Identifier: MIT
//
// What replay asks of a kind or a row, answered from the schema table.
#pragma once

#include <spool/trace/schema.hpp>

#include <unspool/model/model.hpp>

namespace unspool {

/// What the table says of a kind's objects.
struct KindRules {
  bool can_be_held = false;  ///< they have a holder. (A semaphore's permit may be given back by anybody: it has none.)
  bool renewable = false;    ///< a second block belongs to the same wait: it has another owner
  trace::Verbs next;         ///< what a thread in a wait for one may do next to it
};
const KindRules& rules_of(trace::Kind kind);

inline bool can_be_held(trace::Kind kind) {
  return rules_of(kind).can_be_held;
}

/// What somebody gives and nobody holds.
bool is_signal(trace::Kind kind);

/// Whether a field of a transition (2 or 3: Record's `a` or `b`) stands for this.
inline bool field_means(const trace::Row& row, std::size_t field, trace::Means means) {
  return field < row.field_count && row.field_array[field].means == means;
}

/// Of a Record that begins a wait, or tells of one that has begun: how its thread waits.
inline trace::Verb verb_of_wait(const Record& record) {
  const bool tells = record.row->kind == trace::Kind::status && record.row->verb == trace::Verb::wait;
  return tells ? trace::verb_of(static_cast<std::uint32_t>(record.count)) : record.row->verb;
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

// SPDX-License-Identifier: MIT
//
// Replay's rules for holds: who has an object now, and how sure that is.
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

using Tenant = Holder::Tenant;

/// Outside of mode `all` what is known of who has an object holds as long as somebody waits for it without a gap.
bool is_watched(const ObjectState& object) {
  return object.complete || object.history.waited_for();
}

/// It waits for this object, and not for itself: it has been given it by now, and has not said so yet.
bool is_given(const ObjectState& object, trace::ThreadNumber owner, const ThreadState* state) {
  if (state == nullptr || state->waits.empty()) return false;
  return state->waits.back().object == object.number && state->waits.back().owner != owner;
}

}  // namespace

/// A block or a failure quotes the lock's own word; a release is by whoever had it; an acquire names who released last.
Holder Replay::taken_unseen(const ObjectState& object, const Record& record) const {
  using enum trace::Effect;
  const Holder nobody{Tenant::nobody, 0, 0};
  if (object.complete || !object.history.waited_for() || object.now().holder.tenant != Tenant::nobody) return nobody;
  const trace::ThreadNumber other = other_thread(record);
  const auto state = threads_.find(other);
  const bool given = state != threads_.end() && is_given(object, other, &state->second);
  const bool overtaken = static_cast<std::int32_t>(object.sequence - record.seq) > 0;
  switch (record.row->effect) {
    case wait:
    case fail:
      if (other == 0 || overtaken || given) return nobody;
      return {Tenant::thread, other, other_site(record)};
    case release:
      return record.b == 0 ? Holder{} : Holder{Tenant::thread, record.b, 0};
    case unshare:
      return record.b == 0 ? Holder{Tenant::thread, record.thread, 0} : Holder{};
    case acquire:
      // Whoever it was had let it go again before, at a time that is not known.
      return other == 0 || object.releaser == 0 || other == object.releaser ? nobody : Holder{};
    default:
      return nobody;
  }
}

/// It had it from some moment on since the release: what was hand-over before that cannot be told apart.
void Replay::note_taken_unseen(ObjectState& object, const Record& record) const {
  const Holder holder = taken_unseen(object, record);
  if (holder.tenant == Tenant::nobody) return;
  Tenure& now = object.history.now();
  now = {holder, now.from, false};
}

void Replay::take(const Record& record, ThreadState* thread, ObjectState& object) {
  const bool sure = object.complete && object.confirmed == losses_;
  if (sure && object.now().holder.tenant == Tenant::thread) ++doubts_.lost_ends;
  const bool waited = end_wait(record, thread, &object, Ending::acquired);
  const bool named = thread != nullptr;
  // Who waited may have seen it have the object before it had made this Record, and told its line to anybody.
  Holder& before = object.history.now().holder;
  if (before.tenant == Tenant::thread && before.thread == record.thread && before.site == 0) before.site = record.site;
  object.readers.clear();
  // Outside of mode `all` a release that nobody waits for is not recorded: this hold may end, and another of the same
  // thread begin, unseen.
  const bool seen_to_its_end = is_watched(object);
  change_holder(object, named ? Holder{Tenant::thread, record.thread, record.site} : Holder{}, record.time,
                named && seen_to_its_end);
  object.confirmed = losses_;
  const trace::Ticks spun = field_means(*record.row, 3, trace::Means::ticks) ? record.b : 0;
  for (Observer* each : audience_.acquired)
    each->acquired(object, record, spun, waited);
}

void Replay::give(const Record& record, ObjectState& object) {
  const Tenure now = object.now();
  const bool held = now.holder.tenant == Tenant::thread;
  const bool sure = object.confirmed == losses_;
  trace::ThreadNumber owner = field_means(*record.row, 3, trace::Means::thread) ? record.b : 0;
  if (owner == 0 && held && sure) owner = now.holder.thread;
  if (held && now.from_known && owner == now.holder.thread && is_watched(object)) {
    const Hold hold{owner, object.number, now.holder.site, now.from, record.time, record.thread};
    if (hold.until < hold.since) ++doubts_.backward_times;
    for (Observer* each : audience_.held)
      each->held(object, hold);
  }
  if (owner != 0 && record.thread != 0 && owner != record.thread) {
    for (Observer* each : audience_.all)
      each->released_by_other(object, record);
  }
  if (object.complete && sure && now.holder.tenant == Tenant::nobody) ++doubts_.unmatched;
  if (!object.complete) object.readers.clear();
  change_holder(object, Holder{Tenant::nobody, 0, 0}, record.time, true);
  object.releaser = record.thread;
  object.confirmed = losses_;
}

/// One reader is a holder like any other; of several only that there are such is a tenure, and each is in `readers`.
void Replay::hold_shared(ObjectState& object, const Reader& reader, bool known) const {
  object.readers.push_back(reader);
  const bool alone = object.readers.size() == 1;
  const Holder holder{Tenant::thread, reader.thread, reader.site};
  change_shared(object, holder, reader.since, true, {alone ? holder : several(object.readers), reader.since, known});
  object.confirmed = losses_;
}

void Replay::share(const Record& record, ThreadState* thread, ObjectState& object) {
  const bool watched = is_watched(object);
  const bool waited = end_wait(record, thread, &object, Ending::acquired);
  if (!watched) object.readers.clear();
  hold_shared(object, {record.thread, record.site, record.time}, object.complete);
  const bool knows_all = object.complete || object.readers.size() == record.b;
  if (!knows_all) change_holder(object, Holder{}, record.time, false);
  for (Observer* each : audience_.acquired)
    each->acquired(object, record, 0, waited);
}

void Replay::unshare(const Record& record, ObjectState& object) {
  if (!is_watched(object)) object.readers.clear();
  const auto reader = std::ranges::find(object.readers, record.thread, &Reader::thread);
  Holder who;
  if (reader != object.readers.end()) {
    who = {Tenant::thread, record.thread, reader->site};
    const Hold hold{record.thread, object.number, reader->site, reader->since, record.time, record.thread};
    if (hold.until < hold.since) ++doubts_.backward_times;
    for (Observer* each : audience_.held)
      each->held(object, hold);
    object.readers.erase(reader);
  } else if (object.complete && object.confirmed == losses_) {
    ++doubts_.unmatched;
  }
  if (!object.complete) return leave_some(record, object);
  Tenure now{{Tenant::others, 0, 0}, record.time, true};
  if (object.readers.size() > 1) now.holder = several(object.readers);
  if (object.readers.empty()) {
    now = {record.b == 0 ? Holder{Tenant::nobody, 0, 0} : Holder{}, record.time, record.b == 0};
  } else if (object.readers.size() == 1 && record.b <= 1) {
    const Reader& last = object.readers.front();
    const bool came_later = last.since >= record.time;
    now = {{Tenant::thread, last.thread, last.site}, std::max(last.since, record.time), came_later};
  }
  change_shared(object, who, record.time, false, now);
  object.confirmed = losses_;
}

/// Of an object whose acquires are not all recorded: some of its readers may be unknown, and only how many are left is
/// told.
void Replay::leave_some(const Record& record, ObjectState& object) const {
  Holder& before = object.history.now().holder;
  // While somebody waits nobody comes in unseen: the last to go was alone since the one before it went.
  if (object.history.waited_for() && record.b == 0 && before.tenant == Tenant::unknown)
    before = {Tenant::thread, record.thread, 0};
  if (object.readers.size() > record.b) object.readers.clear();
  Holder now;
  if (record.b == 0) {
    now.tenant = Tenant::nobody;
  } else if (object.readers.size() == record.b) {
    const Reader& last = object.readers.front();
    now = record.b == 1 ? Holder{Tenant::thread, last.thread, last.site} : several(object.readers);
  }
  change_holder(object, now, record.time, record.b == 0);
  object.releaser = record.thread;
  object.confirmed = losses_;
}

/// A block names the owner as the lock's own word had it. Where every Record is there, the order of the Records knows
/// better: the block can come after the release. Where acquires are missing, the block is what is known, unless Records
/// have come that are later.
void Replay::believe_owner(ObjectState& object, const Block& block) {
  if (!can_be_held(object.kind)) return;
  if (!object.complete && block.late) return;
  if (!object.complete) forget_unwatched(object, block);
  if (block.owner == 0) return;
  Tenure& now = object.history.now();
  if (!object.complete && object.confirmed == losses_ && is_given(object, block.owner, threads_.get(block.owner))) {
    if (now.holder.tenant != Tenant::nobody) change_holder(object, {Tenant::nobody, 0, 0}, block.since, false);
    return;
  }
  if (now.holder.tenant == Tenant::thread && now.holder.thread == block.owner) {
    const bool is_news = now.holder.site == 0 || (!object.complete && !now.from_known);
    if (is_news && block.owner_site != 0) now.holder.site = block.owner_site;
    object.confirmed = losses_;
    return;
  }
  const bool sure = object.complete && object.confirmed == losses_;
  if (sure && now.holder.tenant != Tenant::unknown) return;
  const Holder owner{Tenant::thread, block.owner, block.owner_site};
  if (!object.complete && object.history.waited_for() && now.holder.tenant == Tenant::nobody) {
    now = {owner, now.from, false};  // taken unseen, as in note_taken_unseen
  } else {
    change_holder(object, owner, block.since, false);
  }
  object.confirmed = losses_;
}

/// Of an object whose acquires are not all recorded. The block says that a writer has it, or that none has.
void Replay::forget_unwatched(ObjectState& object, const Block& block) {
  Tenure& now = object.history.now();
  const bool same = now.holder.tenant == Tenant::thread && now.holder.thread == block.owner;
  const bool believed_written = object.readers.empty() && now.holder.tenant == Tenant::thread;
  if (block.owner != 0) {
    object.readers.clear();
    if (block.first && same) now.from_known = false;
  } else if (block.first) {
    forget_holder(object);
  } else if (believed_written) {
    change_holder(object, Holder{}, block.since, false);
  }
}

void Replay::change_holder(ObjectState& object, const Holder& holder, trace::Ticks from, bool from_known) {
  object.history.change(holder, from, from_known);
}

void Replay::hold_together(ObjectState& object) {
  std::vector<Tenure> readers;
  for (const Reader& each : object.readers)
    readers.push_back({{Tenant::thread, each.thread, each.site}, each.since, true});
  object.history.hold_together(pasts_, readers);
}

/// Where not all who hold it are recorded, only the order of the Records is left.
void Replay::change_shared(ObjectState& object, const Holder& who, trace::Ticks at, bool comes, const Tenure& now) {
  if (object.complete) {
    object.history.change_shared(who, at, comes, now);
  } else {
    object.history.change(now.holder, now.from, now.from_known);
  }
}

/// Records of this object are missing: whoever had it last may have lost it at any moment since.
void Replay::forget_holder(ObjectState& object) {
  object.readers.clear();
  object.history.forget();
}

}  // namespace unspool

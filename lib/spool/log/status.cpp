// SPDX-License-Identifier: MIT
#include <spool/log/call_stacks.hpp>
#include <spool/log/control.hpp>
#include <spool/log/status.hpp>

#include <algorithm>
#include <cstring>

namespace spool::log {

using detail::advance_version;
using detail::get;
using detail::put;

namespace {

void copy_hold(trace::StatusHold& to, const trace::StatusHold& from) noexcept {
  put(to.object, from.object);
  put(to.since, from.since);
  put(to.site, from.site);
  put(to.mode, from.mode);
}

trace::StatusHold read_hold(const trace::StatusHold& hold) noexcept {
  return {get(hold.object), get(hold.since), get(hold.site), get(hold.mode)};
}

}  // namespace

namespace {

/// The newest of the `kept` holds that is of this object; `kept` where there is none.
std::uint32_t find_hold(const trace::StatusEntry& entry, std::uint32_t kept, trace::ObjectNumber object) noexcept {
  for (std::uint32_t i = kept; i-- > 0;) {
    if (entry.holds[i].object == object) return i;
  }
  return kept;
}

std::uint32_t kept_of(const trace::StatusEntry& entry) noexcept {
  return std::min<std::uint32_t>(entry.depth, trace::status_holds);
}

}  // namespace

void pop_hold_below(Writer& writer, trace::ObjectNumber object) noexcept {
  trace::StatusEntry& entry = writer.current_status();
  const std::uint32_t depth = entry.depth;
  const std::uint32_t kept = kept_of(entry);
  std::uint32_t place = find_hold(entry, kept, object);
  if (place == kept && depth > kept) return put(entry.depth, depth - 1);  // of those beyond the room, only counted
  if (place == kept) place = find_hold(entry, kept, 0);
  if (place == kept) return;
  advance_version(entry);
  put(entry.depth, place);  // what moves does not count meanwhile
  for (std::uint32_t next = place + 1; next < kept; ++next) {
    copy_hold(entry.holds[next - 1], entry.holds[next]);
    // relaxed load: our own; release: partner is the acquire in snapshot
    writer.held[next - 1].store(writer.held[next].load(std::memory_order_relaxed), std::memory_order_release);
  }
  if (depth > kept) {  // one that was only counted moves in: nobody knows which
    copy_hold(entry.holds[kept - 1], {});
    writer.held[kept - 1].store(nullptr, std::memory_order_release);  // release: as above
  }
  put(entry.depth, depth - 1);
}

SharedHold shared_hold(const Writer& writer, const Object& of) noexcept {
  constexpr std::uint32_t shared = 1;
  if (writer.holds <= 0) return SharedHold::none;
  const trace::ObjectNumber object = of.known_number();
  const trace::StatusEntry& entry = *writer.status;
  const std::uint32_t kept = kept_of(entry);
  const std::uint32_t place = object == 0 ? kept : find_hold(entry, kept, object);
  if (place != kept && entry.holds[place].mode == shared) return SharedHold::recorded;
  const bool knows_all = entry.depth == kept && find_hold(entry, kept, 0) == kept;
  if (!knows_all) return of.mode() == Mode::all ? SharedHold::recorded : SharedHold::unrecorded;
  return static_cast<std::uint32_t>(writer.holds) == entry.depth ? SharedHold::none : SharedHold::unrecorded;
}

void begin_wait(Writer& writer, std::uint16_t record, Object& object, const Emitted& at,
                const WaitState& wait) noexcept {
  trace::StatusEntry& entry = writer.current_status();
  const bool goes_on = entry.wait_record != 0 && entry.wait_object == object.known_number();
  if (goes_on) put(entry.version, entry.version + 1);
  if (!goes_on) {
    put(entry.wait_since, at.time);
    put(entry.wait_stack, trace::StackNumber{0});
  }
  put(entry.wait_object, object.known_number());
  put(entry.wait_site, at.site);
  put(entry.wait_owner, wait.owner);
  put(entry.wait_owner_site, wait.owner_site);
  put(entry.wait_limit, static_cast<std::uint32_t>(wait.end.limit));
  put(entry.wait_deadline, wait.end.deadline);
  put(entry.wait_a, wait.a);
  put(entry.wait_b, wait.b);
  Object* parent = object.parent();
  // release, both: partner is the acquire in snapshot
  writer.waited.store(object.shared_class(), std::memory_order_release);
  writer.waited_parent.store(parent == nullptr ? 0 : parent->known_number(), std::memory_order_release);
  put(entry.wait_record, std::uint32_t{record});
  if (goes_on) return put(entry.version, entry.version + 1);
  note_stack(writer, object);
}

namespace {

/// One attempt; false when it has to be prepared for again.
bool try_tell(Writer& writer, const trace::StatusWaitRecord& record) noexcept {
  Emission emission;
  if (emission.enter(writer, sizeof record) != Emission::Result::entered) return false;
  std::memcpy(emission.bytes, &record, sizeof record);
  const trace::Ticks now = os::ticks();
  std::memcpy(emission.bytes, &now, sizeof now);
  emission.mark_mixed();
  emission.commit(writer);
  return true;
}

}  // namespace

void tell_late_wait(Writer& writer, std::uint16_t record, Object& object, const Site& site, trace::Ticks since,
                    const WaitState& wait) noexcept {
  constexpr int attempts = 64;
  constexpr std::uint16_t id = trace::record_id(trace::Kind::status, trace::Verb::wait);
  const Need need{.size = sizeof(trace::StatusWaitRecord),
                  .object = &object,
                  .site = &site,
                  .thread = wait.owner,
                  .quoted_site = wait.owner_site};
  for (int i = 0; i < attempts; ++i) {
    if (!prepare(writer, need)) return;
    const trace::SiteNumber here = writer.sites[site_slot(site)].number;
    const bool told = try_tell(
        writer,
        {{0, trace::id_and_object(id, object.known_number())}, here, wait.owner, since, wait.owner_site, record});
    finish(writer);
    if (told) return begin_wait(writer, record, object, {since, here}, wait);
  }
  count_loss(writer, trace::LossReason::no_space);
}

void end_wait(Writer& writer) noexcept {
  trace::StatusEntry& entry = writer.current_status();
  if (entry.wait_record == 0) return;
  advance_version(entry);
  put(entry.wait_record, std::uint32_t{0});
}

bool snapshot(const Writer& writer, StatusSnapshot& out) noexcept {
  const trace::StatusEntry& entry = writer.current_status();
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    const std::uint32_t before = get(entry.version);
    if (before % 2 != 0) continue;
    out.entry.version = before;
    out.entry.thread = get(entry.thread);
    out.entry.depth = get(entry.depth);
    out.entry.wait_record = get(entry.wait_record);
    out.entry.wait_object = get(entry.wait_object);
    out.entry.wait_since = get(entry.wait_since);
    out.entry.wait_site = get(entry.wait_site);
    out.entry.wait_owner = get(entry.wait_owner);
    out.entry.wait_owner_site = get(entry.wait_owner_site);
    out.entry.wait_limit = get(entry.wait_limit);
    out.entry.wait_deadline = get(entry.wait_deadline);
    out.entry.wait_a = get(entry.wait_a);
    out.entry.wait_b = get(entry.wait_b);
    out.entry.wait_stack = get(entry.wait_stack);
    for (std::size_t hold = 0; hold < trace::status_holds; ++hold) {
      out.entry.holds[hold] = read_hold(entry.holds[hold]);
      // acquire: partner is the release of the owner
      out.held[hold] = writer.held[hold].load(std::memory_order_acquire);
    }
    out.waited = writer.waited.load(std::memory_order_acquire);                // acquire: as above
    out.waited_parent = writer.waited_parent.load(std::memory_order_acquire);  // acquire: as above
    if (get(entry.version) == before) return true;
  }
  return false;
}

}  // namespace spool::log

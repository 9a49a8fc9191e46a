// SPDX-License-Identifier: MIT
//
// A thread's first and last moment with spool: it gets a writer, and gives it back when all its thread_local objects
// are gone.
#include <spool/log/control.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/given_away.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/reserve.hpp>
#include <spool/log/status.hpp>
#include <spool/os/process.hpp>

#include <algorithm>
#include <climits>

#include <pthread.h>
#include <unistd.h>

namespace spool::log {

constinit thread_local Writer* my_writer = nullptr;
constinit thread_local trace::ThreadNumber my_number = 0;

namespace {

constexpr std::uint16_t begin_id = trace::record_id(trace::Kind::thread, trace::Verb::begin);
constexpr std::uint16_t end_id = trace::record_id(trace::Kind::thread, trace::Verb::end);

/// pthread's key: its destructor runs after those of thread_local objects. Other keys' destructors may still use spool,
/// so it comes back for the last but one of the rounds that POSIX grants. (In the last a sanitizer takes its own leave,
/// and nothing that it watches may run after that.)
pthread_key_t exit_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    pthread_key_create(&made, [](void* value) {
      auto* writer = static_cast<Writer*>(value);
      if (++writer->exit_round < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
        pthread_setspecific(exit_key(), writer);
      } else {
        detach();
      }
    });
    return made;
  }();
  return key;
}

std::shared_ptr<Identity> unknown_thread() {
  const bool is_main = os::native_id() == os::process_id();
  auto identity = std::allocate_shared<Identity>(ReservedAllocator<Identity>{},
                                                 is_main ? trace::Origin::main : trace::Origin::foreign,
                                                 is_main ? "MainThread" : next_dummy_name(), !is_main, 0);
  Registry::add(identity);
  return identity;
}

Writer& writer_for(const std::shared_ptr<Identity>& identity, bool ours) {
  try {
    return Recorder::instance().attach(identity);
  } catch (...) {  // no memory, and no reserve: its next call tries again
    if (!ours) Registry::remove(*identity);
    throw;
  }
}

}  // namespace

Writer& attach(std::shared_ptr<Identity> identity) {
  prepare_for_fork();
  const bool ours = identity != nullptr;
  if (!ours) identity = unknown_thread();
  Registry::set_native_id(*identity);
  Writer& writer = writer_for(identity, ours);
  writer.exit_round = 0;
  writer.holds = 0;
  my_writer = &writer;
  my_number = writer.number;
  pthread_setspecific(exit_key(), &writer);
  if (current_mode() == Mode::off) return writer;
  emit_slowly(writer, begin_id, *identity, {}, identity->next_sequence(), identity->creator(), identity->native_id(),
              {.thread = identity->creator()});
  return writer;
}

void detach() {
  Writer& writer = *my_writer;
  const std::shared_ptr<Identity> identity = writer.identity;
  const auto given_away = static_cast<std::int32_t>(take_given_away(writer.number));
  if (current_mode() != Mode::off) {
    emit(writer, end_id, *identity, {}, identity->next_sequence(), static_cast<std::uint32_t>(identity->outcome),
         static_cast<std::uint32_t>(std::max(writer.holds - given_away, 0)));
  }
  my_writer = nullptr;
  my_number = 0;
  Recorder::instance().detach(writer);
  Registry::remove(*identity);
  identity->mark_ended();
  identity->on_ended();
}

std::shared_ptr<Identity> main_identity() {
  for (auto& identity : Registry::all()) {
    if (identity->origin() == trace::Origin::main) return identity;
  }
  return nullptr;
}

bool prepare(Writer& writer, const Need& need) noexcept {
  return Recorder::instance().prepare(writer, need);
}

void end_lease(Writer& writer) noexcept {
  Recorder::instance().end_lease(writer);
}

void count_loss(Writer& writer, trace::LossReason reason) noexcept {
  Recorder::instance().count_loss(writer, reason);
}

namespace {

constexpr int emit_attempts = 64;

}  // namespace

trace::SiteNumber number_of_site(Writer& writer, const Site& site) noexcept {
  const SiteSlot& slot = writer.sites[site_slot(site)];
  // relaxed: a hint; where nothing is recorded there are no numbers, and no Record is lost
  if (generation.load(std::memory_order_relaxed) == 0) return 0;
  if (!slot.is_of(site) && !prepare(writer, {.site = &site})) return 0;
  return slot.is_of(site) ? slot.number : 0;
}

Site site_of_number(Writer& writer, trace::SiteNumber number) noexcept {
  return Recorder::instance().site_of(writer, number);
}

Emitted emit_slowly(Writer& writer, std::uint16_t id, Object& object, const Site& site, trace::Sequence sequence,
                    std::uint32_t a, std::uint32_t b, const Quoted& quoted) noexcept {
  const Need need{.size = sizeof(trace::Transition),
                  .object = &object,
                  .site = &site,
                  .thread = quoted.thread,
                  .quoted_site = quoted.site};
  Emitted emitted{};
  const bool quotes = quoted.thread != 0 || quoted.site != 0;
  if (!quotes && try_emit(writer, id, object, site, sequence, a, b, emitted)) return emitted;
  for (int i = 0; i < emit_attempts; ++i) {
    if (!prepare(writer, need)) return {os::ticks(), 0};
    const bool done = try_emit(writer, id, object, site, sequence, a, b, emitted);
    finish(writer);
    if (done) return emitted;
  }
  count_loss(writer, trace::LossReason::no_space);
  return {os::ticks(), 0};
}

namespace {

bool is_known(const Writer& writer, const Quoted& quoted) {
  const auto known = [&](const Writer::QuotedSlot& slot, std::uint32_t number) {
    return number == 0 || (slot.number == number && slot.generation == writer.generation);
  };
  return known(writer.quoted_threads[quoted.thread % Writer::quoted_slots], quoted.thread) &&
         known(writer.quoted_sites[quoted.site % Writer::quoted_slots], quoted.site);
}

void set_known(Writer& writer, const Quoted& quoted) {
  writer.quoted_threads[quoted.thread % Writer::quoted_slots] = {quoted.thread, writer.generation};
  writer.quoted_sites[quoted.site % Writer::quoted_slots] = {quoted.site, writer.generation};
}

}  // namespace

void make_ready(Writer& writer, Object& object, const Site& site, const Quoted& quoted) noexcept {
  make_ready(writer, object, site);
  if (is_known(writer, quoted)) return;
  const Need need{.size = 2 * sizeof(trace::Transition),
                  .object = &object,
                  .site = &site,
                  .thread = quoted.thread,
                  .quoted_site = quoted.site};
  if (prepare(writer, need)) set_known(writer, quoted);
}

Emitted emit_quoting(Writer& writer, std::uint16_t id, Object& object, const Site& site, trace::Sequence sequence,
                     std::uint32_t a, std::uint32_t b, const Quoted& quoted) noexcept {
  if (!is_known(writer, quoted)) {
    const Emitted emitted = emit_slowly(writer, id, object, site, sequence, a, b, quoted);
    set_known(writer, quoted);
    return emitted;
  }
  // Should the segment change in between, the fast path refuses and the slow one defines them there.
  Emitted emitted{};
  if (try_emit(writer, id, object, site, sequence, a, b, emitted)) return emitted;
  return emit_slowly(writer, id, object, site, sequence, a, b, quoted);
}

}  // namespace spool::log

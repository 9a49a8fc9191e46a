// SPDX-License-Identifier: MIT
//
// Measuring while the recorder works: modes, rounds that no swap of segments falls into, and what the keeper used.
#pragma once

#include <spool/config/config.hpp>
#include <spool/log/recorder.hpp>

#include "measure.hpp"

#include <string>

namespace bench {

/// Records into `directory`, with a ring small enough to be lapped at once.
void start_recording(const std::filesystem::path& directory, bool archived);

/// Chooses the clock, as SPOOL_CLOCK or the machine says, and tells how it is read: "rdtsc" or "clock_gettime".
std::string choose_clock();

/// Writes until segments are recycled and no longer created, which is how a server that has run for a while records.
void lap_the_ring();

/// Writes until so many segments more have been begun.
void begin_segments(std::uint64_t count);

/// Times `operation` in `mode`.
template <class F>
Timed in_mode(spool::Mode mode, std::uint64_t count, F&& operation) {
  spool::set_transitions(mode);
  operation();  // what the mode changed is learnt outside of the time taken: sites and objects are defined
  return {ns_per(count, operation)};
}

/// The same on prepared pages: not clean if a segment was begun meanwhile (or Records were lost).
template <class F>
Timed between_swaps(spool::Mode mode, std::uint64_t count, F&& operation) {
  spool::log::Recorder& recorder = spool::log::Recorder::instance();
  const spool::log::RecorderCounters before = recorder.counters();
  Timed timed = in_mode(mode, count, operation);
  const spool::log::RecorderCounters after = recorder.counters();
  timed.clean = after.segments == before.segments && after.lost == before.lost && after.helped == before.helped;
  return timed;
}

/// CPU time that the keeper has used, in ns; 0 where the kernel does not tell.
std::uint64_t keeper_nanoseconds();

/// What the recorder has counted since `before`, as a sentence.
std::string counted_since(const spool::log::RecorderCounters& before);

}  // namespace bench

// SPDX-License-Identifier: MIT
//
// The frequency of the ticks, known better the longer the process runs. Owns the baseline; who reads the clocks, and
// when, is the caller's.
#pragma once

#include <spool/os/clock.hpp>

#include <cstdint>

namespace spool::os {

/// A baseline from one reading to the latest: of half an hour to an hour once there is so much, so that it goes with
/// the crystal's temperature and with NTP's slewing. It begins anew where the ticks do not go with the monotonic clock:
/// the machine was suspended, or the counter was set. Thread-bound.
///
///   Calibration calibration;
///   calibration.begin(read_clocks(), choose_clock(ClockChoice::automatic));
///   calibration.read(read_clocks());      // now and then
///   calibration.frequency();
class Calibration {
 public:
  void begin(const ClockReading& start, const Clock& clock);
  void read(const ClockReading& now);
  std::uint64_t frequency() const { return frequency_; }  ///< ticks a second
  double ppm() const { return ppm_; }  ///< how far it can be off, by how closely the clocks were read

 private:
  bool goes_on(const ClockReading& now) const;
  void move_base(const ClockReading& now);

  ClockReading base_;
  ClockReading next_base_;
  ClockReading last_;
  std::uint64_t frequency_ = 1'000'000'000;
  double ppm_ = 0;
};

}  // namespace spool::os

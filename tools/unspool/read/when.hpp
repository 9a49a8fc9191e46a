// SPDX-License-Identifier: MIT
//
// A moment as a person gives it: `14:03:07.5`, RFC 3339, `+12.5s`, `-3s`, `end`. Owns its form and which tick it is.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace unspool {

class When {
 public:
  enum class From : std::uint8_t {
    start,  ///< since the first Record: `+12.5s`, `+300ms`, `+2m`; a number alone is seconds
    last,   ///< before the last Record: `-3s`
    day,    ///< a time of day in UTC: `14:03`, `14:03:07.5`; the first one from an hour before the first Record on
    epoch,  ///< RFC 3339; without a zone it is UTC
    end,    ///< the last Record
  };

  /// Nothing where it is none of these. Units are ns, us, ms, s, m and h.
  static std::optional<When> parse(std::string_view text);

  From from() const { return from_; }
  /// Whether at() needs to know the last Record's time.
  bool needs_last() const { return from_ == From::last; }
  bool is_end() const { return from_ == From::end; }

  /// The tick; `end` is the greatest. What lies before tick 0 is tick 0.
  /// Requires: `first` and, where it is needed, `last` are times of Records.
  trace::Ticks at(const Process& process, trace::Ticks first, trace::Ticks last) const;

 private:
  From from_ = From::end;
  std::uint64_t nanoseconds_ = 0;
};

/// "10ms", "1.5s", "2m", as in `+12.5s`: nanoseconds.
std::optional<std::uint64_t> parse_duration(std::string_view text);

}  // namespace unspool

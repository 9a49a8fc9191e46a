// SPDX-License-Identifier: MIT
//
// The running process in words: the thread dump, in the manner of a JVM's, and the sentences of the watchdog. Names are
// escaped: nothing in them may forge a line or steer a terminal.
#pragma once

#include <spool/log/live.hpp>

#include <functional>
#include <optional>
#include <string>

namespace spool::log {

/// "file:line" of a site's number, empty where it is not known.
using PlaceOf = std::function<std::string(trace::SiteNumber)>;

/// `12.300 s`, `4 min 2 s`, `3 h 59 min`, `2 d 1 h`.
std::string lasted(double seconds);

/// `, ends by itself in 1.250 s`; nothing where it does not.
std::string ending(std::optional<double> seconds);

/// `worker(7)`
std::string name_of(const LiveThread& thread);

/// `lock "accounts"`, or the thread that is joined.
std::string name_of(const LiveWait& wait);

/// A paragraph: the thread, its wait with who has what it waits for, its holds.
///
///   "worker" #7 daemon native=4713
///     has waited 12.300 s for lock "accounts", at transfer.cpp:20
///       held by clerk(8) for 12.400 s, taken at transfer.cpp:18
///     has held lock "customers" for 12.400 s, taken at transfer.cpp:19
std::string paragraph(const LiveProcess& process, const LiveOwners& owners, const LiveThread& thread,
                      const PlaceOf& place_of);

/// One line: `a(2) waits for lock "x" held by b(3), which waits for lock "y" held by a(2)`.
std::string sentence(const std::vector<const LiveThread*>& circle);

/// All threads, then the circles.
std::string dump(const LiveProcess& process, std::uint32_t pid, const PlaceOf& place_of);

}  // namespace spool::log

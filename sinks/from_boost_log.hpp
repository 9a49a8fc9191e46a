// SPDX-License-Identifier: MIT
//
// The door for programs that log through Boost.Log: their calls stay as they are, and land as messages in the stream of
// the thread that made them, at the time of the call. In libspool-boost (pkg-config spool-boost).
//
//   boost::log::core::get()->add_sink(spool::sinks::from_boost_log());
//
// Read from a Boost record: the message; "Severity" (boost::log::trivial's levels, or an int from 0, trace, to 5,
// critical; otherwise info); "Channel" (a string) as the logger; "File" and "Function" (strings) and "Line" (int or
// unsigned) as the place.
// Thread-safe. Records: a message, or none where spool's level for a logger of that name is above it.
#pragma once

#include <boost/log/sinks/sink.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>

namespace spool::sinks {

/// A sink for Boost's core that calls spool from the calling thread, without a lock.
boost::shared_ptr<boost::log::sinks::sink> from_boost_log();

}  // namespace spool::sinks

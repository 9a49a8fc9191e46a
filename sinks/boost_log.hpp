// SPDX-License-Identifier: MIT
//
// Records to Boost.Log, so that its filters, formatters and back-ends work on them. In a library of its own: link
// libspool-boost (pkg-config spool-boost).
//
//   spool::basic_config({.sinks = {spool::sinks::boost_log()}});
//   boost::log::core::get()->set_filter(expr::attr<std::string>("ThreadName") == "worker-1");
//
// Attributes, each under its name and of this type:
//
//   Message     std::string                a message's text; of a transition its Record's name and its object's
//   Severity    boost::log::trivial::severity_level; critical is fatal
//   Channel     std::string                the logger's name; absent for the root logger
//   TimeStamp   boost::posix_time::ptime   local time of the Record, microseconds
//   ThreadName  std::string
//   ThreadID    std::uint32_t              spool's number of the thread
//   NativeThreadID, ProcessID  std::uint32_t
//   Daemon      bool
//   File, Function  std::string; Line std::uint32_t; absent where the place is not known
//   Transition  std::string                "lock.acquire"; absent for a message
//   Object      std::string; ObjectKind std::string ("lock"); ObjectID, Sequence std::uint64_t; absent for a message
//   Wait        std::int64_t               nanoseconds; where the Record ends a wait that had a block
//
// and each argument of a message, and each other field of a transition, under its own name (`waker`, `owner_name`, ...)
// unless that is one of these: whole numbers are std::int64_t or std::uint64_t, others bool, float, double,
// std::string.
#pragma once

#include <spool/log/sink.hpp>

#include <memory>

namespace spool::sinks {

struct BoostLogOptions {
  bool transitions = true;  ///< or messages only
};

/// To boost::log::core, from the thread that feeds this sink. What is logged after Boost.Log's own statics were
/// destroyed, at the very end of the program, does not go there; all before that does.
std::shared_ptr<Sink> boost_log(BoostLogOptions options = {});

}  // namespace spool::sinks

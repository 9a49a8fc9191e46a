// SPDX-License-Identifier: MIT
//
// What happens when a primitive is used against its contract: a clear error, logged, and thrown where a caller can
// catch it, else followed by abort.
#pragma once

#include <spool/log/object.hpp>
#include <spool/log/site.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace spool {

/// Python's RuntimeError of the threading module: a primitive was used against its contract. The text names the object,
/// who holds it, the calling thread and its line. Records: an error message of the same words, so that whoever catches it
/// does not hide the mistake from the log.
class MisuseError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace log {

/// "thread worker (3)", as errors name one; 0: "nobody".
std::string describe_thread(trace::ThreadNumber number);

/// Logs and throws MisuseError: `what` the object, held by `holder` (0: nobody).
[[noreturn]] void throw_misuse(std::string_view what, Object& object, trace::ThreadNumber holder, const Site& site);

/// The same words as a critical message, then abort: for destructors and what is noexcept.
[[noreturn]] void abort_misuse(std::string_view what, Object& object, trace::ThreadNumber holder,
                               const Site& site) noexcept;

/// Who holds an object, and since which line of its.
struct Holder {
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;
};

/// In the child of a fork, where `holder` is not: logs an error that `object` cannot be had, and gives its words.
std::string report_orphan(Object& object, const Holder& holder, const Site& site);

/// The same for one that cannot be used at all; `why` ends the sentence.
std::string report_orphaned_use(Object& object, std::string_view why, const Site& site);

/// A thread that is not there has the object's inner lock: it was about to change it. Reports that and throws
/// MisuseError.
[[noreturn]] void throw_left_midway(Object& object, const Site& site);

}  // namespace log
}  // namespace spool

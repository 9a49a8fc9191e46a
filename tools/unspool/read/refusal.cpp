// SPDX-License-Identifier: MIT
#include <spool/trace/schema.hpp>

#include <fmt/format.h>
#include <unspool/read/refusal.hpp>

namespace unspool {

namespace trace = spool::trace;

std::string refusal_of(const Declared& declared, const MetadataText& metadata, const std::string& path) {
  const std::string tracer = declared.text("tracer_name");
  const std::int64_t major = declared.number("spool_format_major", 0);
  const std::int64_t minor = declared.number("spool_format_minor", 0);
  if (metadata.text.empty()) {
    return fmt::format("{}/metadata: {}; without it the Records cannot be read: copy the whole segment again", path,
                       metadata.problem);
  }
  if (!tracer.empty() && tracer != "spool") {
    return fmt::format("{}: is a trace of {}, not of spool: read it with babeltrace2", path, tracer);
  }
  if (major > trace::format_major) {
    return fmt::format("{}: was written by a newer spool (format {}.{}), this unspool reads {}.x: use a newer unspool",
                       path, major, minor, trace::format_major);
  }
  if (!metadata.problem.empty() && !declared.has_trace) {
    return fmt::format(
        "{}/metadata: {}; what is left of it is not enough to read the Records: copy the whole segment again", path,
        metadata.problem);
  }
  if (!declared.whole && !declared.has_trace) {
    return fmt::format("{}/metadata: breaks off before it says how to read the Records: copy the whole segment again",
                       path);
  }
  if (tracer.empty() || major < 1 || !declared.has_trace) {
    return fmt::format(
        "{}: is a CTF trace, but its metadata does not say that spool wrote it: read it with babeltrace2", path);
  }
  if (!declared.little_endian) return fmt::format("{}: is big-endian, which spool never writes", path);
  return {};
}

}  // namespace unspool

// SPDX-License-Identifier: MIT
//
// The second reading: the lines of one process.
#include <unspool/read/logs.hpp>

#include <utility>

namespace unspool {

LogPartReader::LogPartReader(const Logs& logs, LogProcess& process, const LogPart& part, Want want, bool definitions)
    : logs_{logs},
      process_{process},
      part_{part},
      want_{want},
      definitions_{definitions},
      reader_{LogBytes::open(*logs.files()[part.file], part.offset), part.offset, part.number},
      text_{logs.pattern()} {}

bool LogPartReader::next(Line& line, Place& place) {
  for (RawLine raw; reader_.next(raw);) {
    if (raw.offset >= part_.end) break;
    if (raw.offset < part_.offset) continue;  // compressed: there is no way to begin in the middle
    if (reader_.bytes().used() - told_ >= 1 << 20) tell_progress();
    if (raw.enormous || !read(raw, line)) continue;
    place = {0, static_cast<std::uint32_t>(part_.file), raw.offset};
    return true;
  }
  tell_progress();
  return false;
}

void LogPartReader::tell_progress() {
  logs_.progress().advance(reader_.bytes().used() - std::exchange(told_, reader_.bytes().used()));
}

/// false: another's, a definition that nobody asked for, or none at all.
bool LogPartReader::read(const RawLine& raw, Line& line) {
  const bool json = is_json(raw.text, logs_.pattern());
  if (json != process_.key.json) return false;
  Glance glance;
  const bool alone = logs_.alone();
  // A glance saves the whole reading of another process's line.
  if (!alone && glance_at(raw.text, json, logs_.pattern(), glance) && glance.pid != process_.key.pid) return false;
  const Fault fault = json ? json_.parse(raw.text, want_, line) : text_.parse(raw.text, want_, line);
  if (fault != Fault::none) {
    // What the glance of the first reading could not see; all else was counted there.
    const bool seen = glance_at(raw.text, json, logs_.pattern(), glance) && glance.pid == process_.key.pid;
    if (seen && !glance.definition && mine_) process_.faults[part_.file].add(judged(fault, raw), raw);
    return false;
  }
  if (line.pid != process_.key.pid) return false;
  const bool definition = line.row->kind == trace::Kind::definition;
  if (definition && line.row->verb == trace::Verb::process) mine_ = line.numbers[1] == process_.key.started;
  if (!line.has_pairs && line.thread == 0) line.thread = process_.number_of(line.thread_name, 0);
  return mine_ && (definitions_ || !definition);
}

}  // namespace unspool

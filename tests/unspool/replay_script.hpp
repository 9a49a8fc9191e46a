// SPDX-License-Identifier: MIT
//
// A process's Records written down by hand, for tests of replay and of the analyses. Sequences are counted by the
// script; one tick is one nanosecond. Knows nothing of files.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

namespace unspool::test {

using trace::Kind;
using trace::Mode;
using trace::Verb;

/// A list of Records as a source.
class ListSource : public RecordSource {
 public:
  explicit ListSource(const std::vector<Record>& records) : records_{records} {}
  bool next(Record& record) override {
    if (at_ == records_.size()) return false;
    record = records_[at_++];
    return true;
  }

 private:
  const std::vector<Record>& records_;
  std::size_t at_ = 0;
};

/// Lock number n of a script.
constexpr trace::ObjectNumber lock(std::uint64_t n) {
  return trace::first_object_number + n;
}
/// Condition number n of a script.
constexpr trace::ObjectNumber condition(std::uint64_t n) {
  return trace::first_object_number + 1'000'000 + n;
}

class Script {
 public:
  Process process;
  std::vector<Record> records;

  Script() {
    process.program = "server";
    process.pid = 4711;
    process.hostname = "host";
    process.started = "2024-05-01T12:00:00.000Z";
    process.clock_source = "monotonic";
    process.clocks.push_back({0, 0, 1'714'564'800'000'000'000, 0, 1'000'000'000});
  }

  void thread(trace::ThreadNumber number, std::string name, bool daemon = false) {
    process.threads[number] = {std::move(name), number, 0, daemon, trace::Origin::spool};
  }
  void site(trace::SiteNumber number, std::string file, std::uint32_t line, std::string function) {
    process.sites[number] = {std::move(file), std::move(function), line};
  }
  void object(trace::ObjectNumber number, Kind kind, std::string name, trace::SiteNumber site) {
    process.objects[number] = {std::move(name), kind, site, 0};
  }

  Record& add(Kind kind, Verb verb, trace::Ticks time, trace::ThreadNumber thread, trace::ObjectNumber object,
              trace::SiteNumber site = 0, std::uint32_t a = 0, std::uint32_t b = 0) {
    Record record;
    record.row = trace::row_of(kind, verb);
    record.time = time;
    record.thread = thread;
    record.object = object;
    record.site = site;
    record.seq = record.row->advances ? ++sequences_[object] : sequences_[object];
    record.a = a;
    record.b = b;
    records.push_back(record);
    return records.back();
  }

  // Lock: time, thread, lock, site
  void block(trace::Ticks time, trace::ThreadNumber thread, trace::ObjectNumber object, trace::SiteNumber site,
             trace::ThreadNumber owner = 0, trace::SiteNumber owner_site = 0) {
    add(Kind::lock, Verb::block, time, thread, object, site, owner, owner_site);
  }
  void acquire(trace::Ticks time, trace::ThreadNumber thread, trace::ObjectNumber object, trace::SiteNumber site,
               trace::ThreadNumber waker = 0, std::uint32_t spun = 0) {
    add(Kind::lock, Verb::acquire, time, thread, object, site, waker, spun);
  }
  void release(trace::Ticks time, trace::ThreadNumber thread, trace::ObjectNumber object, trace::SiteNumber site = 0,
               trace::ThreadNumber owner = 0) {
    add(Kind::lock, Verb::release, time, thread, object, site, 0, owner);
  }

  // Joins: time, joiner, target, site
  void join(trace::Ticks time, trace::ThreadNumber thread, trace::ThreadNumber target, trace::SiteNumber site) {
    add(Kind::thread, Verb::block, time, thread, target, site, target);
  }
  void joined(trace::Ticks time, trace::ThreadNumber thread, trace::ThreadNumber target, trace::SiteNumber site) {
    add(Kind::thread, Verb::resume, time, thread, target, site, target);
  }
  void begin(trace::Ticks time, trace::ThreadNumber thread) { add(Kind::thread, Verb::begin, time, thread, thread); }
  void end(trace::Ticks time, trace::ThreadNumber thread, bool exception = false) {
    add(Kind::thread, Verb::end, time, thread, thread, 0, exception ? 1 : 0);
  }
  void lost(trace::Ticks time, trace::ThreadNumber thread, std::uint64_t count) {
    add(Kind::trace, Verb::loss, time, thread, 0).count = count;
  }

  /// Takes the next sequence number of an object, as a Record that is missing would have.
  void skip(trace::ObjectNumber object) { ++sequences_[object]; }

 private:
  std::unordered_map<trace::ObjectNumber, trace::Sequence> sequences_;
};

/// The analysis of a script.
class Answer {
 public:
  explicit Answer(const Script& script) : source_{script.records}, analysis{script.process, source_} {}

 private:
  ListSource source_;

 public:
  Analysis analysis;
};

/// What a command prints for a script; `findings` tells its answer.
template <class Command>
std::string printed(Command command, Script& script, const Options& options = {}, bool* findings = nullptr) {
  ListSource source{script.records};
  Input input{script.process, source, script.records.empty() ? 0 : script.records.back().time};
  std::FILE* file = std::tmpfile();
  const bool found = command(std::span<Input>{&input, 1}, options, file);
  if (findings != nullptr) *findings = found;
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  const std::size_t read = std::fread(text.data(), 1, text.size(), file);
  std::fclose(file);
  text.resize(read);
  return text;
}

}  // namespace unspool::test

// SPDX-License-Identifier: MIT
//
// The engine behind the readers, fed with any Records in any order, and all questions asked of what it makes of them. Eight bytes
// of the input are a Record.
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr std::size_t record_bytes = 8;
constexpr std::size_t most_records = 2000;

/// Kinds that take part; definitions and messages have fields that a Script does not make.
bool is_made(const trace::Row& row) {
  return row.kind != Kind::definition && row.kind != Kind::message;
}

void add_record(Script& script, trace::Ticks& now, const std::array<std::uint8_t, record_bytes>& bytes) {
  const auto rows = trace::rows();
  const trace::Row& row = rows[bytes[0] % rows.size()];
  if (!is_made(row)) return;
  now += bytes[1];
  // Other threads' clocks go differently.
  const trace::Ticks time = (bytes[2] & 0xf0U) == 0xf0U && now > 500 ? now - 500 : now;
  const auto thread = static_cast<trace::ThreadNumber>(bytes[2] % 6);
  const bool to_thread = row.kind == Kind::thread;
  const trace::ObjectNumber object = to_thread ? bytes[3] % 6U : lock(bytes[3] % 8U);
  Record& record = script.add(row.kind, row.verb, time, thread, object, bytes[4] % 6U, bytes[5] % 6U, bytes[6] % 6U);
  record.since = time - std::min<trace::Ticks>(time, bytes[7]);
  record.count = bytes[7];
  if (bytes[7] > 250) script.skip(object);
}

Script script_of(const std::uint8_t* data, std::size_t size) {
  Script script;
  for (std::uint32_t i = 1; i < 5; ++i) {
    script.thread(i, "thread");
    script.site(i, "a.cpp", i, "f");
    script.object(lock(i), static_cast<Kind>(size == 0 ? 2 : data[0] % trace::kind_count), "object", i);
  }
  trace::Ticks now = 1000;
  for (std::size_t at = 0; at + record_bytes <= size && at / record_bytes < most_records; at += record_bytes) {
    std::array<std::uint8_t, record_bytes> bytes{};
    std::memcpy(bytes.data(), data + at, record_bytes);
    add_record(script, now, bytes);
  }
  return script;
}

void ask_all(Script& script, Options::Format format) {
  Options options;
  options.format = format;
  const auto blame = [](auto inputs, const Options& how, std::FILE* out) { return run_blame(inputs, how, true, out); };
  const auto state = [](auto inputs, const Options& how, std::FILE* out) {
    return run_state(inputs, how, {*When::parse("+0.0000005s")}, out);
  };
  const auto path = [](auto inputs, const Options& how, std::FILE* out) { return run_path(inputs, how, {}, out); };
  for (const auto& question : {run_report, run_locks, run_joins, run_waits, run_deadlocks, run_order, run_misuse,
                               run_check, run_threads, run_why})
    (void)printed(question, script, options);
  (void)printed(blame, script, options);
  (void)printed(state, script, options);
  (void)printed(path, script, options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script = script_of(data, size);
  ask_all(script, size % 2 == 0 ? Options::Format::table : Options::Format::json);
  return 0;
}

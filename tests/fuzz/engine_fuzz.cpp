// SPDX-License-Identifier: MIT
//
// The engine behind the readers, fed with any Records in any order, of one process or of two, and all questions asked
// of what it makes of them, as the command line can ask them: in each format, filtered, with messages, with a baseline,
// under pseudonyms, together.
//
//   byte 0: the objects' kind · byte 1: format, several processes · byte 2: filters · byte 3: how else it is asked
//   then eight bytes a Record
#include <unspool/analyze/redact.hpp>
#include <unspool/render/together.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <utility>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr std::size_t head_bytes = 4;
constexpr std::size_t record_bytes = 8;
constexpr std::size_t most_records = 2000;

using Bytes = std::span<const std::uint8_t>;

/// Texts that stay where they are; one of them wants to hurt a terminal, and is no UTF-8.
const MessageClass* message_class(std::size_t which) {
  static const std::deque<MessageClass> classes = [] {
    std::deque<MessageClass> made;
    for (const char* text : {"request", "evil \x1b[2J\n\xff", "", "<b>,\"quoted\""}) {
      MessageClass& each = made.emplace_back();
      each.level = trace::Level::warning;
      each.text = text;
      each.has_text = true;
    }
    return made;
  }();
  return &classes[which % classes.size()];
}

void add_record(Script& script, trace::Ticks& now, std::span<const std::uint8_t, record_bytes> bytes) {
  const auto rows = trace::rows();
  const trace::Row& row = rows[bytes[0] % rows.size()];
  if (row.kind == Kind::definition) return;  // a Script makes its own
  now += bytes[1];
  // Other threads' clocks go differently.
  const trace::Ticks time = (bytes[2] & 0xf0U) == 0xf0U && now > 500 ? now - 500 : now;
  const auto thread = static_cast<trace::ThreadNumber>(bytes[2] % 6);
  if (row.kind == Kind::message) {
    script.add(Kind::message, Verb::text, time, thread, 0, bytes[4] % 6U).message = message_class(bytes[5]);
    return;
  }
  const bool to_thread = row.kind == Kind::thread;
  const trace::ObjectNumber object = to_thread ? bytes[3] % 6U : lock(bytes[3] % 8U);
  Record& record = script.add(row.kind, row.verb, time, thread, object, bytes[4] % 6U, bytes[5] % 6U, bytes[6] % 6U);
  record.since = time - std::min<trace::Ticks>(time, bytes[7]);
  record.count = bytes[7];
  if (bytes[7] > 250) script.skip(object);
}

/// One process; `number` tells it from the others.
void fill(Script& script, Bytes head, Bytes records, std::uint32_t number) {
  script.process.pid += number;
  script.process.boot = (head[3] & 1U) != 0 ? "boot" : "";
  if ((head[3] & 2U) != 0) script.process.frequency = 2'300'000'123 + number;
  if ((head[3] & 4U) != 0) script.process.clocks.clear();
  script.process.mode = static_cast<Mode>((head[3] >> 3U) % 4U);
  for (std::uint32_t i = 1; i < 5; ++i) {
    script.thread(i, i == 3 ? "th\x1bread" : "thread", i == 2);
    script.site(i, "a.cpp", i, "f");
    script.object(lock(i), static_cast<Kind>(head[0] % trace::kind_count), i == 2 ? "" : "object", i);
  }
  trace::Ticks now = 1000;
  for (; records.size() >= record_bytes && script.records.size() < most_records;
       records = records.subspan(record_bytes))
    add_record(script, now, records.first<record_bytes>());
}

Options options_of(Bytes head) {
  Options options;
  options.format = std::array{Options::Format::table, Options::Format::json, Options::Format::csv}[head[1] % 3];
  options.together = (head[1] & 0x40U) != 0;
  if ((head[2] & 1U) != 0) options.wanted.threads = {"thread", "th*d", "2"};
  if ((head[2] & 2U) != 0) options.wanted.objects = {"obj*", "a.cpp:2"};
  if ((head[2] & 4U) != 0) options.wanted.kinds = {"l*", "event"};
  if ((head[2] & 8U) != 0) options.wanted.from = When::parse("+0.0000005s");
  if ((head[2] & 16U) != 0) options.wanted.to = When::parse("-0.0000005s");
  if ((head[2] & 32U) != 0) options.wanted.min_wait = 100;
  if ((head[2] & 64U) != 0) options.messages = 3;
  options.color = (head[2] & 128U) != 0;
  return options;
}

/// A command, in one of the ways in which it is asked.
struct Question {
  std::string_view command;
  std::function<void(std::span<Input>, const Options&, std::FILE*)> ask;
  bool has_json = true;
};

std::deque<Question> questions() {
  std::deque<Question> all{{"report", run_report}, {"locks", run_locks},     {"joins", run_joins},
                           {"waits", run_waits},   {"order", run_order},     {"deadlocks", run_deadlocks},
                           {"check", run_check},   {"threads", run_threads}, {"misuse", run_misuse},
                           {"why", run_why}};
  for (const bool folded : {false, true})
    all.push_back(
        {"blame", [folded](auto in, const auto& how, auto* out) { run_blame(in, how, folded, out); }, !folded});
  for (const char* at : {"+0.0000005s", "end", "-0.000001s"})
    all.push_back(
        {"state", [at](auto in, const auto& how, auto* out) { run_state(in, how, {*When::parse(at)}, out); }});
  for (const PathOptions& path : {PathOptions{}, PathOptions{"", "quoted"}, PathOptions{"request", "quoted"}})
    all.push_back({"path", [path](auto in, const auto& how, auto* out) { run_path(in, how, path, out); }});
  for (const auto time : {CatOptions::Time::offset, CatOptions::Time::clock, CatOptions::Time::ticks})
    all.push_back({"cat", [time](auto in, const auto& how, auto* out) {
                     CatOptions cat;
                     cat.time = time;
                     cat.definitions = true;
                     run_cat(in, how, cat, out);
                   }});
  return all;
}

/// Each line of a document that claims to be JSON is to be JSON; a document is one line or many.
void hold_to_json(std::string_view text) {
  if (Json::accept(text)) return;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    if (!Json::accept(text.substr(0, end + 1))) {
      (void)std::fwrite(text.data(), 1, end + 1, stderr);
      std::abort();
    }
    text.remove_prefix(end + 1);
  }
}

void ask(const Question& question, std::deque<Script>& scripts, Options options, Redactor* redactor) {
  options.together = options.together && Together::is_for(question.command);
  std::deque<ListSource> sources;
  std::deque<Redacted> redacted;
  std::deque<Process> processes;  // what a question adds to one is not the next one's
  std::vector<Input> inputs;
  for (Script& script : scripts) {
    Process& process = processes.emplace_back(script.process);
    RecordSource* source = &sources.emplace_back(script.records);
    if (redactor != nullptr) {
      redactor->rename(process);
      source = &redacted.emplace_back(*redactor, process, *source);
    }
    inputs.push_back({process, *source, script.records.empty() ? 0 : script.records.back().time});
  }
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = ::open_memstream(&text, &size);
  question.ask(inputs, options, out);
  (void)std::fclose(out);
  if (options.format == Options::Format::json && question.has_json && size != 0) hold_to_json({text, size});
  // Nothing of the input reaches a terminal as it is.
  if (options.format == Options::Format::table && !options.color && std::memchr(text, 0x1b, size) != nullptr)
    std::abort();
  std::free(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::deque<Question> all = questions();
  if (size < head_bytes) return -1;
  const Bytes head{data, head_bytes};
  Bytes records = Bytes{data, size}.subspan(head_bytes);
  std::deque<Script> scripts(1);
  if ((head[1] & 0x80U) != 0) {
    const std::size_t half = records.size() / 2 / record_bytes * record_bytes;
    fill(scripts.emplace_back(), head, records.subspan(half), 1);
    records = records.first(half);
  }
  fill(scripts.front(), head, records, 0);
  Redactor redactor{"key"};
  Options options = options_of(head);
  Baseline baseline;
  if ((head[3] & 0x80U) != 0) options.baseline = &baseline;
  options.accept = options.baseline != nullptr && (head[3] & 0x20U) != 0;
  for (const Question& question : all)
    ask(question, scripts, options, (head[3] & 0x40U) != 0 ? &redactor : nullptr);
  return 0;
}

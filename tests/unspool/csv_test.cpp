// SPDX-License-Identifier: MIT
//
// CSV: that it has what JSON has, that it is RFC 4180, and that no name becomes a formula.
#include <catch2/catch.hpp>
#include <unspool/render/csv.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

using namespace unspool;
using namespace unspool::test;

namespace {

/// By RFC 4180, by hand: so that the test shares nothing with what it tests.
std::vector<std::vector<std::string>> parse(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& cell = rows.back().back();
    if (quoted) {
      if (text[i] != '"') {
        cell += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[i++];
      } else {
        quoted = false;
      }
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == ',') {
      rows.back().emplace_back();
    } else if (text.compare(i, 2, "\r\n") == 0) {
      ++i;
      rows.push_back({""});
    } else {
      cell += text[i];
    }
  }
  REQUIRE(rows.back() == std::vector<std::string>{""});
  rows.pop_back();
  return rows;
}

Script stuck(const std::string& thread, const std::string& object) {
  Script script;
  script.process.first_time = 100;
  script.thread(1, thread);
  script.thread(2, "other");
  script.site(10, "/src/bank.cpp", 10, "hold");
  script.object(lock(1), Kind::lock, object, 10);
  script.object(condition(1), Kind::condition, "ready", 10);
  script.acquire(100, 1, lock(1), 10);
  script.block(200, 2, lock(1), 10, 1, 10);
  script.release(1000, 1, lock(1), 10);
  script.acquire(1100, 2, lock(1), 10, 1);
  script.add(Kind::lock, Verb::timeout, 1150, 1, lock(1), 10, 2, 10);
  script.join(1200, 1, 2, 10);
  script.block(1300, 2, lock(1), 10, 2, 10);
  script.add(Kind::condition, Verb::notify, 1400, 3, condition(1), 10, 0, 0);
  return script;
}

using Command = std::function<bool(std::span<Input>, const Options&, std::FILE*)>;

const std::vector<std::pair<std::string, Command>>& all_commands() {
  static const std::vector<std::pair<std::string, Command>> all{
      {"locks", run_locks},
      {"joins", run_joins},
      {"waits", run_waits},
      {"deadlocks", run_deadlocks},
      {"misuse", run_misuse},
      {"threads", run_threads},
      {"check", run_check},
      {"blame", [](auto inputs, const Options& how, std::FILE* out) { return run_blame(inputs, how, false, out); }},
      {"state", [](auto inputs, const Options& how, std::FILE* out) { return run_state(inputs, how, {}, out); }}};
  return all;
}

std::string print(const Command& command, Script script, Options::Format format) {
  Options options;
  options.format = format;
  return printed(command, script, options);
}

/// The ways to all values of a row, lists being one value.
void add_paths(const Json& value, const std::string& path, std::set<std::string>& out) {
  if (!value.is_object()) {
    out.insert(path);
    return;
  }
  for (const auto& [key, each] : value.items())
    add_paths(each, path.empty() ? key : path + "." + key, out);
}

const char* rows_of(const std::string& command) {
  if (command == "blame") return "roots";
  if (command == "misuse") return "misuses";
  if (command == "state") return "threads";
  return command == "check" ? "violations" : command.c_str();
}

}  // namespace

TEST_CASE("every field of a JSON row has its column, and every row its line") {
  for (const auto& [name, command] : all_commands()) {
    INFO(name);
    const Json process = Json::parse(print(command, stuck("main", "a"), Options::Format::json))["processes"][0];
    const auto lines = parse(print(command, stuck("main", "a"), Options::Format::csv));
    const std::vector<std::string> columns = csv_columns(name);
    CHECK(lines.at(0) == columns);
    CHECK(lines.size() == process[rows_of(name)].size() + 1);
    for (const auto& line : lines)
      CHECK(line.size() == columns.size());
    std::set<std::string> paths;
    for (const Json& row : process[rows_of(name)])
      add_paths(row, "", paths);
    for (const std::string& path : paths) {
      INFO(path);
      // Where nothing is known an object is null, and its columns are empty.
      const bool column = std::ranges::any_of(
          columns, [&](const std::string& each) { return each == path || each.starts_with(path + "."); });
      CHECK(column);
    }
  }
}

TEST_CASE("the report is a line a value") {
  const auto lines = parse(print(run_report, stuck("main", "a"), Options::Format::csv));
  CHECK(lines.at(0) == std::vector<std::string>{"program", "pid", "field", "value"});
  const auto has = [&](const std::string& field, const std::string& value) {
    return std::ranges::find(lines, std::vector<std::string>{"server", "4711", field, value}) != lines.end();
  };
  CHECK(has("verdict", "deadlock"));
  CHECK(has("locks.0.name", "a"));
  CHECK(has("locks.0.wait.count", "1"));
}

TEST_CASE("a text that a spreadsheet would run gets an apostrophe, and a number does not") {
  for (const std::string name : {"=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1", "\"=1"}) {
    INFO(name);
    const auto lines = parse(csv_cell(name) + "\r\n");
    CHECK(lines.at(0).at(0) == "'" + name);
  }
  CHECK(csv_cell(-1) == "-1");
  CHECK(csv_cell("a-1") == "a-1");
  CHECK(csv_cell("\t=1") == "\\t=1");
}

TEST_CASE("quotes, separators, line ends and controls stay inside their cell and their line") {
  for (const std::string name : {"a,b", "a\"b", "a;b", "\"", "a\r\nb,c", "\x1b[2J", "\xff\xfe", "", " padded ", "\\"}) {
    Script script = stuck(name, name);
    for (const auto& [command_name, command] : all_commands()) {
      INFO(command_name << " " << name);
      const std::string text = print(command, script, Options::Format::csv);
      CHECK(text.find('\x1b') == std::string::npos);
      for (const auto& line : parse(text))
        CHECK(line.size() == csv_columns(command_name).size());
    }
  }
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("a\"b") == "\"a\"\"b\"");
  CHECK(csv_cell("a\nb") == "a\\nb");
  CHECK(csv_cell(nullptr).empty());
}

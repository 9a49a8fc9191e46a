// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <unspool/render/csv.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <span>

namespace unspool {
namespace {

/// What a field is made of (docs/json.md), and so how many columns it takes.
enum class Shape { value, thread, site, object, number_of, spread, spread_with_mean, started };

struct Field {
  std::string_view name;
  Shape shape = Shape::value;
};

struct Layout {
  std::string_view rows;  ///< the list of the process that has them
  std::vector<Field> fields;
};

std::vector<std::string_view> parts_of(Shape shape) {
  switch (shape) {
    case Shape::thread:
      return {".number", ".name"};
    case Shape::site:
      return {".file", ".line", ".function"};
    case Shape::object:
      return {".number", ".kind", ".name", ".created.file", ".created.line", ".created.function"};
    case Shape::number_of:
      return {".count", ".total"};
    case Shape::spread:
      return {".count", ".total", ".p50", ".p99", ".max"};
    case Shape::spread_with_mean:
      return {".count", ".total", ".mean", ".p50", ".p99", ".max"};
    case Shape::started:
      return {".object.number",       ".object.kind",
              ".object.name",         ".object.created.file",
              ".object.created.line", ".object.created.function",
              ".site.file",           ".site.line",
              ".site.function",       ".since",
              ".owner.number",        ".owner.name"};
    case Shape::value:
      break;
  }
  return {""};
}

std::vector<Field> with(std::vector<Field> fields, Field more) {
  fields.push_back(more);
  return fields;
}

const std::map<std::string_view, Layout>& layouts() {
  using enum Shape;
  static const std::vector<Field> locks{{"name"},
                                        {"kind"},
                                        {"created", site},
                                        {"instances"},
                                        {"acquisitions"},
                                        {"contended"},
                                        {"contended_share"},
                                        {"spun"},
                                        {"spun_time"},
                                        {"busy"},
                                        {"timeouts"},
                                        {"cancels"},
                                        {"futile_wakes"},
                                        {"released_by_other"},
                                        {"lost_waits"},
                                        {"unended_waits", number_of},
                                        {"wait", spread_with_mean},
                                        {"hold", spread_with_mean},
                                        {"holders"},
                                        {"hand_over"},
                                        {"unknown"},
                                        {"waiters"},
                                        {"blocking_holds"},
                                        {"worst_instance.object"},
                                        {"worst_instance.waited"},
                                        {"utilisation"},
                                        {"woken"},
                                        {"overtakes"},
                                        {"retakes"},
                                        {"most_futile_wakes"},
                                        {"longest_convoy"},
                                        {"convoy_share"},
                                        {"behind_writers"},
                                        {"stacks"}};
  static const std::vector<Field> findings{{"certainty"}, {"fingerprint"}, {"what"}, {"count"}, {"processes"}};
  static const std::vector<Field> waits{{"kind"},    {"name"},    {"created", site}, {"site", site},
                                        {"threads"}, {"longest"}, {"processes"}};
  static const std::map<std::string_view, Layout> all{
      {"locks", {"locks", with(with(locks, {"inside"}), {"advice"})}},
      {"locks --together", {"locks", with(locks, {"processes"})}},
      {"joins --together", {"joins", {{"process"}, {"joiner"}, {"target"}, {"site", site}, {"waited"}, {"ending"}}}},
      {"deadlocks --together", {"deadlocks", findings}},
      {"order --together", {"inversions", findings}},
      {"misuse --together", {"misuses", findings}},
      {"state --together", {"waiting", waits}},
      {"joins",
       {"joins",
        {{"joiner", thread}, {"target", thread}, {"site", site}, {"since"}, {"waited"}, {"ending"}, {"target_ended"}}}},
      {"waits",
       {"waits",
        {{"name"},
         {"kind"},
         {"created", site},
         {"instances"},
         {"wait", spread},
         {"at_once"},
         {"busy"},
         {"timeouts"},
         {"cancels"},
         {"refused"},
         {"lost_waits"},
         {"unended_waits", number_of},
         {"signals"},
         {"in_vain"},
         {"wake_latency", spread},
         {"waiters"},
         {"wakers"},
         {"timed_out_at"},
         {"last"},
         {"holders"},
         {"waited_for_permits"},
         {"depth.mean"},
         {"depth.max"},
         {"waits_for"},
         {"task_wait", spread},
         {"task_run", spread},
         {"starved", number_of},
         {"late", spread}}}},
      {"why",
       {"waits",
        {{"thread", thread},
         {"object", object},
         {"site", site},
         {"since"},
         {"waited"},
         {"counted"},
         {"ending"},
         {"waker", thread},
         {"waker_site", site},
         {"chains"}}}},
      {"path",
       {"parts",
        {{"role"}, {"thread", thread}, {"object", object}, {"site", site}, {"time"}, {"share"}, {"steps"}, {"gain"}}}},
      {"blame", {"roots", {{"of"}, {"role"}, {"thread", thread}, {"site", site}, {"object", object}, {"time"}}}},
      {"deadlocks",
       {"deadlocks",
        {{"certainty"},
         {"severity"},
         {"cause"},
         {"fingerprint"},
         {"since"},
         {"since_clock"},
         {"lasted"},
         {"threads"},
         {"hanging"},
         {"messages"},
         {"advice"}}}},
      {"order",
       {"inversions",
        {{"what"},
         {"severity"},
         {"certainty"},
         {"fingerprint"},
         {"count"},
         {"happened"},
         {"limited"},
         {"few_threads"},
         {"steps"},
         {"writers"},
         {"join"},
         {"advice"}}}},
      {"misuse",
       {"misuses",
        {{"what"},
         {"severity"},
         {"certainty"},
         {"fingerprint"},
         {"count"},
         {"site", site},
         {"object", object},
         {"thread", thread},
         {"threads"},
         {"waiter", thread},
         {"waiters"},
         {"cause", thread},
         {"cause_site", site},
         {"first"},
         {"first_clock"},
         {"last"},
         {"longest"},
         {"unended"},
         {"taken"},
         {"held"},
         {"locks"},
         {"errno"},
         {"text"}}}},
      {"state",
       {"threads",
        {{"number"},
         {"name"},
         {"state"},
         {"waits_for", started},
         {"waits_for.owner_site", site},
         {"waits_for.owner_since"},
         {"waits_for.stack"},
         {"waits_for.edge"},
         {"waits_for.owner_waits"},
         {"holds"},
         {"last_record"},
         {"last_site", site},
         {"next_record"},
         {"lost"},
         {"messages"}}}},
      {"threads",
       {"threads",
        {{"number"},
         {"name"},
         {"native_id"},
         {"daemon"},
         {"origin"},
         {"creator", thread},
         {"started_at", site},
         {"begin"},
         {"end"},
         {"first_record"},
         {"last_record"},
         {"records"},
         {"outcome"},
         {"joined_by"},
         {"waits_for", started},
         {"waits_for.owner_waits"}}}},
      {"check",
       {"violations", {{"rule"}, {"record"}, {"time"}, {"thread", thread}, {"object", object}, {"what"}, {"place"}}}},
  };
  return all;
}

/// Without the process's.
std::vector<std::string> paths_of(const Layout& layout) {
  std::vector<std::string> out;
  for (const Field& field : layout.fields) {
    for (const std::string_view part : parts_of(field.shape))
      out.push_back(std::string{field.name} + std::string{part});
  }
  return out;
}

/// What stands at "created.line"; null where nothing does.
Json at(const Json& row, std::string_view path) {
  const Json* value = &row;
  while (!path.empty()) {
    const std::string key{path.substr(0, path.find('.'))};
    const auto found = value->is_object() ? value->find(key) : value->end();
    if (!value->is_object() || found == value->end()) return nullptr;
    value = &*found;
    path.remove_prefix(std::min(path.size(), key.size() + 1));
  }
  return *value;
}

/// The full-width ones, too: some spreadsheets take them for the others.
bool begins_formula(std::string_view text) {
  static constexpr std::array<std::string_view, 8> beginnings{"=", "+", "-", "@", "＝", "＋", "－", "＠"};
  text.remove_prefix(std::min(text.find_first_not_of(" '\""), text.size()));
  return std::ranges::any_of(beginnings, [&](std::string_view each) { return text.starts_with(each); });
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"') out += '"';
    out += each;
  }
  return out + '"';
}

std::string text_cell(std::string text) {
  if (begins_formula(text)) text.insert(0, 1, '\'');
  const bool plain = text.find_first_of(",;\"'") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ');
  return plain ? text : in_quotes(text);
}

void print(const std::vector<std::string>& cells, std::FILE* out) {
  const std::string line = csv_line(cells);
  std::fwrite(line.data(), 1, line.size(), out);
}

/// Every value of the process with the way to it: "locks.0.wait.p99".
void print_values(std::span<const std::string> whose, const std::string& path, const Json& value, std::FILE* out) {
  const bool goes_on = value.is_structured() && !value.empty();
  if (!goes_on) return print({whose[0], whose[1], csv_cell(path), csv_cell(value)}, out);
  const std::string before = path.empty() ? "" : path + ".";
  std::size_t index = 0;
  for (const auto& [key, each] : value.items()) {
    const std::string step = value.is_array() ? std::to_string(index++) : key;
    print_values(whose, before + step, each, out);
  }
}

}  // namespace

std::string csv_cell(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_structured()) return value.empty() ? std::string{} : text_cell(json_text(value, -1));
  if (value.is_string()) return text_cell(trace::escaped(value.get_ref<const std::string&>()));
  return value.dump();
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells)
    line += (&cell == cells.data() ? "" : ",") + cell;
  return line + "\r\n";
}

std::vector<std::string> csv_columns(std::string_view command) {
  std::vector<std::string> columns{"program", "pid"};
  const auto layout = layouts().find(command);
  const std::vector<std::string> own =
      layout == layouts().end() ? std::vector<std::string>{"field", "value"} : paths_of(layout->second);
  columns.insert(columns.end(), own.begin(), own.end());
  return columns;
}

void print_csv(std::string_view command, const Json& processes, std::FILE* out) {
  const std::vector<std::string> columns = csv_columns(command);
  print(columns, out);
  const auto layout = layouts().find(command);
  for (const Json& process : processes) {
    const std::array<std::string, 2> whose{csv_cell(process.at("program")), csv_cell(process.at("pid"))};
    if (layout == layouts().end()) {
      print_values(whose, "", process, out);
      continue;
    }
    for (const Json& row : process.at(std::string{layout->second.rows})) {
      std::vector<std::string> cells{whose.begin(), whose.end()};
      for (std::size_t i = whose.size(); i < columns.size(); ++i)
        cells.push_back(csv_cell(at(row, columns[i])));
      print(cells, out);
    }
  }
}

}  // namespace unspool

// SPDX-License-Identifier: MIT
#include <unspool/render/table.hpp>

#include <algorithm>
#include <string_view>

namespace unspool {
namespace {

constexpr std::size_t narrowest = 8;

/// "main.cpp:57" of "main.cpp:57 (transfer)".
std::string_view without_function(std::string_view text) {
  const std::size_t function = text.ends_with(')') ? text.rfind(" (") : std::string_view::npos;
  return text.substr(0, function);
}

std::string cut(const std::string& text, std::size_t width, Table::Cut how) {
  if (how != Table::Cut::end) return elided(text, width);
  return columns(text) <= width ? text : cut_at_end(without_function(text), width);
}

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    longest = std::max(longest, columns(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return longest;
}

std::string padded(const Table::Cell& cell, std::size_t width, const Table::Column& column, bool color) {
  const std::string fitted = cut(cell.text, width, column.cut);
  const std::string space(width - columns(fitted), ' ');
  const std::string shown = toned(fitted, cell.tone, color);
  return column.align == Table::Align::left ? shown + space : space + shown;
}

/// As many words as fit, at least one.
std::string next_line(std::string_view& text, std::size_t width) {
  std::size_t end = text.size();
  while (columns(text.substr(0, end)) > width) {
    const std::size_t space = text.rfind(' ', end - 1);
    if (space == std::string_view::npos || space == 0) break;
    end = space;
  }
  if (columns(text.substr(0, end)) > width) end = std::min(text.find(' '), text.size());
  std::string line{text.substr(0, end)};
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string without_end_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

void Table::row(std::vector<Cell> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::size_t Table::least_of(std::size_t column) const {
  const Column& of = columns_[column];
  std::size_t least = std::max(narrowest, columns(of.title));
  for (const auto& cells : rows_) {
    const std::string& text = cells[column].text;
    least = std::max(least, of.cut == Cut::wrap ? longest_word(text) : columns(without_function(text)));
  }
  return least;
}

/// As wide as the widest cell. What does not fit is taken from the widest elastic column, one by one: first what it can do
/// without, functions and the room that wrapped words do not need, then also the rest.
std::vector<std::size_t> Table::widths(std::size_t room, std::size_t gap) const {
  std::vector<std::size_t> widths;
  std::vector<std::size_t> least;
  std::size_t sum = columns_.empty() ? 0 : gap * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns(columns_[i].title);
    for (const auto& cells : rows_)
      width = std::max(width, columns(cells[i].text));
    if (columns_[i].elastic) width = std::min(width, std::max(room, narrowest));
    widths.push_back(width);
    least.push_back(columns_[i].cut == Cut::middle ? width : least_of(i));
    sum += width;
  }
  const auto shrink = [&](const auto& gives) {
    while (sum > room) {
      std::size_t widest = columns_.size();
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].elastic && gives(i) && (widest == columns_.size() || widths[i] > widths[widest])) widest = i;
      }
      if (widest == columns_.size()) return;
      --widths[widest];
      --sum;
    }
  };
  shrink([&](std::size_t i) { return widths[i] > least[i]; });
  shrink([&](std::size_t i) { return widths[i] > narrowest; });
  return widths;
}

/// "──── waited ────" over the columns of a group.
std::string Table::groups(const std::vector<std::size_t>& widths, std::size_t gap) const {
  std::string line;
  for (std::size_t i = 0; i < columns_.size();) {
    std::size_t width = widths[i];
    std::size_t end = i + 1;
    while (end < columns_.size() && columns_[end].group == columns_[i].group)
      width += gap + widths[end++];
    const std::string& name = columns_[i].group;
    const std::size_t rest = name.empty() || columns(name) + 2 > width ? 0 : width - columns(name) - 2;
    if (name.empty()) line.append(width, ' ');
    for (std::size_t n = 0; !name.empty() && n < rest / 2; ++n)
      line += "─";
    if (!name.empty()) line += " " + name + " ";
    for (std::size_t n = 0; !name.empty() && n < rest - rest / 2; ++n)
      line += "─";
    line.append(gap, ' ');
    i = end;
  }
  return without_end_spaces(std::move(line));
}

std::vector<std::vector<Table::Cell>> Table::lines_of(const std::vector<Cell>& cells,
                                                      const std::vector<Column>& columns,
                                                      const std::vector<std::size_t>& widths) {
  std::vector<std::vector<Cell>> lines{cells};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].cut != Cut::wrap) continue;
    std::string_view rest = cells[i].text;
    for (std::size_t n = 0; n == 0 || !rest.empty(); ++n) {
      if (n == lines.size()) lines.emplace_back(columns.size());
      lines[n][i] = {next_line(rest, widths[i]), cells[i].tone};
    }
  }
  return lines;
}

std::string Table::text(std::size_t width, bool color, std::size_t indent, bool tight) const {
  const std::size_t gap = tight ? 1 : 2;
  const auto fitted = widths(width > indent ? width - indent : 0, gap);
  const std::string margin(indent, ' ');
  const auto line = [&](const auto& cell_of) {
    std::string out = margin;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_of(i);
      if (i != 0) out.append(gap, ' ');
      out += padded(cell, fitted[i], columns_[i], color);
    }
    return without_end_spaces(std::move(out)) + "\n";
  };
  std::string out;
  const bool grouped = std::ranges::any_of(columns_, [](const Column& each) { return !each.group.empty(); });
  if (grouped) out += margin + toned(groups(fitted, gap), Tone::faint, color) + "\n";
  const bool titled = std::ranges::any_of(columns_, [](const Column& each) { return !each.title.empty(); });
  if (titled) out += line([&](std::size_t i) { return Cell{columns_[i].title, Tone::faint}; });
  for (const auto& row : rows_) {
    for (const auto& cells : lines_of(row, columns_, fitted))
      out += line([&](std::size_t i) { return cells[i]; });
  }
  return out;
}

}  // namespace unspool

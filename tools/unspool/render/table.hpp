// SPDX-License-Identifier: MIT
//
// Aligned columns that fit a width. Owns the layout, not what stands in the cells.
#pragma once

#include <unspool/render/style.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace unspool {

class Table {
 public:
  enum class Align { left, right };
  /// How a cell is cut when the table does not fit.
  enum class Cut {
    middle,  ///< a name: its ends tell most
    end,     ///< a site: its function " (...)" goes as a whole, then what is at the end
    wrap,    ///< words, all of which matter: they go on in further lines
  };
  struct Column {
    std::string title;
    Align align = Align::right;
    bool elastic = false;    ///< gives up width when the table does not fit
    std::string group = {};  ///< stands over neighbours that have the same
    Cut cut = Cut::middle;
  };
  struct Cell {
    std::string text;
    Tone tone = Tone::plain;
  };

  explicit Table(std::vector<Column> table_columns) : columns_{std::move(table_columns)} {}

  /// Cells must be escaped already. Missing ones are empty.
  void row(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }

  /// Lines, each with its end; `indent` spaces before each. Columns are one space apart where `tight`, else two.
  std::string text(std::size_t width, bool color, std::size_t indent = 0, bool tight = false) const;

 private:
  /// As many lines as its wrapped cells take.
  static std::vector<std::vector<Cell>> lines_of(const std::vector<Cell>& cells, const std::vector<Column>& columns,
                                                 const std::vector<std::size_t>& widths);
  std::vector<std::size_t> widths(std::size_t room, std::size_t gap) const;
  /// How wide a column of sites is without functions, and one of wrapped words with its longest.
  std::size_t least_of(std::size_t column) const;
  std::string groups(const std::vector<std::size_t>& widths, std::size_t gap) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace unspool

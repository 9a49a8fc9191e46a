// SPDX-License-Identifier: MIT
//
// Where the replacement fields of an fmt format string stand, and which argument each is of. Owns the grammar of braces
// and ids, not that of specs: these are fmt's. Constexpr, so that the compiler checks by it what readers read by it.
//
//   "served {path:>5} in {} ms"
//           ^open ^id_end
//            ^id     ^close
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spool::trace {

/// One `{...}`, as positions in the format string.
struct Reference {
  std::size_t open = 0;
  std::size_t id = 0;
  std::size_t id_end = 0;
  std::size_t close = 0;  ///< of the closing brace
  bool nested = false;    ///< it gives the width or precision of the one around it
};

/// Why a format string cannot be followed.
enum class FormatFault : std::uint8_t {
  none,
  braces,   ///< they do not match
  unknown,  ///< no argument has this name
  mixed,    ///< numbered by hand and automatically
};

namespace detail {

constexpr std::size_t no_place = ~std::size_t{0};

constexpr Reference reference_at(std::string_view format, std::size_t open) {
  Reference found{open, open + 1, no_place, no_place, false};
  std::size_t depth = 0;
  for (std::size_t i = open; i < format.size(); ++i) {
    if (format[i] == '{') ++depth;
    const bool ends_id = format[i] == ':' || format[i] == '}';
    if (ends_id && found.id_end == no_place) found.id_end = i;
    if (format[i] == '}' && --depth == 0) {
      found.close = i;
      break;
    }
  }
  return found;
}

/// Of the text up to the end of a number that is no argument's: such a one is fmt's to refuse.
constexpr std::size_t number_of(std::string_view digits) {
  constexpr std::size_t beyond = 1'000'000;
  std::size_t number = 0;
  for (const char each : digits) {
    if (each < '0' || each > '9') return beyond;
    number = number < beyond ? number * 10 + static_cast<std::size_t>(each - '0') : beyond;
  }
  return number;
}

}  // namespace detail

/// Calls `on` with each Reference in the order in which fmt numbers them. False: the braces do not match.
template <class On>
constexpr bool for_each_reference(std::string_view format, On on) {
  std::size_t at = 0;
  while (at < format.size()) {
    const char now = format[at];
    if (now != '{' && now != '}') {
      ++at;
      continue;
    }
    if (at + 1 < format.size() && format[at + 1] == now) {
      at += 2;
      continue;
    }
    if (now == '}') return false;
    const Reference outer = detail::reference_at(format, at);
    if (outer.close == detail::no_place) return false;
    on(outer);
    for (std::size_t i = outer.id_end; i < outer.close; ++i) {
      if (format[i] != '{') continue;
      Reference inner = detail::reference_at(format, i);
      inner.nested = true;
      on(inner);
      i = inner.close;
    }
    at = outer.close + 1;
  }
  return true;
}

/// The same with the index of the argument that each is of. `find` has a name's index, or a negative number.
template <class Find, class On>
constexpr FormatFault for_each_argument(std::string_view format, Find find, On on) {
  FormatFault fault = FormatFault::none;
  std::size_t next = 0;
  bool by_hand = false;
  const bool whole = for_each_reference(format, [&](const Reference& each) {
    const std::string_view id = format.substr(each.id, each.id_end - each.id);
    if (id.empty()) {
      if (by_hand) fault = FormatFault::mixed;
      on(each, next++);
    } else if (id[0] >= '0' && id[0] <= '9') {
      if (next > 0) fault = FormatFault::mixed;
      by_hand = true;
      on(each, detail::number_of(id));
    } else if (const int index = find(id); index >= 0) {
      on(each, static_cast<std::size_t>(index));
    } else {
      fault = FormatFault::unknown;
    }
  });
  return whole ? fault : FormatFault::braces;
}

/// Puts the format together anew with each id as a number: `put` gets the pieces. What it puts is of use only where
/// there is no fault.
template <class Find, class Put>
constexpr FormatFault put_numbered(std::string_view format, Find find, Put put) {
  std::size_t done = 0;
  const FormatFault fault = for_each_argument(format, find, [&](const Reference& each, std::size_t index) {
    put(format.substr(done, each.id - done));
    std::array<char, 8> digits{};
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + index % 10);
      index /= 10;
    } while (index != 0);
    put(std::string_view{digits.data() + at, digits.size() - at});
    done = each.id_end;
  });
  put(format.substr(done));
  return fault;
}

/// Whether any id is a name.
constexpr bool has_names(std::string_view format) {
  bool found = false;
  (void)for_each_reference(format, [&](const Reference& each) {
    found = found || (each.id < each.id_end && (format[each.id] < '0' || format[each.id] > '9'));
  });
  return found;
}

}  // namespace spool::trace

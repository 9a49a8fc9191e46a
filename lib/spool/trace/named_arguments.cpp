// SPDX-License-Identifier: MIT
#include <spool/trace/named_arguments.hpp>

#include <algorithm>

namespace spool::trace {

void NamedArguments::append(std::span<const Field> fields, std::span<const Value> values,
                            std::vector<NamedField>& out) {
  texts_.clear();
  const std::size_t count = std::min(fields.size(), values.size());
  bool any_duration = false;
  for (std::size_t i = 0; i < count; ++i) {
    const bool plain = fields[i].means == Means::value;
    any_duration |= fields[i].means == Means::duration;
    out.push_back({fields[i].name,
                   Means::value,
                   plain ? values[i] : Value{std::string_view{texts_.emplace_back(value_text(fields[i], values[i]))}},
                   {},
                   0});
  }
  for (std::size_t i = 0; any_duration && i < count; ++i) {
    const auto nanoseconds = nanoseconds_of(fields[i], values[i]);
    if (!nanoseconds) continue;
    const std::string& name = texts_.emplace_back(std::string{fields[i].name} + "_ns");
    // An argument that is called so itself comes first.
    if (std::ranges::find(fields, std::string_view{name}, &Field::name) != fields.end()) continue;
    out.push_back({name, Means::value, *nanoseconds, {}, 0});
  }
}

}  // namespace spool::trace

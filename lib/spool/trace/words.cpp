// SPDX-License-Identifier: MIT
#include <spool/trace/words.hpp>

namespace spool::trace {
namespace {

template <class E>
std::string_view enumerator(std::uint64_t number) {
  const std::string_view name = number < 256 ? name_of(static_cast<E>(number)) : std::string_view{};
  return name == "unknown" ? std::string_view{} : name;
}

std::string_view record_with(std::uint64_t id) {
  const Row* const row = id < first_message_class ? row_of_id(static_cast<std::uint16_t>(id)) : nullptr;
  return row == nullptr ? std::string_view{} : row->name;
}

}  // namespace

std::string_view word_of(const Row& row, const Field& field, std::uint64_t number) {
  if (field.type == Type::text || field.means != Means::value) return {};
  if (field.name == "kind") return enumerator<Kind>(number);
  if (field.name == "origin") return enumerator<Origin>(number);
  if (field.name == "reason") return enumerator<LossReason>(number);
  if (field.name == "begun_by") return record_with(number);
  if (field.name == "outcome") return number == 0 ? "returned" : number == 1 ? "exception" : "";
  if (field.name == "mode" && row.kind == Kind::definition) return enumerator<Mode>(number);
  if (field.name == "mode") return number == 0 ? "exclusive" : number == 1 ? "shared" : "";
  return {};
}

}  // namespace spool::trace

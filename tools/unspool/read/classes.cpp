// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/classes.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace unspool {
namespace {

using trace::Type;
using Shape = RecordClass::Shape;
using Slot = RecordClass::Slot;

std::uint8_t natural_alignment(Type type) {
  switch (type) {
    case Type::u64:
    case Type::i64:
      return 8;
    case Type::u32:
    case Type::i32:
      return 4;
    case Type::u16:
    case Type::i16:
      return 2;
    default:
      return 1;
  }
}

/// A text is a byte-aligned u32 count and, counted by it, the bytes.
bool is_text(const std::vector<Member>& members, std::size_t index) {
  if (index + 1 >= members.size()) return false;
  const Member& length = members[index];
  const Member& text = members[index + 1];
  const bool counts = length.type == Type::u32 && length.alignment == 1 && length.count == 1;
  return counts && text.utf8 && text.size == 1 && text.counted_by == index;
}

bool is_single(const Member& member) {
  return member.count == 1 && member.counted_by == Member::no_member && !member.utf8;
}

/// `utf8 NAME[1]`.
bool is_character(const Member& member) {
  return member.utf8 && member.size == 1 && member.count == 1 && member.counted_by == Member::no_member;
}

/// How many members the field takes from `index` on; 0: the file has another field there.
std::size_t members_of(const trace::Field& field, bool packed, const std::vector<Member>& members, std::size_t index) {
  if (index >= members.size()) return 0;
  if (field.type == Type::text) {
    return is_text(members, index) && members[index + 1].name == field.name ? 2 : 0;
  }
  const Member& member = members[index];
  const std::uint8_t alignment = packed ? 1 : natural_alignment(field.type);
  const bool same = member.name == field.name && member.type == field.type && member.alignment == alignment;
  return same && is_single(member) ? 1 : 0;
}

Slot slot_of(const trace::Field& field, bool& a_taken) {
  if (field.name == "site") return Slot::site;
  if (field.means == trace::Means::sequence) return Slot::seq;
  if (field.name == "since") return Slot::since;
  if (field.name == "count" && field.type == Type::u64) return Slot::count;
  if (field.name == "begun_by") return Slot::count;
  if (field.type != Type::u32) return Slot::none;
  return std::exchange(a_taken, true) ? Slot::b : Slot::a;
}

/// Fills slots and shape as a class of `row`; false where the file's fields are not the row's.
bool match_row(RecordClass& made, const trace::Row& row) {
  bool a_taken = false;
  bool b_taken = false;
  std::size_t index = 0;
  for (const trace::Field& field : row.fields()) {
    const std::size_t taken = members_of(field, row.packed, made.members, index);
    if (taken == 0) return false;
    Slot slot = slot_of(field, a_taken);
    if (slot == Slot::b && std::exchange(b_taken, true)) slot = Slot::none;
    made.slots[index] = slot;
    made.sequenced |= slot == Slot::seq;
    index += taken;
  }
  made.row = &row;
  const bool plain = made.slots == std::vector{Slot::site, Slot::seq, Slot::a, Slot::b};
  made.shape = plain && !row.packed ? Shape::transition : Shape::fields;
  const bool of_lock =
      made.shape == Shape::transition && (row.kind == trace::Kind::lock || row.kind == trace::Kind::rlock);
  made.begins_hold = of_lock && row.effect == trace::Effect::acquire;
  made.ends_hold = of_lock && row.effect == trace::Effect::release;
  return true;
}

bool is_message(const Declaration& declaration) {
  return declaration.format && (declaration.name == "message" || declaration.name.starts_with("message."));
}

/// The arguments behind the site; nullopt where they cannot be read as messages are: byte by byte.
std::optional<std::vector<trace::Field>> arguments_of(const std::vector<Member>& members) {
  std::vector<trace::Field> fields;
  if (members.empty() || members[0].name != "site" || members[0].type != Type::u32) return std::nullopt;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    if (is_text(members, i)) {
      fields.push_back({{}, Type::text, trace::Means::value, {}});
      ++i;
    } else if (member.alignment == 1 && is_single(member)) {
      fields.push_back({{}, member.type, member.meaning.means, member.meaning.period});
    } else if (is_character(member)) {
      fields.push_back({{}, Type::u8, trace::Means::character, {}});
    } else {
      return std::nullopt;
    }
  }
  fields.erase(fields.begin());
  return fields;
}

std::vector<std::string> argument_names(const std::vector<Member>& members) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (is_text(members, i)) ++i;
    names.emplace_back(trace::name_of_declared(members[i].name));
  }
  return names;
}

}  // namespace

std::uint64_t unsigned_at(const std::byte* at, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, std::min(size, sizeof value));
  return value;
}

std::optional<std::size_t> RecordClass::length(std::span<const std::byte> bytes, Offsets& offsets) const {
  std::size_t end = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    const std::size_t at = (end + member.alignment - 1) / member.alignment * member.alignment;
    std::uint64_t count = member.count;
    if (member.counted_by != Member::no_member) {
      // It stands before this one and was seen to fit.
      count = unsigned_at(bytes.data() + offsets[member.counted_by], members[member.counted_by].size);
    }
    if (at > bytes.size() || count > (bytes.size() - at) / member.size) return std::nullopt;
    offsets[i] = static_cast<std::uint32_t>(at);
    end = at + count * member.size;
  }
  return end;
}

const MessageClass* ClassPool::message_of(const Declaration& declaration) {
  const auto arguments = arguments_of(declaration.members);
  if (!arguments) return nullptr;
  MessageClass& made = messages_.emplace_back();
  const std::int64_t loglevel = std::clamp<std::int64_t>(declaration.loglevel.value_or(6), 0, 14);
  made.level = trace::level_of_ctf(static_cast<int>(loglevel));
  made.format = *declaration.format;
  if (declaration.name.size() > std::string_view{"message."}.size()) made.logger = declaration.name.substr(8);
  made.arguments = *arguments;
  made.argument_names = argument_names(declaration.members);
  for (std::size_t i = 0; i < made.arguments.size(); ++i)
    made.arguments[i].name = made.argument_names[i];
  return &made;
}

const RecordClass* ClassPool::made_of(Declaration&& declaration, std::uint64_t types) {
  auto& kept = classes_[fmt::format("{:x} {}", types, declaration.text)];
  if (kept) return kept.get();
  auto made = std::make_unique<RecordClass>();
  made->name = declaration.name;
  made->members = std::move(declaration.members);
  made->slots.assign(made->members.size(), Slot::none);
  if (declaration.readable) {
    made->shape = Shape::unknown;
    const trace::Row* const row = trace::row_named(declaration.name);
    declaration.members = made->members;
    if (is_message(declaration)) {
      made->message = message_of(declaration);
      made->row = made->message ? trace::row_of(trace::Kind::message, trace::Verb::text) : nullptr;
      if (made->message) made->shape = Shape::message;
    } else if (row && (row->kind == trace::Kind::definition) == (declaration.stream == trace::definition_stream)) {
      match_row(*made, *row);
    }
  }
  kept = std::move(made);
  return kept.get();
}

void ClassTable::put(std::uint64_t id, std::uint64_t stream, const RecordClass* record_class) {
  if (stream > 1 || id > 65535) return;  // no Record can have it
  auto& page = pages_[stream * pages_of_stream + id / page_size];
  if (!page) page = std::make_unique<Page>();
  (*page)[id % page_size] = record_class;
}

}  // namespace unspool

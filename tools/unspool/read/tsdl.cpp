// SPDX-License-Identifier: MIT
#include <unspool/read/token.hpp>
#include <unspool/read/tsdl.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

using spool::trace::Type;

constexpr std::size_t most_types = 256;

struct TypeName {
  Type type = Type::u8;
  std::uint8_t size = 1;
  std::uint8_t alignment = 1;
  bool utf8 = false;
  spool::trace::Meaning meaning = {};
};

/// The attributes between the braces of an integer or floating_point.
struct Attributes {
  std::int64_t size = 0;
  std::int64_t align = 8;
  std::int64_t exponent = 0;
  std::int64_t mantissa = 0;
  bool is_signed = false;
  bool utf8 = false;
};

std::optional<Type> integer_type(std::int64_t bits, bool is_signed) {
  switch (bits) {
    case 8:
      return is_signed ? Type::i8 : Type::u8;
    case 16:
      return is_signed ? Type::i16 : Type::u16;
    case 32:
      return is_signed ? Type::i32 : Type::u32;
    case 64:
      return is_signed ? Type::i64 : Type::u64;
    default:
      return std::nullopt;
  }
}

std::optional<TypeName> type_of(std::string_view kind, const Attributes& given) {
  const bool real = kind == "floating_point";
  const std::int64_t bits = real ? given.exponent + given.mantissa : given.size;
  auto type = integer_type(bits, given.is_signed);
  if (real) type = bits == 32 ? std::optional{Type::f32} : bits == 64 ? std::optional{Type::f64} : std::nullopt;
  const bool aligned = given.align == 8 || given.align == 16 || given.align == 32 || given.align == 64;
  if (!type || !aligned) return std::nullopt;
  return TypeName{*type, static_cast<std::uint8_t>(bits / 8), static_cast<std::uint8_t>(given.align / 8), given.utf8};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

spool::trace::Uuid uuid_of(std::string_view text) {
  spool::trace::Uuid uuid{};
  std::size_t digits = 0;
  for (const char each : text) {
    const int value = hex_value(each);
    if (value < 0 || digits >= 2 * uuid.size()) continue;
    auto& byte = uuid[digits++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
  }
  return uuid;
}

class Parser {
 public:
  Parser(std::string_view text, const std::function<void(Declaration&&, const Declared&)>& each)
      : tokens_(text), each_(each) {}

  Declared parse() {
    while (!tokens_.at_end() && declaration()) {}
    return std::move(declared_);
  }

 private:
  /// One declaration; false where the text ended inside it.
  bool declaration() {
    const char* const begin = tokens_.now().raw.data();
    bool whole = false;
    if (tokens_.take("typealias")) {
      whole = common_typealias(begin);
    } else if (tokens_.take("enum")) {
      whole = enumeration();
    } else if (tokens_.take("event")) {
      whole = event(begin);
    } else if (tokens_.take("trace")) {
      whole = trace();
    } else if (tokens_.take("env")) {
      whole = env();
    } else if (tokens_.take("clock")) {
      whole = clock();
    } else {
      whole = skip_statement();
    }
    if (!whole) declared_.whole = false;
    return whole;
  }

  /// Past the `;` that ends this statement. Stops before a `}` that was opened outside of it; at the top there is none,
  /// so a stray one is passed over.
  bool skip_statement(bool inside = false) {
    std::size_t depth = 0;
    while (!tokens_.at_end()) {
      if (depth == 0 && inside && tokens_.now() == "}") return true;
      const Token token = tokens_.take();
      if (depth == 0 && token == ";") return true;
      if (token == "{" || token == "[" || token == "(") ++depth;
      if ((token == "}" || token == "]" || token == ")") && depth > 0) --depth;
    }
    return false;
  }

  /// `{ key = value; ... }`; other statements go to `other`, which takes all of one, or returns false at the end.
  template <class OnValue, class Other>
  bool block(OnValue on_value, Other other) {
    if (!tokens_.take("{")) return skip_statement();
    while (!tokens_.take("}")) {
      if (tokens_.at_end()) return false;
      const Token key = tokens_.take();
      if (tokens_.take("=")) {
        on_value(key.raw, tokens_.take());
        if (!skip_statement(true)) return false;
      } else if (!other(key)) {
        return false;
      }
    }
    return true;
  }

  template <class OnValue>
  bool block(OnValue on_value) {
    return block(on_value, [this](const Token&) { return skip_statement(true); });
  }

  using Types = std::map<std::string, TypeName, std::less<>>;

  const TypeName* type_named(std::string_view name) const {
    for (const Types* types : {&types_of_class_, &types_}) {
      const auto found = types->find(name);
      if (found != types->end()) return &found->second;
    }
    return nullptr;
  }

  /// Behind the word; `types` is the scope that gets the name.
  bool typealias(Types& types) {
    Attributes given;
    const Token kind = tokens_.take();
    std::string_view aliased = kind.raw;
    if (tokens_.now() == "{") {
      if (!block([&](std::string_view key, const Token& value) { attribute(given, key, value); })) return false;
    } else {
      aliased = tokens_.take().raw;  // enum NAME
    }
    if (!tokens_.take(":=")) return skip_statement();
    const std::string name{tokens_.now().raw};
    if (!skip_statement()) return false;
    const TypeName* known = type_named(aliased);
    auto type = known ? std::optional{*known} : type_of(aliased, given);
    if (type) type->meaning = spool::trace::meaning_of_type(name);
    if (type && types.size() < most_types) types.insert_or_assign(name, *type);
    return true;
  }

  /// At the top: a class's own typealiases are in its text.
  bool common_typealias(const char* begin) {
    if (!typealias(types_)) return false;
    if (!tokens_.at_end()) {
      const std::string_view text{begin, static_cast<std::size_t>(tokens_.now().raw.data() - begin)};
      declared_.types = declared_.types * 31 + std::hash<std::string_view>{}(text);
    }
    return true;
  }

  static void attribute(Attributes& given, std::string_view key, const Token& value) {
    if (key == "size") given.size = value.number;
    if (key == "align") given.align = value.number;
    if (key == "exp_dig") given.exponent = value.number;
    if (key == "mant_dig") given.mantissa = value.number;
    if (key == "signed") given.is_signed = value == "true" || value == "1";
    if (key == "encoding") given.utf8 = value == "UTF8" || value == "utf8";
  }

  bool enumeration() {
    const std::string name{tokens_.take().raw};
    std::optional<TypeName> type;
    if (tokens_.take(":")) {
      const auto base = types_.find(tokens_.now().raw);
      if (base != types_.end()) type = base->second;
    }
    if (!skip_statement()) return false;
    if (type && name == "boolean" && type->type == Type::u8) type->type = Type::boolean;
    if (type && types_.size() < most_types) types_.insert_or_assign(name, *type);
    return true;
  }

  bool trace() {
    Declared found = declared_;
    const bool whole = block([&](std::string_view key, const Token& value) {
      if (key == "uuid") found.uuid = uuid_of(value.unquoted());
      if (key == "byte_order") found.little_endian = value == "le";
    });
    if (!whole || !tokens_.take(";")) return false;
    declared_ = std::move(found);
    declared_.has_trace = true;
    return true;
  }

  bool env() {
    return block([&](std::string_view key, const Token& value) {
             if (value.is == Token::Is::text) declared_.texts.insert_or_assign(std::string{key}, value.unquoted());
             if (value.is == Token::Is::number) declared_.numbers.insert_or_assign(std::string{key}, value.number);
           }) &&
           tokens_.take(";");
  }

  bool clock() {
    return block([&](std::string_view key, const Token& value) {
             const auto positive = static_cast<std::uint64_t>(std::max<std::int64_t>(value.number, 0));
             if (key == "freq") declared_.frequency = positive;
             if (key == "offset_s") declared_.epoch_seconds = value.number;
             if (key == "offset") declared_.epoch_ticks = positive;
           }) &&
           tokens_.take(";");
  }

  bool event(const char* begin) {
    Declaration found;
    const bool whole = block(
        [&](std::string_view key, const Token& value) {
          if (key == "name") found.name = value.unquoted();
          if (key == "id") found.id = static_cast<std::uint64_t>(std::max<std::int64_t>(value.number, 0));
          if (key == "stream_id") found.stream = static_cast<std::uint64_t>(std::max<std::int64_t>(value.number, 0));
          if (key == "loglevel") found.loglevel = value.number;
          if (key == "model.emf.uri") found.format = value.unquoted();
        },
        [&](const Token& key) { return key == "fields" ? fields(found) : skip_statement(true); });
    const Token end = tokens_.now();
    if (!whole || !tokens_.take(";")) return false;
    found.text = {begin, static_cast<std::size_t>(end.raw.data() - begin)};
    each_(std::move(found), declared_);
    return true;
  }

  /// `:= struct { TYPE NAME; ... };` behind the word `fields`; typealiases of its own may stand among them.
  bool fields(Declaration& found) {
    if (!tokens_.take(":=") || !tokens_.take("struct") || !tokens_.take("{")) {
      found.readable = false;
      return skip_statement(true);
    }
    types_of_class_.clear();
    while (!tokens_.take("}")) {
      if (tokens_.at_end()) return false;
      if (tokens_.take("typealias")) {
        if (!typealias(types_of_class_)) return false;
        continue;
      }
      if (!member(found)) found.readable = false;
      if (!skip_statement(true)) return false;
    }
    // `align(N)` could follow; spool writes none, and what it says would move the fields.
    if (tokens_.now() != ";") found.readable = false;
    return skip_statement(true);
  }

  /// `TYPE NAME`, `TYPE NAME[NUMBER]` or `TYPE NAME[MEMBER]`, as far as it can be used.
  bool member(Declaration& found) {
    const TypeName* type = type_named(tokens_.now().raw);
    if (!type || found.members.size() == Member::most) return false;
    tokens_.take();
    Member made;
    made.type = type->type;
    made.size = type->size;
    made.alignment = type->alignment;
    made.utf8 = type->utf8;
    made.meaning = type->meaning;
    made.name = tokens_.take().raw;
    if (tokens_.take("[") && !array(made, found)) return false;
    found.members.push_back(std::move(made));
    return tokens_.now() == ";";
  }

  bool array(Member& made, const Declaration& found) {
    const Token length = tokens_.take();
    if (length.is == Token::Is::number) {
      made.count = static_cast<std::uint64_t>(std::max<std::int64_t>(length.number, 0));
    } else {
      const auto counter = std::ranges::find(found.members, length.raw, &Member::name);
      const bool counts =
          counter != found.members.end() && counter->count == 1 && counter->counted_by == Member::no_member;
      if (!counts) return false;
      made.counted_by = static_cast<std::uint32_t>(counter - found.members.begin());
    }
    return tokens_.take("]");
  }

  Tokens tokens_;
  const std::function<void(Declaration&&, const Declared&)>& each_;
  Declared declared_;
  Types types_;
  Types types_of_class_;  ///< declared among the fields of the class that is read
};

}  // namespace

std::string Declared::text(std::string_view key) const {
  const auto found = texts.find(key);
  return found == texts.end() ? std::string{} : found->second;
}

std::int64_t Declared::number(std::string_view key, std::int64_t otherwise) const {
  const auto found = numbers.find(key);
  return found == numbers.end() ? otherwise : found->second;
}

Declared parse_tsdl(std::string_view text, const std::function<void(Declaration&&, const Declared&)>& each) {
  return Parser{text, each}.parse();
}

}  // namespace unspool

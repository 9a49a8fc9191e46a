// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/tar.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

namespace unspool {
namespace {

using Header = trace::UstarHeader;

// As many chunks as a segment can have, and more.
constexpr std::size_t most_members = 4096;

template <std::size_t N>
std::string_view text_of(const std::array<char, N>& field) {
  const std::string_view all{field.data(), field.size()};
  return all.substr(0, all.find('\0'));
}

/// Octal digits between blanks; anything else is nothing.
template <std::size_t N>
std::optional<std::uint64_t> number_of(const std::array<char, N>& field) {
  std::string_view digits = text_of(field);
  while (digits.starts_with(' '))
    digits.remove_prefix(1);
  while (digits.ends_with(' '))
    digits.remove_suffix(1);
  std::uint64_t number = 0;
  for (const char each : digits) {
    if (each < '0' || each > '7') return std::nullopt;
    number = number * 8 + static_cast<std::uint64_t>(each - '0');
  }
  return digits.empty() ? std::nullopt : std::optional{number};
}

/// What stands behind the directory in a name such as 000012/stream-0003; empty: the name is none of a segment's files.
std::string_view file_of(std::string_view name) {
  if (name.starts_with("./")) name.remove_prefix(2);
  const auto slash = name.find('/');
  if (slash == std::string_view::npos || slash == 0) return {};
  const auto is_digit = [](char each) { return each >= '0' && each <= '9'; };
  if (!std::ranges::all_of(name.substr(0, slash), is_digit)) return {};
  name.remove_prefix(slash + 1);
  constexpr std::string_view chunk = "stream-";
  const bool is_chunk = name.starts_with(chunk) && name.size() > chunk.size() && name.size() < 20 &&
                        std::ranges::all_of(name.substr(chunk.size()), is_digit);
  return is_chunk || name == "metadata" ? name : std::string_view{};
}

class Reader {
 public:
  Reader(const ByteSource& file, const std::string& where, Problems& problems)
      : file_{file}, size_{file.size()}, where_{where}, problems_{problems} {}

  /// True: its end is there.
  bool read() {
    Header header{};
    while (offset_ < size_) {
      if (file_.read(offset_, std::as_writable_bytes(std::span{&header, 1})) < sizeof header) return false;
      if (header.magic[0] == '\0' && header.name[0] == '\0') return true;
      if (!take(header)) return true;
    }
    return false;
  }

  std::vector<TarMember> members;

 private:
  /// False: what follows cannot be found.
  bool take(const Header& header) {
    const auto size = number_of(header.size);
    if (!is_tar(header) || number_of(header.checksum) != trace::ustar_checksum(header) || !size) {
      problems_.damage(
          fmt::format("{}: at byte {} of the unpacked archive there is no header of a file; what follows is left out",
                      where_, offset_),
          size_ - offset_);
      return false;
    }
    const std::uint64_t begin = offset_ + trace::tar_block;
    if (header.type != trace::ustar_directory) add(header, begin, std::min(*size, size_ - std::min(begin, size_)));
    const std::uint64_t padded = (*size + trace::tar_block - 1) / trace::tar_block * trace::tar_block;
    offset_ = padded > size_ - std::min(begin, size_) ? size_ : begin + padded;
    return true;
  }

  void add(const Header& header, std::uint64_t begin, std::uint64_t size) {
    const std::string_view full = text_of(header.name);
    const std::string_view name = header.prefix[0] == '\0' ? file_of(full) : std::string_view{};
    const bool plain = header.type == trace::ustar_file || header.type == '\0';
    const bool twice = std::ranges::find(members, name, &TarMember::name) != members.end();
    if (name.empty() || !plain || twice || members.size() == most_members) {
      problems_.damage(fmt::format("{}: has \"{}\" in it, which {}; it is left out", where_, full,
                                   twice ? "is there already" : "is no file of a segment"));
      return;
    }
    members.push_back({std::string{name}, begin, size});
  }

  const ByteSource& file_;
  const std::uint64_t size_;
  const std::string& where_;
  Problems& problems_;
  std::uint64_t offset_ = 0;
};

}  // namespace

bool is_tar(const Header& header) {
  return std::string_view{header.magic.data(), 5} == trace::ustar_magic.substr(0, 5);
}

std::vector<TarMember> read_tar(const ByteSource& file, const std::string& where, bool whole, Problems& problems) {
  Reader reader{file, where, problems};
  if (!reader.read() && whole) problems.damage(fmt::format("{}: is cut short: it has no end; copy it again", where));
  std::ranges::sort(reader.members, {}, &TarMember::name);
  return std::move(reader.members);
}

}  // namespace unspool

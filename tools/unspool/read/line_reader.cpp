// SPDX-License-Identifier: MIT
#include <unspool/read/line_reader.hpp>

#include <algorithm>
#include <cstring>

namespace unspool {

LineReader::LineReader(std::unique_ptr<LogBytes> bytes, std::uint64_t offset, std::uint64_t number)
    : bytes_{std::move(bytes)},
      buffer_{new char[(256 << 10) + padding]()},
      capacity_{256 << 10},
      offset_{offset},
      number_{number} {
  if (offset == 0 && fill() && rest().starts_with("\xef\xbb\xbf")) {
    at_ = 3;  // a byte order mark, which some editors leave
    offset_ = 3;
  }
}

bool LineReader::next(RawLine& line) {
  std::size_t searched = 0;
  const char* end = nullptr;
  for (;;) {
    const std::string_view text = rest();
    end = static_cast<const char*>(std::memchr(text.data() + searched, '\n', text.size() - searched));
    if (end != nullptr) break;
    searched = text.size();
    if (searched >= longest) return pass_over(line);
    if (!fill()) break;
  }
  if (end == nullptr && rest().empty()) return false;
  line.ended = end != nullptr;
  line.enormous = false;
  line.text = end != nullptr ? rest().substr(0, static_cast<std::size_t>(end - rest().data())) : rest();
  line.number = number_++;
  line.offset = offset_;
  const std::size_t whole = line.text.size() + (line.ended ? 1 : 0);
  at_ += whole;
  offset_ += whole;
  if (line.ended && line.text.ends_with('\r')) line.text.remove_suffix(1);
  return true;
}

/// More bytes behind those that are there; false at the end.
bool LineReader::fill() {
  if (at_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + at_, filled_ - at_);
    filled_ -= at_;
    at_ = 0;
  }
  if (filled_ == capacity_) grow();
  const std::size_t got = bytes_->read({buffer_.get() + filled_, capacity_ - filled_});
  filled_ += got;
  return got > 0;
}

void LineReader::grow() {
  const std::size_t wanted = std::min(capacity_ * 4, longest);
  std::unique_ptr<char[]> larger{new char[wanted + padding]};
  std::memcpy(larger.get(), buffer_.get(), filled_);
  std::memset(larger.get() + wanted, 0, padding);
  buffer_ = std::move(larger);
  capacity_ = wanted;
}

/// Reads to the end of a line that is too long to be kept.
bool LineReader::pass_over(RawLine& line) {
  line = {{}, number_++, offset_, false, true};
  do {
    const std::string_view text = rest();
    const void* const end = std::memchr(text.data(), '\n', text.size());
    const std::size_t gone =
        end != nullptr ? static_cast<std::size_t>(static_cast<const char*>(end) - text.data()) + 1 : text.size();
    at_ += gone;
    offset_ += gone;
    line.ended = end != nullptr;
  } while (!line.ended && fill());
  return true;
}

}  // namespace unspool

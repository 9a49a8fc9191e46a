// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/line_faults.hpp>

namespace unspool {
namespace {

struct Words {
  std::string_view one;
  std::string_view several;
};

Words words_of(Fault fault) {
  switch (fault) {
    case Fault::none:
      break;
    case Fault::foreign:
      return {"line is none of spool's", "lines are none of spool's"};
    case Fault::broken:
      return {"line is broken", "lines are broken"};
    case Fault::incomplete:
      return {"line lacks what a Record has, or a number in it is out of its range",
              "lines lack what a Record has, or a number in them is out of its range"};
    case Fault::interleaved:
      return {"line has another one inside it, as where two programs write into one file",
              "lines have others inside them, as where two programs write into one file"};
    case Fault::cut:
      return {"line is cut off by the end of the log", "lines are cut off by the end of the log"};
    case Fault::enormous:
      return {"line is longer than 32 MiB", "lines are longer than 32 MiB"};
    case Fault::newer:
      return {"line has a Record that this unspool does not know, a newer one may",
              "lines have Records that this unspool does not know, a newer one may"};
    case Fault::crowded:
      return {"line is of a process beyond the number that is read at once",
              "lines are of processes beyond the number that is read at once"};
  }
  return {};
}

}  // namespace

void LineFaults::add(Fault fault, const RawLine& line) {
  Kind& kind = kinds_[static_cast<std::size_t>(fault)];
  if (kind.count++ == 0) {
    kind.line = line.number;
    kind.offset = line.offset;
  }
  kind.bytes += line.text.size();
}

void LineFaults::tell(const std::string& file, Problems& problems) const {
  for (std::size_t i = 1; i < fault_count; ++i) {
    const Kind& kind = kinds_[i];
    if (kind.count == 0) continue;
    const Words words = words_of(static_cast<Fault>(i));
    const std::string where = fmt::format("line {}, at byte {}", kind.line, kind.offset);
    std::string text = kind.count == 1 ? fmt::format("{}: 1 {}, and is passed over: {}", file, words.one, where)
                                       : fmt::format("{}: {} {}, and are passed over; the first is {}", file,
                                                     kind.count, words.several, where);
    const bool harmless = i == static_cast<std::size_t>(Fault::foreign) || i == static_cast<std::size_t>(Fault::newer);
    if (harmless) {
      problems.note(std::move(text));
    } else {
      problems.damage(std::move(text), kind.bytes);
    }
  }
}

std::string LineFaults::first() const {
  const Kind* first = nullptr;
  for (const Kind& kind : kinds_) {
    if (kind.count > 0 && (first == nullptr || kind.line < first->line)) first = &kind;
  }
  return first == nullptr ? std::string{} : fmt::format("line {}, at byte {}", first->line, first->offset);
}

}  // namespace unspool

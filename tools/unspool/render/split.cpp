// SPDX-License-Identifier: MIT
//
// `unspool cat --split-by-thread DIR`: a readable log for each thread. Owns the files' names, which no thread's name
// can lead out of DIR, and whose files are replaced: only those that an earlier split has written.
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/text_line.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unspool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark = "# unspool: thread ";
constexpr std::size_t piece = 64 << 10;
constexpr std::size_t most_kept = 32 << 20;  // of all threads together
constexpr std::size_t moment_width = 80;     // begin and end are known after the last Record, and filled in

/// Letters, digits and few others, so that it is a name on any system; the thread's number makes it unique.
std::string file_name(std::string_view whose, std::string_view thread, trace::ThreadNumber number) {
  std::string name;
  for (const char each : thread.substr(0, 64)) {
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                       each == '-' || each == '_' || (each == '.' && !name.empty());
    name += plain ? each : '_';
  }
  return fmt::format("{}{}.{}.log", whose, name.empty() ? "thread" : name, number);
}

class Directory {
 public:
  explicit Directory(std::string path) : path_{std::move(path)} {}
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Made, or found empty, or emptied of what a split has left. Else why not.
  std::string prepare(bool replace) {
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) return failure("cannot be made");
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor_ < 0) return failure("is no directory to write into");
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator each{path_, error}, end; !error && each != end; each.increment(error))
      names.push_back(each->path().filename().string());
    if (error) return fmt::format("{}: cannot be read ({})", path_, error.message());
    if (!names.empty() && !replace)
      return fmt::format("{}: is not empty: give another directory, or --replace for what an earlier split left",
                         path_);
    for (const std::string& name : names) {
      if (!is_ours(name)) return fmt::format("{}/{}: was not written by a split, and is not replaced", path_, name);
    }
    for (const std::string& name : names) {
      if (::unlinkat(descriptor_, name.c_str(), 0) != 0) return failure("cannot be emptied");
    }
    return {};
  }

  /// Puts `text` at the end of a file, or where `at` says; a new file is made, never one that somebody else has put
  /// there.
  std::string write(const std::string& name, bool fresh, std::string_view text, off_t at = -1) const {
    const int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (fresh ? O_CREAT | O_EXCL : 0) | (at < 0 ? O_APPEND : 0);
    const int file = ::openat(descriptor_, name.c_str(), flags, 0600);
    if (file < 0) return failure("cannot be written", name);
    bool good = true;
    while (good && !text.empty()) {
      const ssize_t count =
          at < 0 ? ::write(file, text.data(), text.size()) : ::pwrite(file, text.data(), text.size(), at);
      if (count < 0 && errno == EINTR) continue;
      good = count > 0;
      if (good) text.remove_prefix(static_cast<std::size_t>(count));
      if (good && at >= 0) at += count;
    }
    std::string why = good ? std::string{} : failure("cannot be written", name);
    ::close(file);
    return why;
  }

 private:
  bool is_ours(const std::string& name) const {
    const int file = ::openat(descriptor_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return false;
    std::array<char, mark.size()> begin{};
    const ssize_t got = ::read(file, begin.data(), begin.size());
    ::close(file);
    return got == static_cast<ssize_t>(begin.size()) && std::string_view{begin.data(), begin.size()} == mark;
  }
  std::string failure(std::string_view what, std::string_view name = {}) const {
    return fmt::format("{}{}{}: {} ({})", path_, name.empty() ? "" : "/", name, what, std::strerror(errno));
  }

  std::string path_;
  int descriptor_ = -1;
};

/// All threads of one process.
class Split {
 public:
  Split(const Process& process, const Directory& directory, CatOptions::Time time, std::string whose)
      : process_{process},
        directory_{directory},
        whose_{std::move(whose)},
        lines_{process, process.first_time, time, {}},
        moments_{process, process.first_time},
        labels_{process} {}

  /// Empty, or why the Record could not be written.
  std::string add(const Record& record) {
    File& file = files_[record.thread];
    const std::size_t before = file.text.size();
    if (file.name.empty()) begin(record.thread, file);
    const bool own = record.row->kind == trace::Kind::thread && record.object == record.thread;
    if (own && record.row->verb == trace::Verb::begin) file.begin = moment(record.time);
    if (own && record.row->verb == trace::Verb::end)
      file.end = moment(record.time) + (record.a == 0 ? ", returned" : ", by an exception");
    file.last = record.time;
    lines_.append(record, file.text);
    kept_ += file.text.size() - before;
    if (kept_ > most_kept) return flush_all();
    return file.text.size() > piece ? flush(file) : std::string{};
  }

  std::string finish() {
    std::string why = flush_all();
    for (auto& [number, file] : files_) {
      const std::string end = file.end.empty() ? "not recorded; last Record " + moment(file.last) : file.end;
      const std::string begin = file.begin.empty() ? "not recorded" : file.begin;
      if (why.empty()) why = directory_.write(file.name, false, padded(begin), file.begin_at);
      if (why.empty()) why = directory_.write(file.name, false, padded(end), file.end_at);
    }
    return why;
  }

 private:
  struct File {
    std::string name;
    std::string text;  ///< not written yet
    bool written = false;
    std::string begin;
    std::string end;
    off_t begin_at = 0;
    off_t end_at = 0;
    trace::Ticks last = 0;
  };

  static std::string padded(std::string text) {
    text.resize(moment_width, ' ');
    return text;
  }
  std::string moment(trace::Ticks time) const {
    return fmt::format("{} ({} s)", moments_.clock(time), moments_.offset(time));
  }

  void begin(trace::ThreadNumber number, File& file) {
    const auto found = process_.threads.find(number);
    const Thread thread = found == process_.threads.end() ? Thread{} : found->second;
    file.name = file_name(whose_, thread.name, number);
    file.text = fmt::format("{}{}\n# number {}, native id {}, daemon {}, created by {}; {}, pid {}\n# begin ", mark,
                            labels_.thread(number), number, thread.native_id, thread.daemon ? "yes" : "no",
                            labels_.thread(thread.creator), trace::escaped(process_.program), process_.pid);
    file.begin_at = static_cast<off_t>(file.text.size());
    file.text += padded({}) + "\n# end   ";
    file.end_at = static_cast<off_t>(file.text.size());
    file.text += padded({}) + "\n\n";
  }

  std::string flush(File& file) {
    if (file.text.empty()) return {};
    std::string why = directory_.write(file.name, !std::exchange(file.written, true), file.text);
    kept_ -= file.text.size();
    file.text = {};
    return why;
  }

  std::string flush_all() {
    std::string why;
    for (auto& [number, file] : files_) {
      if (why.empty()) why = flush(file);
    }
    return why;
  }

  const Process& process_;
  const Directory& directory_;
  std::string whose_;
  TextLines lines_;
  Moments moments_;
  Labels labels_;
  std::map<trace::ThreadNumber, File> files_;
  std::size_t kept_ = 0;
};

}  // namespace

std::string run_split(std::span<Input> inputs, const Options& options, const CatOptions& cat) {
  Directory directory{cat.split};
  std::string why = directory.prepare(cat.replace);
  std::size_t index = 0;
  for (Input& input : inputs) {
    ++index;
    Record record;
    if (!why.empty()) break;
    if (!input.source.next(record)) continue;
    const Process& process = input.process;
    // Process ids come again: the index keeps the files of two of them apart.
    const std::string whose = inputs.size() > 1 ? fmt::format("{}-{}.", index, process.pid) : std::string{};
    Split split{process, directory, cat.time, whose};
    const Filter filter{options.wanted, process, input.last};
    do {
      const bool wanted = record.row->kind != trace::Kind::definition && filter.passes(record);
      if (wanted) why = split.add(record);
    } while (why.empty() && input.source.next(record));
    if (why.empty()) why = split.finish();
  }
  return why;
}

}  // namespace unspool

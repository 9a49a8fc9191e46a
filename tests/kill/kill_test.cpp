// SPDX-License-Identifier: MIT
//
// The promise of the trace: whatever call had returned when SIGKILL came is there. A child locks and logs in four
// threads and tells through shared memory how far it has come; it is killed at a random moment, and what it left is
// read by a reader that shares no code with the recorder. SPOOL_SOAK=1: 1000 kills each, or SPOOL_KILLS of them, every
// trace also read by babeltrace2; SPOOL_SEED repeats a run's random choices.
#include "kill/counters.hpp"
#include "kill/runs.hpp"
#include "support/child.hpp"
#include "support/trace_reader.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace spool::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t keep_all = 0;
/// Three segments of half a MiB: after some milliseconds each is a recycled one.
constexpr std::uint64_t keep_little = std::uint64_t{2} << 20U;

fs::path beside_me(const char* name) {
  return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

/// A directory for one kill, gone afterwards.
class Scratch {
 public:
  Scratch() {
    std::string pattern = fs::temp_directory_path() / "spool-kill-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp failed"};
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;  // best effort
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The shared memory, seen from the test.
class SharedProgress {
 public:
  explicit SharedProgress(const fs::path& path) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(Progress)) != 0) throw std::runtime_error{"no progress file"};
    void* memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) throw std::runtime_error{"no progress memory"};
    progress_ = static_cast<Progress*>(memory);
  }
  ~SharedProgress() { munmap(progress_, sizeof(Progress)); }
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;
  const Progress& operator*() const { return *progress_; }

  bool is_running() const {
    for (const ThreadProgress& each : progress_->threads) {
      if (each.pairs.load(std::memory_order_acquire) < 100) return false;  // acquire: partner is the child
    }
    return true;
  }

 private:
  Progress* progress_ = nullptr;
};

struct Child {
  std::uint64_t keep = keep_all;
  bool archives = false;
  int awaited = 0;  ///< archives that are there before it is killed, if the machine lets them come
};

pid_t start_child(const Scratch& scratch, const Child& how) {
  const std::string program = beside_me("kill_child");
  const std::string progress = scratch.path() / "progress";
  const std::string bytes = std::to_string(how.keep);
  const char* const archive = how.archives ? "zstd" : "off";
  const pid_t child = fork();
  if (child != 0) return child;
  execl(program.c_str(), program.c_str(), scratch.path().c_str(), progress.c_str(), bytes.c_str(), archive, nullptr);
  _exit(127);
}

int archives_in(const fs::path& parent) {
  int count = 0;
  std::error_code ignored;  // files come and go
  for (fs::recursive_directory_iterator each{parent, ignored}, end; !ignored && each != end; each.increment(ignored)) {
    const std::string name = each->path().filename();
    if (!name.starts_with('.') && name.ends_with(".tar.zst")) ++count;
  }
  return count;
}

/// Runs the child until every thread works, then for `pause`, and kills it.
void run_and_kill(const Scratch& scratch, const SharedProgress& progress, const Child& how,
                  std::chrono::microseconds pause) {
  const pid_t child = start_child(scratch, how);
  REQUIRE(child > 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  int status = 0;
  while (!progress.is_running() && waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
  while (how.awaited > 0 && archives_in(scratch.path()) < how.awaited) {
    if (std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  const bool ran = progress.is_running();
  std::this_thread::sleep_for(pause);
  (void)kill(child, SIGKILL);
  (void)waitpid(child, &status, 0);
  INFO("the child ended with status " << status);
  REQUIRE(ran);
}

fs::path trace_in(const Scratch& scratch) {
  for (const auto& entry : fs::directory_iterator{scratch.path()}) {
    if (entry.path().extension() == ".spool") return entry.path();
  }
  FAIL("the child left no trace");
  return {};
}

/// What all the kills of a test left.
struct Toll {
  int traces = 0;
  int threads = 0;  ///< whose Records were there to be checked
  std::uint64_t records = 0;
  std::uint64_t lost = 0;  ///< Records whose call had returned
  std::uint64_t torn = 0;  ///< what the reader could not use: half a Record, a packet that is none, a header that lies
  int amidst = 0;          ///< threads killed between a Record and the return of the call that made it
  int holes = 0;           ///< traces with one
  int opened = 0;          ///< traces in which `unspool check` finds nothing wrong
  int read_by_babeltrace = 0;
};

/// A number or two may be there that were not yet told: their Records were whole, their call had not returned.
/// True: there was one.
bool check_run(const Run& run, std::uint64_t told, std::uint64_t most_untold, bool from_first, Toll& toll) {
  CHECK(run.ordered);
  const std::uint64_t lost =
      run.missing + (told - std::min(told, run.last)) + (from_first && run.first > 1 ? run.first - 1 : 0);
  CHECK(lost == 0);
  CHECK(run.last <= told + most_untold);
  toll.lost += lost;
  return run.last > told;
}

struct Found {
  std::map<std::uint64_t, Run> messages;  ///< by thread
  std::map<std::uint64_t, Run> pairs;     ///< by lock
  int losses = 0;
};

Found find_runs(const TraceReader& trace, const Parts& parts) {
  Found found;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "trace.loss") ++found.losses;
    if (each.name == "message") found.messages[each.thread].add(each.fields[1], parts.of(each.segment));
    if (each.name == "lock.acquire" || each.name == "lock.release") {
      found.pairs[each.object].add(each.fields[1], parts.of(each.segment));
    }
  }
  return found;
}

/// Where segments are recycled, all Records of a thread that slept through the whole ring are gone. Those made after
/// the second segment of its newest part began are not: they went there or into a later one.
bool may_be_gone(const TraceReader& trace, const Parts& parts, const ThreadProgress& progress) {
  const std::uint64_t second = trace.begin_of(parts.newest() + 1);
  return !parts.are_whole() && (second == 0 || progress.before.load() < second);
}

void check_trace(const TraceReader& trace, const Progress& progress, bool all_kept, Toll& toll) {
  CHECK(trace.problems() == std::vector<std::string>{});
  REQUIRE_FALSE(trace.segments().empty());
  const Parts parts{trace};
  Found found = find_runs(trace, parts);
  CHECK(found.losses == 0);
  ++toll.traces;
  if (parts.count() > 1) ++toll.holes;
  CHECK((!all_kept || parts.are_whole()));
  toll.torn += trace.problems().size();
  toll.records += trace.records().size();
  for (const ThreadProgress& each : progress.threads) {
    if (may_be_gone(trace, parts, each)) continue;
    const std::uint64_t pairs = each.pairs.load() + 1;  // one more before the first number
    const bool in_pair = check_run(found.pairs[each.lock.load()], 2 * pairs, 2, parts.are_whole(), toll);
    const Run& messages = found.messages[each.thread.load()];
    const bool in_message = check_run(messages, each.messages.load(), 1, parts.are_whole(), toll);
    if (in_pair || in_message) ++toll.amidst;
    ++toll.threads;
  }
}

void check_with_unspool(const fs::path& trace, Toll& toll) {
  const Ended judged = run_program({"../tools/unspool/unspool", "check", trace.string()});
  INFO(judged.out << judged.err);
  CHECK(judged.exit_code == 0);
  if (judged.exit_code == 0) ++toll.opened;
}

void tell(const Toll& toll) {
  std::printf(
      "%d kills: %llu Records, %llu lost, %llu torn; %d threads checked, %d of them killed in a call; "
      "unspool opened %d, babeltrace2 %d\n",
      toll.traces, static_cast<unsigned long long>(toll.records), static_cast<unsigned long long>(toll.lost),
      static_cast<unsigned long long>(toll.torn), toll.threads, toll.amidst, toll.opened, toll.read_by_babeltrace);
}

/// What babeltrace2 counts in one segment, -1 where it warns or fails.
long counted_by_babeltrace(const fs::path& segment) {
  const std::string command = "babeltrace2 '" + segment.string() + "' --component=sink.utils.counter 2>&1";
  FILE* out = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): the tool's own command line
  REQUIRE(out != nullptr);
  std::string text;
  std::array<char, 256> buffer{};
  while (fgets(buffer.data(), static_cast<int>(buffer.size()), out) != nullptr)
    text += buffer.data();
  const int status = pclose(out);
  INFO(text);
  CHECK(status == 0);
  CHECK(text.find("WARN") == std::string::npos);
  const auto at = text.rfind(" Event messages");
  return at == std::string::npos ? -1 : std::strtol(text.c_str() + text.rfind('\n', at) + 1, nullptr, 10);
}

/// Has tar make directories of all archives that have none; how many archives there were.
int unpack(const fs::path& trace) {
  int archives = 0;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator{trace}) {
    const std::string name = entry.path().filename();
    if (!name.starts_with('.') && name.ends_with(".tar.zst")) found.push_back(entry.path());
  }
  for (const fs::path& each : found) {
    ++archives;
    const std::string directory = each.string().substr(0, each.string().size() - std::string_view{".tar.zst"}.size());
    const std::string command = "cd '" + trace.string() + "' && tar --zstd -xf '" + each.string() + "'";
    if (!fs::exists(directory)) CHECK(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c): the test's own
    fs::remove(each);
  }
  return archives;
}

/// What babeltrace2 counts in the trace as `unspool cat --to ctf` has written it.
long counted_in_copy(const Scratch& scratch, const fs::path& trace) {
  const fs::path plain = scratch.path() / "plain";
  const Ended copied =
      run_program({"../tools/unspool/unspool", "cat", "--to", "ctf", "-o", plain.string(), trace.string()});
  INFO(copied.out << copied.err);
  CHECK(copied.exit_code == 0);
  long sum = 0;
  for (const auto& segment : fs::directory_iterator{plain / trace.filename()})
    sum += counted_by_babeltrace(segment.path());
  return sum;
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("SPOOL_SEED");  // NOLINT(concurrency-mt-unsafe): one thread
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

int kills_of_soak() {
  const char* given = std::getenv("SPOOL_KILLS");     // NOLINT(concurrency-mt-unsafe): one thread
  return given != nullptr ? std::atoi(given) : 1000;  // NOLINT(cert-err34-c): a tester's own
}

}  // namespace

TEST_CASE("whatever call had returned when SIGKILL came is in the trace") {
  const bool soak = std::getenv("SPOOL_SOAK") != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread
  const int kills = soak ? kills_of_soak() : 100;
  const std::uint64_t seed = seed_of_run();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random{seed};
  std::size_t segments = 0;
  std::size_t checked = 0;
  int recycled = 0;
  Toll toll;
  for (int i = 0; i < kills; ++i) {
    const bool complete = i % 2 == 0;
    const std::chrono::microseconds pause{random() % 15'000};
    INFO("kill " << i << " of seed " << seed << (complete ? ", all kept" : ", segments recycled"));
    const Scratch scratch;
    const SharedProgress progress{scratch.path() / "progress"};
    run_and_kill(scratch, progress, {complete ? keep_all : keep_little}, pause);
    const TraceReader trace{trace_in(scratch)};
    check_trace(trace, *progress, complete, toll);
    segments += trace.segments().size();
    if (!Parts{trace}.are_whole()) ++recycled;
    check_with_unspool(trace_in(scratch), toll);
    if (!soak && i % 10 >= 2) continue;
    for (const fs::path& segment : trace.segments()) {
      INFO(segment);
      const auto number = static_cast<std::uint32_t>(std::stoul(segment.filename().string()));
      CHECK(counted_by_babeltrace(segment) == static_cast<long>(trace.records_in(number)));
      ++checked;
    }
    ++toll.read_by_babeltrace;
  }
  tell(toll);
  std::printf("%zu segments, babeltrace2 read %zu; %d traces with recycled ones, %d of them with a hole\n", segments,
              checked, recycled, toll.holes);
  CHECK(toll.traces == kills);
  CHECK(toll.threads > 2 * kills);  // those where all is kept, and some of the others
  CHECK(recycled > 0);
}

TEST_CASE("the same while segments become archives") {
  const bool soak = std::getenv("SPOOL_SOAK") != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread
  const int kills = soak ? kills_of_soak() : 60;
  const std::uint64_t seed = seed_of_run();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random{seed};
  int archives = 0;
  int turned = 0;
  long counted = 0;
  Toll toll;
  for (int i = 0; i < kills; ++i) {
    const bool complete = i % 2 == 0;
    const std::chrono::microseconds pause{random() % 40'000};
    const int awaited = complete ? static_cast<int>(random() % 3) : 0;
    INFO("kill " << i << " of seed " << seed << (complete ? ", all kept" : ", little kept"));
    const Scratch scratch;
    const SharedProgress progress{scratch.path() / "progress"};
    run_and_kill(scratch, progress, {complete ? keep_all : 2 * keep_little, true, awaited}, pause);
    const fs::path path = trace_in(scratch);
    check_with_unspool(path, toll);
    const bool copies = soak || i % 6 == 0;
    const long copied = copies ? counted_in_copy(scratch, path) : 0;
    archives += unpack(path);
    const TraceReader trace{path};
    check_trace(trace, *progress, complete, toll);
    if (!Parts{trace}.are_whole()) ++turned;
    if (!copies) continue;
    CHECK(copied == static_cast<long>(trace.records().size() + trace.definitions()));
    counted += copied;
    ++toll.read_by_babeltrace;
  }
  tell(toll);
  std::printf("%d archives, babeltrace2 read %ld Records of unpacked copies; %d traces whose oldest was gone\n",
              archives, counted, turned);
  CHECK(toll.traces == kills);
  CHECK(toll.threads > 2 * kills);
  CHECK(archives > kills / 4);
}

}  // namespace spool::test

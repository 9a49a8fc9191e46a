// SPDX-License-Identifier: MIT
//
// Logs on the command line: the same answers as from the trace, any kind of file, and what is said of bad ones.
#include <catch2/catch.hpp>
#include <unspool/log_samples.hpp>
#include <unspool/running.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>

#include <sys/stat.h>

using namespace unspool_test;
namespace fs = std::filesystem;

namespace {

struct Files {
  TemporaryDirectory directory;
  std::string json = path("server.jsonl");
  std::string text = path("server.log");
  Files() {
    write_file(json, json_log());
    write_file(text, joined(text_lines()));
  }
  std::string path(const std::string& name) const { return directory.path() + '/' + name; }
  std::string put(const std::string& name, const std::string& bytes) const {
    write_file(path(name), bytes);
    return path(name);
  }
};

void shell(const std::string& command) {
  REQUIRE(run(command).exit == 0);
}

}  // namespace

/// The report of a log without the line that says what its times lack; all else is the trace's.
std::string without_note(std::string text) {
  const std::string note = "  Read from a log: times are whole nanoseconds.\n";
  const auto found = text.find(note);
  return found == std::string::npos ? text : text.erase(found, note.size());
}

TEST_CASE("trace, JSON lines and text of one run give the same tables") {
  const Files files;
  const SampleTrace sample;
  for (const std::string command : {"report", "threads", "locks", "joins", "deadlocks", "cat", "cat --time clock"}) {
    const Outcome trace = unspool(command + " " + sample.path());
    const Outcome json = unspool(command + " " + files.json);
    const Outcome text = unspool(command + " " + files.text);
    CHECK(trace.exit == 0);
    CHECK(json.exit == 0);
    CHECK(json.err.empty());
    CHECK((json.out.find("whole nanoseconds") != std::string::npos) == (command == "report"));
    CHECK(without_note(json.out) == trace.out);
    CHECK(text.err.empty());
    CHECK(without_note(text.out) == trace.out);
  }
  CHECK(unspool("locks " + files.json).out.find("1 wait for 5.00 µs in all") != std::string::npos);
}

TEST_CASE("a file is what its content says, whatever its name, and wherever it comes from") {
  const Files files;
  const std::string expected = unspool("cat " + files.json).out;
  shell("gzip -c " + files.json + " > " + files.path("a.txt"));
  shell("zstd -q -c " + files.json + " > " + files.path("b"));
  CHECK_FALSE(expected.empty());
  CHECK(unspool("cat " + files.path("a.txt")).out == expected);
  CHECK(unspool("cat " + files.path("b")).out == expected);
  CHECK(run("cat " + files.path("a.txt") + " | " + tool() + " cat").out == expected);
  CHECK(run("cat " + files.json + " | " + tool() + " cat -").out == expected);
  CHECK(unspool("cat < " + files.path("b")).out == expected);
  CHECK(unspool("cat '" + files.path("*.jsonl") + "'").out == expected);
  CHECK(unspool("cat " + files.json + " " + files.json).out == expected);
}

TEST_CASE("a directory with logs in it is read, and what is no log there is left alone") {
  const Files files;
  const std::string expected = unspool("cat " + files.json).out;
  fs::remove(files.text);
  files.put("README", "nothing of spool's\n");
  const Outcome outcome = unspool("cat " + files.directory.path());
  CHECK(outcome.exit == 0);
  CHECK(outcome.out == expected);
  fs::remove(files.json);
  CHECK(unspool(files.directory.path()).exit == 4);
}

TEST_CASE("rotated files of one process are put in the order of their times") {
  const Files files;
  const auto records = json_records();
  const std::string begin = json_definitions()[0] + "\n";
  files.put("r.log.2", joined(json_definitions()) + joined({records[0], records[1]}));
  files.put("r.log.1", begin + joined({records[2], records[3]}));
  files.put("r.log", begin + joined({records[4], records[5]}));
  shell("gzip " + files.path("r.log.2"));
  const std::string expected = unspool("cat " + files.json).out;
  CHECK(unspool("cat " + files.path("r.log") + " " + files.path("r.log.1") + " " + files.path("r.log.2.gz")).out ==
        expected);
  const Outcome rest = unspool("cat " + files.path("r.log") + " " + files.path("r.log.1"));
  CHECK(rest.out.find("cache") != std::string::npos);
  CHECK(rest.out.find("server.cpp:31") != std::string::npos);
  CHECK(unspool("threads " + files.path("r.log")).out.find("worker-1") != std::string::npos);
}

TEST_CASE("the order in which rotated files are named changes nothing") {
  const Files files;
  const auto records = json_records();
  files.put("r.log.1", joined(json_definitions()) + joined({records[0]}));
  // A block that quotes an acquire whose Record came late, by more than what a log with gaps is waited for.
  const auto late = [](std::string_view at, std::string_view record, unsigned thread, std::string_view rest) {
    return json_transition(at, record, thread, thread == 1 ? 2 : 3, rest);
  };
  files.put("r.log", json_definitions()[0] + "\n" +
                         joined({late("200001000", "lock.release", 1, R"("waiters":0,"owner":1)"),
                                 json_transition("200002000", "lock.block", 1, 3, R"("owner":2,"owner_site":4)"),
                                 late("299000000", "lock.acquire", 2, R"("waker":1,"spun":0)")}));
  for (const std::string command : {"cat ", "locks --format json "}) {
    const std::string named = unspool(command + files.path("r.log.1") + " " + files.path("r.log")).out;
    CHECK(unspool(command + files.path("r.log") + " " + files.path("r.log.1")).out == named);
  }
}

TEST_CASE("lines of several processes in one file are several processes, as are a later start and another format") {
  const Files files;
  const auto a = json_records(1);
  const auto b = json_records(2);
  std::string mixed = joined(json_definitions(1)) + joined(json_definitions(2));
  for (std::size_t i = 0; i < a.size(); ++i)
    mixed += a[i] + '\n' + b[i] + '\n';
  const std::string path = files.put("mixed", mixed);
  const Outcome outcome = unspool("cat " + path);
  CHECK(outcome.exit == 0);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 12);
  CHECK(outcome.out.find("kvserver-1  ") != std::string::npos);
  CHECK(outcome.out.find("kvserver-2  ") != std::string::npos);
  const std::string again =
      files.put("again", json_log() + joined(json_definitions(4711, "150000000")) + joined(json_records()));
  CHECK(std::regex_search(unspool(again).out, std::regex{"pid 4711: 6 Records[^]*pid 4711: 6 Records"}));
  CHECK(std::regex_search(unspool(files.json + " " + files.text).out,
                          std::regex{"pid 4711: 6 Records[^]*pid 4711: 6 Records"}));
}

TEST_CASE("Records that stand in the wrong order are put right by their sequence numbers") {
  const Files files;
  auto records = json_records();
  // The second acquire's clock is behind that of the release before it.
  records[3] = json_transition("200004000", "lock.acquire", 2, 3, R"("waker":1,"waker.name":"MainThread","spun":0)");
  std::swap(records[2], records[3]);
  const std::string path = files.put("skewed", joined(json_definitions()) + joined(records));
  const std::string out = unspool("cat " + path).out;
  CHECK(out.find("lock.release        cache(lock #2)  at=server.cpp:31 seq=2") <
        out.find("lock.acquire        cache(lock #2)  at=server.cpp:31 seq=3"));
}

TEST_CASE("lines that cannot be used are counted by kind, located, and passed over") {
  const Files files;
  const auto records = json_records();
  const std::string good = joined(json_definitions()) + joined(records);
  const std::string expected = unspool("cat " + files.json).out;
  const std::string at = fmt::format("line 13, at byte {}", good.size());
  const auto said = [&](const std::string& more) {
    const Outcome outcome = unspool("cat " + files.put("bad", good + more));
    CHECK(outcome.out == expected);
    return fmt::format("{} {}", outcome.exit, outcome.err);
  };
  const std::string where = "unspool: " + files.path("bad") + ": ";
  CHECK(said(records[0].substr(0, 200) + "\n") == "3 " + where + "1 line is broken, and is passed over: " + at + "\n");
  CHECK(said(records[0].substr(0, 200)) ==
        "3 " + where + "1 line is cut off by the end of the log, and is passed over: " + at + "\n");
  CHECK(said("hello\nworld\n\n") == "0 unspool: note: " + files.path("bad") +
                                        ": 2 lines are none of spool's, and are passed over; the first is " + at +
                                        "\n");
  CHECK(said(records[0].substr(0, 90) + records[0] + "\n").find("1 line has another one inside it") !=
        std::string::npos);
  CHECK(said(records[0] + records[0] + "\n").find("3 ") == 0);
  CHECK(said(json_line("300000000", "lock.invented", R"("thread.id":2,"thread.name":"")") + "\n")
            .find("note: " + files.path("bad") + ": 1 line has a Record that this unspool does not know") !=
        std::string::npos);
  CHECK(said(std::string((32 << 20) + 1, 'x') + "\n").find("1 line is longer than 32 MiB") != std::string::npos);
}

TEST_CASE("faults of several lines are told in the plural, and each sort for itself") {
  const Files files;
  const auto records = json_records();
  const std::string lacking = json_line("300000000", "lock.acquire", R"("thread.name":"worker-1")") + "\n";
  const std::string inside = records[0].substr(0, 90) + records[0] + "\n";
  const std::string newer = json_line("300000000", "lock.invented", R"("thread.id":2,"thread.name":"worker-1")") + "\n";
  const std::string huge((32 << 20) + 1, 'x');
  const auto said = [&](const std::string& more) { return unspool("cat " + files.put("bad", json_log() + more)).err; };
  const auto has = [&](const std::string& text, const std::string& part) {
    INFO(text.substr(0, 500));
    CHECK(text.find(part) != std::string::npos);
  };
  has(said("hello\n"), ": 1 line is none of spool's, and is passed over");
  has(said(lacking), ": 1 line lacks what a Record has, or a number in it is out of its range");
  has(said(lacking + lacking), ": 2 lines lack what a Record has, or a number in them is out of its range");
  has(said(inside + inside), ": 2 lines have others inside them, as where two programs write into one file");
  has(said(newer + newer), ": 2 lines have Records that this unspool does not know, a newer one may");
  has(said(huge + "\n" + huge + "\n"), ": 2 lines are longer than 32 MiB");
}

TEST_CASE("lines of more processes than are read at once are told") {
  const Files files;
  std::string log;
  for (unsigned pid = 1; pid <= 1000; ++pid)
    log += json_definitions(pid)[0] + "\n";
  const auto said = [&](const std::string& more) { return unspool("threads " + files.put("many", log + more)).err; };
  CHECK(said("").find("beyond the number") == std::string::npos);
  CHECK(said(json_definitions(2001)[0] + "\n").find("1 line is of a process beyond the number that is read at once") !=
        std::string::npos);
  CHECK(said(json_definitions(2001)[0] + "\n" + json_definitions(2002)[0] + "\n")
            .find("2 lines are of processes beyond the number that is read at once") != std::string::npos);
}

TEST_CASE("what a pattern leaves out of its times is told") {
  const Files files;
  const std::string path = files.put("old.log", "[20:31:52.100] [http] slow\n");
  const Outcome cat = unspool("cat --pattern '[%H:%M:%S.%e] [%n] %v' " + path);
  CHECK(cat.err.find("its times have no offset (%z): they are taken for UTC") != std::string::npos);
  CHECK(cat.err.find("its times have no date: they are taken for the first day of 1970") != std::string::npos);
}

TEST_CASE("a broken line in the middle of a log costs that line") {
  const Files files;
  auto lines = json_definitions();
  auto records = json_records();
  records[4] = records[4].substr(0, 250) + "}";
  const Outcome outcome = unspool("cat " + files.put("bad", joined(lines) + joined(records)));
  CHECK(outcome.exit == 3);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 5);
  CHECK(outcome.err.find("1 line is broken") != std::string::npos);
}

TEST_CASE("any byte of a log may be another one") {
  const Files files;
  for (const std::string& good : {json_log(), joined(text_lines())}) {
    for (std::size_t i = 3; i < good.size(); i += good.size() / 25) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 0x15);
      const Outcome outcome = unspool(files.put("bad", bad));
      CHECK((outcome.exit == 0 || outcome.exit == 3));
      CHECK_FALSE(outcome.out.empty());
    }
  }
}

TEST_CASE("compressed data that breaks off is used as far as it goes, and said") {
  const Files files;
  std::string more;
  for (int i = 0; i < 3000; ++i)
    more += json_line(fmt::format("3{:08}", i * 7919), "message",
                      fmt::format(R"("thread.id":2,"thread.name":"worker-1","site":0,"body":"{}")", i * 7919 % 10007)) +
            "\n";
  files.put("log", json_log() + more);
  for (const std::string packer : {"gzip", "zstd -q"}) {
    shell(packer + " -c " + files.path("log") + " > " + files.path("z"));
    fs::resize_file(files.path("z"), fs::file_size(files.path("z")) - 20);
    const Outcome outcome = unspool("cat " + files.path("z"));
    CHECK(outcome.exit == 3);
    CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') > 5);
    CHECK(outcome.err.find("data breaks off at byte") != std::string::npos);
  }
}

TEST_CASE("what is no log is refused, with the place of the first line that could not be read") {
  const Files files;
  CHECK(unspool(files.put("no", "hello\n")).err ==
        "unspool: " + files.path("no") +
            ": has no line that could be read (the first that could not: line 1, at byte 0); lines of another spdlog "
            "pattern are read with --pattern\n");
  CHECK(unspool(files.put("no", "")).exit == 4);
  CHECK(unspool(files.path("no") + " " + files.json).exit == 3);
  CHECK(unspool("/no/such/file").err == "unspool: /no/such/file: there is no such file or directory\n");
  const std::string newer = std::regex_replace(json_log(), std::regex{"\"1.0\""}, "\"2.0\"");
  CHECK(unspool(files.put("new", newer)).err.find("written by a newer spool (lines 2.x)") != std::string::npos);
}

TEST_CASE("text of another pattern is read with --pattern; without pairs there are messages only, and that is said") {
  const Files files;
  const std::string path = files.put("old.log",
                                     "[2026-11-22 20:31:52.100] [http] [warning] (w-1) slow\n"
                                     "[2026-11-22 20:31:52.200] [http] [info] (w-2) done\n");
  const Outcome cat = unspool("cat --pattern '[%Y-%m-%d %H:%M:%S.%e] [%n] [%l] (%N) %v' " + path);
  CHECK(cat.exit == 0);
  CHECK(cat.out ==
        "  +0.000000000  w-1(1)    message             warning   slow  logger=http  at=-\n"
        "  +0.100000000  w-2(2)    message             info      done  logger=http  at=-\n");
  CHECK(cat.err.find("there are messages only, no locks and no waits") != std::string::npos);
  const Outcome report = unspool("--pattern '[%Y-%m-%d %H:%M:%S.%e] [%n] [%l] (%N) %v' " + path);
  CHECK(report.out.find("there are messages only") != std::string::npos);
  const Outcome refused = unspool("--pattern '%n%v' " + path);
  CHECK(refused.exit == 2);
  CHECK(refused.err.find("cannot be read back: two texts side by side") != std::string::npos);
}

TEST_CASE("cat gives JSON of JSON lines with typed arguments, and the line's place") {
  const Files files;
  const std::string out = unspool("cat --format json " + files.json).out;
  CHECK(
      out.find(R"("body":"served /a in 3 ms","format":"served {path} in {ms} ms","arguments":{"path":"/a","ms":3})") !=
      std::string::npos);
  CHECK(out.find("\"place\":\"" + files.json + "@") != std::string::npos);
}

TEST_CASE("each thread gets a log of its own, with what it is at the head") {
  const Files files;
  const std::string to = files.path("threads");
  CHECK(unspool("cat --split-by-thread " + to + " " + files.json).exit == 0);
  const std::string log = read_file(to + "/worker-1.2.log");
  CHECK(
      log.starts_with("# unspool: thread worker-1(2)\n"
                      "# number 2, native id 1002, daemon yes, created by MainThread(1); kvserver, pid 4711\n"
                      "# begin not recorded "));
  CHECK(log.find("# end   not recorded; last Record 2026-11-22T20:31:52.200007000Z (+0.000007000 s)") !=
        std::string::npos);
  CHECK(log.find("served /a in 3 ms") != std::string::npos);
  CHECK(log.find("MainThread(1)  lock") == std::string::npos);
  CHECK(fs::exists(to + "/MainThread.1.log"));
  struct stat about {};
  REQUIRE(::stat(to.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0700);
  REQUIRE(::stat((to + "/worker-1.2.log").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("a split replaces what an earlier one left, if it may, and nothing else") {
  const Files files;
  const std::string to = files.path("threads");
  const std::string command = "cat --split-by-thread " + to + " " + files.json;
  CHECK(unspool(command).exit == 0);
  CHECK(unspool(command).exit == 4);
  CHECK(unspool(command).err == "unspool: " + to +
                                    ": is not empty: give another directory, or --replace for what an earlier split "
                                    "left\n");
  CHECK(unspool(command + " --replace").exit == 0);
  write_file(to + "/mine", "my own\n");
  CHECK(unspool(command + " --replace").err == "unspool: " + to +
                                                   "/mine: was not written by a split, and is not "
                                                   "replaced\n");
  CHECK(read_file(to + "/mine") == "my own\n");
  fs::create_directory(files.path("elsewhere"));
  fs::create_directory_symlink(files.path("elsewhere"), files.path("link"));
  CHECK(unspool("cat --split-by-thread " + files.path("link") + " " + files.json).exit == 4);
  CHECK(fs::is_empty(files.path("elsewhere")));
}

TEST_CASE("no thread's name leads out of the directory, or controls a terminal") {
  const Files files;
  const std::string hostile = R"(../../\u001b[2J\"a\n/b)";
  std::string log = std::regex_replace(json_log(), std::regex{"worker-1"}, "@");
  for (std::size_t at = 0; (at = log.find('@', at)) != std::string::npos; at += hostile.size())
    log.replace(at, 1, hostile);
  const std::string to = files.path("threads");
  const std::string path = files.put("hostile", log);
  CHECK(unspool("cat --split-by-thread " + to + " " + path).exit == 0);
  std::vector<std::string> names;
  for (const auto& each : fs::directory_iterator{to})
    names.push_back(each.path().filename().string());
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"MainThread.1.log", "_._..___2J_a__b.2.log"});
  for (const std::string command : {"report", "threads", "locks", "cat", "deadlocks"}) {
    const Outcome outcome = unspool(command + " " + path);
    CHECK(outcome.exit == 0);
    CHECK(outcome.out.find('\x1b') == std::string::npos);
  }
}

// SPDX-License-Identifier: MIT
//
// --redact: no output holds a true name or text, the figures stay, and what is written can be analysed again.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unspool/running.hpp>

#include <string>
#include <vector>

using namespace unspool_test;
using Json = nlohmann::json;

namespace {

constexpr trace::ObjectNumber vault = object_number(1);
constexpr trace::ObjectNumber ledger = object_number(2);

/// Everything that could tell whose trace it is has "secret" in it.
struct Confidential {
  TraceBuilder trace;
  Confidential() {
    trace.process.program = "secretbank";
    trace.process.hostname = "secret.example";
    auto& segment = trace.segment(1);
    segment.define_thread(1, "secret-main", trace::Origin::main).define_thread(2, "secret-worker");
    segment.define_object(vault, trace::Kind::lock, "secret vault", 1);
    segment.define_object(ledger, trace::Kind::lock, "ledger of secrets", 2);
    segment.define_site(1, "/home/secret/vault.cpp", 10, "open_secret");
    segment.define_site(2, "/home/secret/ledger.cpp", 20, "secret_write");
    trace::MessageClass message;
    message.id = trace::first_message_class;
    message.level = trace::Level::error;
    message.logger = "secretlog";
    message.format = "secret {path}";
    message.arguments = {{"path", trace::Type::text}};
    segment.define_message(message);
    segment.writer(1, 100)
        .transition(110, "lock.acquire", vault, 1, 1)
        .message(115, message, 1, {std::string_view{"/secret"}})
        .record(116, "message", 0,
                {std::uint64_t{1}, std::uint64_t{4}, std::string_view{"secret"}, std::string_view{"a secret text"}})
        .transition(300, "lock.release", vault, 1, 2, 1)
        .transition(310, "lock.acquire", vault, 1, 5)
        .transition(320, "lock.block", ledger, 2, 1, 2);
    segment.writer(2, 100)
        .transition(150, "lock.block", vault, 2, 1, 1, 1)
        .transition(302, "lock.acquire", vault, 2, 3, 1)
        .transition(305, "lock.release", vault, 2, 4)
        .transition(306, "lock.acquire", ledger, 2, 1)
        .transition(330, "lock.block", vault, 1, 5, 1, 1);
    trace.write();
    // A damage, to be told with its place.
    write_file(trace.segment_path(1) + "/stream-0009", "not a chunk");
  }
  std::string path() const { return trace.path(); }
};

bool is_harmless(const Outcome& outcome) {
  INFO(outcome.out << outcome.err);
  CHECK(outcome.exit <= 3);
  CHECK_FALSE(outcome.out.empty());
  return (outcome.out + outcome.err).find("secret") == std::string::npos;
}

/// Names taken out of a document: what is left are its figures.
Json figures(const Json& value) {
  if (value.is_string()) return "";
  if (!value.is_structured()) return value;
  Json out = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, each] : value.items()) {
    if (key == "fingerprint" || key == "problems") continue;
    if (value.is_array()) out.push_back(figures(each));
    if (value.is_object()) out[key] = figures(each);
  }
  return out;
}

}  // namespace

TEST_CASE("no command tells a name or a text when it is to redact them") {
  const Confidential bank;
  for (const std::string command : {"report", "threads", "locks", "joins", "deadlocks", "order", "misuse", "check",
                                    "waits", "blame", "blame --folded", "state", "cat", "cat --definitions"}) {
    for (const std::string format : {"table", "json", "csv"}) {
      INFO(command << " " << format);
      const Outcome told = unspool(command + " --redact key --format " + format + " " + bank.path());
      if (command == "blame --folded" && told.out.empty()) continue;
      CHECK(is_harmless(told));
    }
  }
  const TemporaryDirectory directory;
  CHECK(unspool("cat --redact key --split-by-thread " + directory.path() + " " + bank.path()).exit <= 3);
  CHECK(run("grep -rli secret " + directory.path()).out.empty());
  CHECK(run("ls " + directory.path()).out.find("secret") == std::string::npos);
}

TEST_CASE("the figures stay") {
  const Confidential bank;
  for (const std::string command : {"report", "locks", "deadlocks", "misuse", "blame"}) {
    INFO(command);
    const Json plain = Json::parse(unspool(command + " --format json " + bank.path()).out);
    const Json redacted = Json::parse(unspool(command + " --format json --redact key " + bank.path()).out);
    CHECK(figures(plain) == figures(redacted));
  }
}

TEST_CASE("a redacted dump analyses to the same numbers, under the same pseudonyms") {
  const Confidential bank;
  const TemporaryDirectory directory;
  const std::string dump = directory.path() + "/dump.jsonl";
  CHECK(run(tool() + " cat --format json --definitions --redact key " + bank.path() + " >" + dump).exit <= 3);
  const auto locks = [](const std::string& arguments) {
    return Json::parse(unspool("locks --format json " + arguments).out)["processes"][0]["locks"];
  };
  CHECK(locks(dump) == locks("--redact key " + bank.path()));
}

TEST_CASE("a pseudonym is the same under one key, and another under another") {
  const Confidential bank;
  const std::string first = unspool("locks --redact one " + bank.path()).out;
  CHECK(first == unspool("locks --redact one " + bank.path()).out);
  CHECK(first != unspool("locks --redact two " + bank.path()).out);
}

TEST_CASE("filters are given in the true names") {
  const Confidential bank;
  const auto rows = [&](const std::string& filter) {
    const Outcome outcome = unspool("locks --format json --redact key " + filter + " " + bank.path());
    return Json::parse(outcome.out)["processes"][0]["locks"].size();
  };
  CHECK(rows("") == 2);
  CHECK(rows("--object 'secret*'") == 1);
  CHECK(rows("--thread secret-worker --process secretbank") == 2);
  CHECK(unspool("locks --redact key --object nothing " + bank.path()).exit == 2);
}

TEST_CASE("what cannot be redacted is refused") {
  const Confidential bank;
  const TemporaryDirectory directory;
  const Outcome outcome = unspool("cat --to ctf -o " + directory.path() + " --redact key " + bank.path());
  CHECK(outcome.exit == 2);
  CHECK(outcome.err.find("--redact") != std::string::npos);
}

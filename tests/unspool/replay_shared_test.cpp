// SPDX-License-Identifier: MIT
//
// A lock that is handed over: whoever is given it makes the Record of that when it runs, in any order, and perhaps
// after others have begun to wait for it.
#include <catch2/catch.hpp>
#include <unspool/replay_notes.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ObjectNumber data = lock(1);

struct Shared : Script {
  void write(trace::Ticks time, trace::ThreadNumber who) {
    add(Kind::shared_lock, Verb::acquire, time, who, data, who);
  }
  void wrote(trace::Ticks time, trace::ThreadNumber who) {
    add(Kind::shared_lock, Verb::release, time, who, data, 0, 1, who);
  }
  void read(trace::Ticks time, trace::ThreadNumber who, std::uint32_t readers, trace::SiteNumber site = 0) {
    add(Kind::shared_lock, Verb::acquire_shared, time, who, data, site == 0 ? who : site, 0, readers);
  }
  void did_read(trace::Ticks time, trace::ThreadNumber who, std::uint32_t readers) {
    add(Kind::shared_lock, Verb::release_shared, time, who, data, 0, 1, readers);
  }
  void block(trace::Ticks time, trace::ThreadNumber who, trace::ThreadNumber owner) {
    add(Kind::shared_lock, Verb::block, time, who, data, who, owner, owner);
  }
  void block_shared(trace::Ticks time, trace::ThreadNumber who, trace::ThreadNumber owner) {
    add(Kind::shared_lock, Verb::block_shared, time, who, data, who, owner, owner);
  }
};

const Wait& wait_of(const Run& run, trace::ThreadNumber thread) {
  return *std::ranges::find(run.notes.waits, thread, &Wait::thread);
}

}  // namespace

TEST_CASE("readers that a writer lets in go on in any order, and each holds it from when it does") {
  // 2 and 3 were let in at once, 3 first; but 2 got a processor earlier, and was done before 3 ran.
  Shared script;
  script.write(10, 1);
  script.block_shared(20, 3, 1);
  script.block_shared(30, 2, 1);
  script.block(40, 4, 1);
  script.wrote(100, 1);
  script.read(130, 3, 2);
  script.read(110, 2, 2);
  script.did_read(120, 2, 1);
  script.did_read(150, 3, 0);
  script.write(155, 4);
  const Run run{script};
  const Wait& writer = wait_of(run, 4);
  CHECK(writer.ticks() == 115);
  CHECK(share_of(writer, held_by(1, 1)) == 60);
  CHECK(share_of(writer, held_by(2, 2)) == 10);
  CHECK(share_of(writer, held_by(3, 3)) == 20);
  CHECK(share_of(writer, hand_over) == 10 + 10 + 5);
  // No reader keeps a reader waiting that was let in with it.
  CHECK(share_of(wait_of(run, 2), held_by(1, 1)) == 70);
  CHECK(share_of(wait_of(run, 2), hand_over) == 10);
  CHECK(share_of(wait_of(run, 3), held_by(1, 1)) == 80);
  CHECK(share_of(wait_of(run, 3), hand_over) == 30);
}

TEST_CASE("a reader that goes while another one has not come yet leaves nobody") {
  Shared script;
  script.write(10, 1);
  script.block_shared(20, 2, 1);
  script.block_shared(30, 3, 1);
  script.block(40, 4, 1);
  script.wrote(100, 1);
  script.read(105, 2, 2);
  script.read(150, 3, 2);
  script.did_read(110, 2, 1);
  script.did_read(160, 3, 0);
  script.write(165, 4);
  const Run run{script};
  const Wait& writer = wait_of(run, 4);
  CHECK(share_of(writer, held_by(2, 2)) == 5);
  CHECK(share_of(writer, held_by(3, 3)) == 10);
  CHECK(share_of(writer, hand_over) == 5 + 40 + 5);
}

TEST_CASE("readers who hold it together are told with their line where it is the same") {
  Shared script;
  script.read(10, 2, 1, 7);
  script.read(20, 3, 2, 7);
  script.block(40, 4, 0);
  script.did_read(50, 2, 1);
  script.did_read(70, 3, 0);
  script.write(75, 4);
  const Run run{script};
  CHECK(share_of(wait_of(run, 4), {Holder::Tenant::others, 0, 7}) == 10);
}

TEST_CASE("a wait that begins while readers hold it counts each as long as it does, also where it says so late") {
  Shared script;
  script.read(10, 2, 1);
  script.read(20, 3, 2);
  script.block(40, 4, 0);
  script.did_read(50, 2, 1);
  script.did_read(70, 3, 0);
  script.write(75, 4);
  const Run run{script};
  const Wait& writer = wait_of(run, 4);
  CHECK(share_of(writer, {Holder::Tenant::others, 0, 0}) == 10);
  CHECK(share_of(writer, held_by(3, 3)) == 20);
  CHECK(share_of(writer, hand_over) == 5);
}

TEST_CASE("whoever waits for one that was given the lock and does not run yet waits for the hand-over") {
  Shared script;
  script.write(10, 1);
  script.block(20, 2, 1);
  script.wrote(30, 1);
  // 2 has it since 30, and says so at 90.
  script.write(90, 2);
  script.block(50, 3, 2);
  script.wrote(100, 2);
  script.write(105, 3);
  const Run run{script};
  const Wait& third = wait_of(run, 3);
  CHECK(third.ticks() == 55);
  CHECK(share_of(third, hand_over) == 40 + 5);
  CHECK(share_of(third, held_by(2, 2)) == 10);
}

TEST_CASE("readers behind a writer that gives up were kept by the readers before it") {
  Shared script;
  script.read(10, 2, 1);
  script.block(20, 4, 0);
  script.block_shared(30, 3, 0);
  script.add(Kind::shared_lock, Verb::timeout, 60, 4, data, 4);
  script.read(65, 3, 2);
  const Run run{script};
  CHECK(share_of(wait_of(run, 3), held_by(2, 2)) == 35);
  CHECK(sum(wait_of(run, 3)) == 35);
}

TEST_CASE("in contended mode a reader is one only while somebody waits, as its release may not be recorded") {
  Shared script;
  script.process.mode = Mode::contended;
  script.block_shared(20, 2, 1);
  script.wrote(100, 1);
  script.read(110, 2, 1);
  // 2 is done unseen.
  script.block(500, 3, 0);
  script.did_read(600, 4, 1);
  script.did_read(700, 5, 0);
  script.write(710, 3);
  const Run run{script};
  const Wait& writer = wait_of(run, 3);
  CHECK(share_of(writer, held_by(2, 2)) == 0);
  CHECK(share_of(writer, unknown) == 100);
  CHECK(share_of(writer, held_by(5, 0)) == 100);  // nobody came in meanwhile: 5 was alone since 4 went
  CHECK(share_of(writer, hand_over) == 10);
  CHECK(run.notes.holds.empty());
}

TEST_CASE("in contended mode readers that were let in together are all known while somebody waits") {
  Shared script;
  script.process.mode = Mode::contended;
  script.block_shared(20, 2, 1);
  script.block_shared(30, 3, 1);
  script.block(40, 4, 1);
  script.wrote(100, 1);
  script.read(110, 2, 1);
  script.read(120, 3, 2);
  script.did_read(150, 2, 1);
  script.did_read(190, 3, 0);
  script.write(195, 4);
  const Run run{script};
  const Wait& writer = wait_of(run, 4);
  CHECK(share_of(writer, held_by(1, 1)) == 60);
  CHECK(share_of(writer, held_by(2, 2)) == 10);
  CHECK(share_of(writer, {Holder::Tenant::others, 0, 0}) == 30);
  CHECK(share_of(writer, held_by(3, 3)) == 40);
  CHECK(share_of(writer, hand_over) == 10 + 5);
}

TEST_CASE("in contended mode a block that comes after later Records does not bring the owner back") {
  Shared script;
  script.process.mode = Mode::contended;
  script.block(20, 2, 1);
  Record late = script.add(Kind::shared_lock, Verb::block, 90, 3, data, 3, 1, 1);
  script.records.pop_back();
  script.wrote(80, 1);
  script.write(85, 2);
  script.records.push_back(late);
  script.wrote(200, 2);
  script.write(210, 3);
  const Run run{script};
  const Wait& third = wait_of(run, 3);
  CHECK(share_of(third, held_by(1, 1)) == 0);
  CHECK(share_of(third, held_by(2, 2)) == 110);
  CHECK(share_of(third, hand_over) == 10);
}

TEST_CASE("where only another object has a mode of its own, this one's readers are known as in mode all") {
  Shared script;
  script.process.own_modes = true;
  script.process.with_own_mode = {lock(2)};
  script.read(10, 2, 1);
  script.block(500, 3, 0);
  script.did_read(700, 2, 0);
  script.write(710, 3);
  CHECK(share_of(wait_of(Run{script}, 3), held_by(2, 2)) == 200);
  script.process.cut = true;  // its own mode may stand in a segment that is gone
  CHECK(share_of(wait_of(Run{script}, 3), held_by(2, 2)) == 0);
  script.process.cut = false;
  script.process.with_own_mode = {data};
  CHECK(share_of(wait_of(Run{script}, 3), held_by(2, 2)) == 0);
}

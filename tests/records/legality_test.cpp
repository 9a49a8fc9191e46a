// SPDX-License-Identifier: MIT
//
// The judge of Records itself: what it lets pass, and that it finds a planted violation.
#include "support/legality.hpp"

#include <catch2/catch.hpp>

using namespace spool::test;
using spool::trace::Kind;
using spool::trace::Verb;

namespace {

constexpr spool::trace::ObjectNumber lock = spool::trace::first_object_number;
spool::trace::Ticks now = 0;

TappedRecord made(Verb verb, spool::trace::ThreadNumber thread, spool::trace::Sequence sequence) {
  TappedRecord record;
  record.kind = Kind::lock;
  record.verb = verb;
  record.row = row_of(record.kind, verb);
  record.time = ++now;
  record.thread = thread;
  record.object = lock;
  record.sequence = sequence;
  return record;
}

std::vector<TappedRecord> legal() {
  return {made(Verb::acquire, 1, 1), made(Verb::block, 2, 1),   made(Verb::release, 1, 2), made(Verb::block, 2, 2),
          made(Verb::acquire, 2, 3), made(Verb::release, 2, 4), made(Verb::destroy, 2, 5)};
}

}  // namespace

TEST_CASE("a legal list passes") {
  CHECK(violations(legal()).empty());
}

TEST_CASE("a release out of a wait is a violation") {
  auto records = legal();
  records[4] = made(Verb::release, 2, 3);
  records[5] = made(Verb::acquire, 2, 4);
  records[6] = made(Verb::destroy, 2, 5);
  CHECK(violations(records).size() == 1);
}

TEST_CASE("a timeout without a wait is a violation") {
  CHECK(violations({made(Verb::acquire, 1, 1), made(Verb::timeout, 2, 1)}).size() == 1);
}

TEST_CASE("a missing, a doubled and a late sequence number are violations") {
  auto missing = legal();
  missing.erase(missing.begin() + 2);
  CHECK_FALSE(violations(missing).empty());
  auto doubled = legal();
  doubled[5].sequence = 3;
  CHECK_FALSE(violations(doubled).empty());
  auto quotes_the_future = legal();
  quotes_the_future[1].sequence = 9;
  CHECK(violations(quotes_the_future).size() == 1);
}

TEST_CASE("anything after a destroy, and times that go back, are violations") {
  auto after = legal();
  after.push_back(made(Verb::acquire, 2, 6));
  CHECK(violations(after).size() == 1);
  auto back = legal();
  back[2].time = 0;
  CHECK(violations(back).size() == 1);
}

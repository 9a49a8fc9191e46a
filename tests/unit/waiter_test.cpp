// SPDX-License-Identifier: MIT
//
// What the primitives with an inner lock are made of: who is chosen at the moment when its time is over has not given
// up.
#include <spool/sync/event.hpp>
#include <spool/sync/notes.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>

using namespace spool;
using namespace spool::sync;
using namespace spool::test;

namespace {

/// A word, its queue and one waiter in it, whose time is over.
struct Place {
  Place() {
    waiter.word.store(Waiter::waiting);
    queue.push(waiter);
  }
  Notes notes() { return {log::self(), event.log_object(), site}; }

  Event event{"place"};
  Site site = Site::current();
  StateWord word{7};
  WaiterQueue queue;
  Waiter waiter;
};

}  // namespace

TEST_CASE("who gives up leaves the queue, and the state that it is told to") {
  Place place;
  const auto leave = [](std::uint32_t state) { return state + 1; };
  CHECK(place.notes().give_up(place.word, place.queue, place.waiter, leave));
  CHECK(place.queue.first() == nullptr);
  CHECK(place.queue.size() == 0);
  CHECK(place.word.peek().state == 8);
  CHECK_FALSE(place.word.peek().is_locked);
}

TEST_CASE("who is chosen at the moment when its time is over does not give up, and waits until it is granted") {
  tap();
  Place place;
  Chosen chosen;
  (void)place.word.lock(place.event.log_object(), place.site);
  (void)place.queue.choose_first({7, 0}, chosen);
  place.word.unlock(9);
  std::atomic<bool> returned{false};
  bool left = false;
  Thread late = start_thread("late", [&] {
    const auto leave = [&](std::uint32_t state) {
      left = true;
      return state;
    };
    CHECK_FALSE(place.notes().give_up(place.word, place.queue, place.waiter, leave));
    returned.store(true);
  });
  until_asleep(late);
  CHECK_FALSE(returned.load());
  chosen.wake_all();
  late.join();
  CHECK_FALSE(left);
  CHECK(place.word.peek().state == 9);
  CHECK(place.queue.size() == 0);
}

/* SPDX-License-Identifier: MIT
 *
 * Event, and with it the protocol that every primitive with an inner lock shares (state_word.hpp, waiter.hpp): what is
 * decided under the inner lock, what is published by its unlock, and who may destroy the object when.
 * One waiter waits for ever, another may give up; a setter sets. Whoever is the last whose wait has returned destroys the
 * event, though set() has not returned.
 *
 * Checked: nobody sleeps for ever; no member of the event is touched after its end, and no waiter after its return. Each
 * mutation must be caught:
 *   FLAG_BEFORE_UNLOCK   the flag is seen before the unlock
 *   GRANT_UNDER_LOCK     the waiter is let go before the setter has unlocked
 *   LEAVE_WHEN_CHOSEN    a waiter that gives up does not wait for the grant that was decided for it
 */
#define WAITERS 2

bool locked = false, is_set = false;
bool queued[WAITERS], chosen[WAITERS], granted[WAITERS], on_stack[WAITERS];
byte returned = 0;
bool destroyed = false;

inline touch() { assert(!destroyed) }

inline inner_lock() { atomic { !locked -> locked = true; touch() } }

proctype waiter(byte me; bool timed) {
  bool gave_up = false;
  /* the fast path: one load */
  atomic {
    touch();
    if
    :: is_set && !locked -> goto passed
    :: else
    fi
  }
  inner_lock();
  if
  :: is_set -> locked = false; goto passed
  :: else
  fi;
  on_stack[me] = true;
  queued[me] = true;
  locked = false;
  if
  :: granted[me]
  :: timed ->
    inner_lock();
    if
    :: !chosen[me] -> queued[me] = false; gave_up = true
    :: else
    fi;
    locked = false;
    if
    :: gave_up
    :: else ->
#ifndef LEAVE_WHEN_CHOSEN
      granted[me]
#endif
    fi
  fi;
  on_stack[me] = false;
passed:
  atomic {
    returned++;
    if
    :: returned == WAITERS -> destroyed = true
    :: else
    fi
  }
}

inline grant(who) {
  if
  :: chosen[who] -> assert(on_stack[who]); granted[who] = true
  :: else
  fi
}

proctype setter() {
  byte each = 0;
  inner_lock();
  do
  :: each == WAITERS -> break
  :: else ->
    if
    :: queued[each] -> queued[each] = false; chosen[each] = true
    :: else
    fi;
    each++
  od;
#ifdef GRANT_UNDER_LOCK
  grant(0);
  grant(1);
#endif
#ifdef FLAG_BEFORE_UNLOCK
  is_set = true;
  locked = false;
  touch();
#else
  touch();  /* the Record is made here */
  atomic { is_set = true; locked = false }  /* one store; no touch from here on */
#endif
#ifndef GRANT_UNDER_LOCK
  grant(0);
  grant(1);
#endif
}

init {
  atomic { run waiter(0, false); run waiter(1, true); run setter() }
}

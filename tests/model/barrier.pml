/* SPDX-License-Identifier: MIT
 *
 * Barrier, as lib/spool/sync has it: arrivals are counted under the inner lock; the last of a generation lets go exactly
 * those who stand in the queue, each by a grant of its own; a waiter that gives up breaks the barrier for all.
 * Two parties come to it twice; one of them may give up at any moment while it waits. An onlooker may abort it.
 *
 * Checked: nobody passes a generation before both have come; nobody waits for ever. Each mutation must be caught:
 *   TRIP_EARLY       the last party is taken to be one too soon
 *   LEAVE_WHOLE      who gives up leaves the barrier whole, as if it had never come
 *   ABORT_QUIETLY    an abort marks the barrier, and wakes nobody
 *   ONE_GATE         one flag lets all pass, instead of a grant for each: the next generation runs through
 */
#define PARTIES 2
#define ROUNDS 2

bool locked = false, broken = false, gate = false;
byte arrived = 0, generation = 0;
byte came[ROUNDS];
bool queued[PARTIES], chosen[PARTIES], granted[PARTIES], refused[PARTIES];

inline inner_lock() { atomic { !locked -> locked = true } }
inline inner_unlock() { locked = false }

inline choose(who, refuses) {
  if
  :: queued[who] -> queued[who] = false; chosen[who] = true; refused[who] = refuses
  :: else
  fi
}
inline wake(who) {
  if
  :: chosen[who] -> granted[who] = true
  :: else
  fi
}
inline break_all() {
  broken = true;
  arrived = 0;
  choose(0, true);
  choose(1, true)
}

#ifdef ONE_GATE
#define MAY_GO (gate || granted[me])
#else
#define MAY_GO granted[me]
#endif

proctype party(byte me; bool timed) {
  byte round = 0;
  bool last, gives_up;
  do
  :: round == ROUNDS -> break
  :: else ->
    came[round]++;
    gives_up = false;
    inner_lock();
    if
    :: broken -> inner_unlock(); break
    :: else
    fi;
    arrived++;
#ifdef TRIP_EARLY
    last = (arrived >= PARTIES - 1);
#else
    last = (arrived == PARTIES);
#endif
    if
    :: last ->
      choose(0, false);
      choose(1, false);
      gate = true;
      arrived = 0;
      generation++;
      inner_unlock();
      wake(0);
      wake(1)
    :: else ->
      chosen[me] = false;
      granted[me] = false;
      refused[me] = false;
      queued[me] = true;
      inner_unlock();
      if
      :: MAY_GO
      :: timed ->
        inner_lock();
        if
        :: !chosen[me] ->
          gives_up = true;
          queued[me] = false;
#ifdef LEAVE_WHOLE
          arrived--;
#else
          break_all();
#endif
        :: else
        fi;
        inner_unlock();
        if
        :: gives_up -> wake(0); wake(1)
        :: else -> granted[me]
        fi
      fi;
      if
      :: gives_up || refused[me] -> break
      :: else
      fi
    fi;
    assert(came[round] == PARTIES);
    round++
  od
}

proctype onlooker() {
  if
  :: true
  :: inner_lock();
#ifdef ABORT_QUIETLY
    broken = true;
#else
    break_all();
#endif
    inner_unlock();
    wake(0);
    wake(1)
  fi
}

init {
  atomic { run party(0, false); run party(1, true); run onlooker() }
}

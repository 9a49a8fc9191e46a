// SPDX-License-Identifier: MIT
#include <unspool/render/thread_lives.hpp>

#include <algorithm>

namespace unspool {
namespace {

using trace::Verb;

constexpr std::size_t most_joiners = 8;

void saw_own(const Record& record, ThreadLife& life) {
  if (life.records++ == 0) life.first = record.time;
  life.last = std::max(life.last, record.time);
}

void saw_joined(trace::ThreadNumber joiner, ThreadLife& life) {
  if (life.joiners.size() == most_joiners || std::ranges::count(life.joiners, joiner) > 0) return;
  life.joiners.push_back(joiner);
}

}  // namespace

ThreadLives::ThreadLives(const Process& process, RecordSource& source) : source_(source) {
  for (const auto& [number, thread] : process.threads)
    lives_[number];
}

bool ThreadLives::next(Record& record) {
  if (!source_.next(record)) return false;
  if (record.thread != 0) saw_own(record, lives_[record.thread]);
  if (record.row->kind == trace::Kind::thread) saw_transition(record);
  return true;
}

void ThreadLives::saw_transition(const Record& record) {
  // Only threads that are known: a broken file may name any.
  const auto found = lives_.find(static_cast<trace::ThreadNumber>(record.object));
  if (!trace::is_thread(record.object) || found == lives_.end()) return;
  ThreadLife& life = found->second;
  switch (record.row->verb) {
    case Verb::create:
      life.creator = record.thread;
      break;
    case Verb::start:
      life.started_at = record.site;
      break;
    case Verb::begin:
      life.has_begun = true;
      life.begun = record.time;
      if (record.a != 0) life.creator = record.a;
      break;
    case Verb::end:
      life.has_ended = true;
      life.ended = record.time;
      life.outcome = record.a;
      break;
    case Verb::resume:
      saw_joined(record.thread, life);
      break;
    default:
      break;
  }
}

}  // namespace unspool

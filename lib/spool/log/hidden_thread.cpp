// SPDX-License-Identifier: MIT
#include <spool/log/hidden_thread.hpp>

#include <signal.h>

namespace spool::log {
namespace {

constinit thread_local bool is_hidden = false;

void* enter(void* argument) {
  is_hidden = true;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): pthread hands over one pointer
  reinterpret_cast<void (*)()>(argument)();
  return nullptr;
}

}  // namespace

bool is_hidden_thread() {
  return is_hidden;
}

bool HiddenThread::start(const char* name, void (*run)()) {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as above
  running_ = pthread_create(&thread_, nullptr, &enter, reinterpret_cast<void*>(run)) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (running_) pthread_setname_np(thread_, name);
  return running_;
}

void HiddenThread::join() {
  if (running_) pthread_join(thread_, nullptr);
  running_ = false;
}

}  // namespace spool::log

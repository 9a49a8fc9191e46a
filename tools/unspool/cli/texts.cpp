// SPDX-License-Identifier: MIT
//
// What --help and the manual pages say in words.
#include <unspool/cli/arguments.hpp>

namespace unspool::cli {

const std::string_view about =
    "unspool reads what a program's spool library recorded, and says who waited for whom, for how long, because of\n"
    "which line of code, and what is stuck.\n";

const std::string_view inputs_text = R"text(
An INPUT is a trace or a log:
  a directory PROGRAM-PID.spool, one segment of it (PROGRAM-PID.spool/000001), archived or not (000001.tar.zst), or a
  directory with several traces in it;
  a log of spool's JSON lines or text, plain or compressed (gzip, zstd); a directory with logs and no trace in it; `-`, or
  nothing where something is piped in. What a file is, its content says. Rotated files of one process may come in any
  order, and lines of several processes may be mixed.
Of several processes each is told by itself, and then what they have in common: locks by name and creation site,
findings that came up in more than one, and on which clock their times could be put together. --together leaves out
the first part.
Without a command it is `report`.
)text";

const std::string_view examples = R"text(
Examples:
  unspool bank-4711.spool                       everything at a glance
  unspool deadlocks bank-4711.spool             what is stuck, and why
  unspool order bank-4711.spool                 what could get stuck another time
  unspool locks --thread 'worker-*' --min-wait 1ms bank-4711.spool
  unspool blame --folded bank-4711.spool | flamegraph.pl >blame.svg
  unspool state --at 14:03:07.5 bank-4711.spool who did what at that moment
  unspool locks --format json bank-4711.spool   for a program to read
  unspool locks --together kv-1.spool kv-2.spool the locks of both, by name and line
  unspool cat --thread worker-1 bank-4711.spool | less
  unspool cat --time clock /var/spool/traces    all traces in there, as a log
  unspool locks server.jsonl server.jsonl.*.gz  the same questions to log files
  ssh db3 zcat /var/log/kv.log.gz | unspool deadlocks
  unspool cat --pattern '[%Y-%m-%d %H:%M:%S.%e] [%l] (%N) %v%J' old.log
)text";

const std::string_view exit_codes = R"text(
Exit codes:
  0  nothing found, or only what the baseline knows (threads and cat never find anything)
  1  findings, also where the input was damaged besides; those of report are its deadlocks
  2  wrong usage, also a name in a filter that nothing has
  3  nothing found, but the input was damaged: what could be read was analysed
  4  nothing could be read
)text";

namespace {

constexpr std::string_view report_about =
    "Tells what is stuck, which locks and joins were waited for most, what could be done about it and whose doing it "
    "was in the end, how threads ended, and what was misused, on one screen. The other commands tell each of it at "
    "length.";
constexpr std::string_view report_examples = R"text(
Examples:
  unspool report kv-4711.spool                            all of it
  unspool report --from 14:03 --to 14:05 kv-4711.spool    figures of two minutes
  unspool report --baseline known.txt kv-4711.spool       for CI: 1 only where something new is found
)text";

constexpr std::string_view threads_about =
    "A row a thread: where it comes from, who created it, when it began and ended, how many Records it wrote, and "
    "what it waits for at the end.";
constexpr std::string_view threads_examples = R"text(
Examples:
  unspool threads kv-4711.spool                           all threads
  unspool threads --thread 'worker-*' kv-4711.spool       some of them
  unspool threads --format csv kv-4711.spool >threads.csv
)text";

constexpr std::string_view locks_about =
    "For each wait for a Lock, RLock or SharedLock it is known who held the lock meanwhile, taken at which line, and "
    "how long it was free and not yet taken (hand-over). Locks made at one line under one name are one row. Below "
    "each stands what could be done about it, and what threads waited for and logged while they held it.";
constexpr std::string_view locks_examples = R"text(
Examples:
  unspool locks kv-4711.spool                             what was waited for most
  unspool locks --object store --from +2s --to +3s kv-4711.spool
  unspool locks --min-wait 10ms --thread 'worker-*' kv-4711.spool
)text";

constexpr std::string_view joins_about =
    "Joins by length: who waited for whose end, at which line, how it ended, and how the joined thread did.";
constexpr std::string_view joins_examples = R"text(
Examples:
  unspool joins kv-4711.spool                             the longest first
  unspool joins --thread worker-3 kv-4711.spool           those that worker-3 takes part in, on either side
)text";

constexpr std::string_view path_about =
    "The critical path: what decided when the work was done. Found backwards from the end: what the thread did, and "
    "where it had waited, what the thread did that woke it, and so on. Its steps sum to its length. For each line "
    "that took a lock on it: what holding it half as long would gain, at most, as another path may be nearly as "
    "long.";
constexpr std::string_view path_examples = R"text(
Examples:
  unspool path kv-4711.spool                              of the whole run
  unspool path --thread MainThread --to 14:03:09 kv-4711.spool   what decided when it got there
  unspool path --from-message 'request 17' --to-message 'answered 17' kv-4711.spool
)text";

constexpr std::string_view deadlocks_about =
    "One graph over every primitive: who waits at the end, for whom, and whether anybody is left who could end it. A "
    "finding is certain, likely or possible. Filters choose findings by the threads that are stuck: the graph is "
    "whole.";
constexpr std::string_view deadlocks_examples = R"text(
Examples:
  unspool deadlocks kv-4711.spool                         what is stuck, and why
  unspool deadlocks --write-baseline known.txt kv-4711.spool   accept what is found
  unspool deadlocks --baseline known.txt kv-4711.spool    tell what is new
)text";

constexpr std::string_view order_about =
    "Locks that threads took in orders that could deadlock, though this run did not: each occurrence with its "
    "thread, time and lines. Orders that a common lock, or what must come before what, keeps apart are not told. "
    "Filters choose findings by the threads and locks that take part.";
constexpr std::string_view order_examples = R"text(
Examples:
  unspool order kv-4711.spool                             what could get stuck another time
  unspool order --object 'account*' kv-4711.spool         where such a lock takes part
  unspool order --baseline known.txt kv-4711.spool        for CI: 1 only where something new is found
)text";

constexpr std::string_view misuse_about =
    "Slips by line: lost wake-ups, locks held for long or for good, double releases, exceptions, error messages, "
    "timeouts.";
constexpr std::string_view misuse_examples = R"text(
Examples:
  unspool misuse kv-4711.spool                            the gravest first
  unspool misuse --kind condition kv-4711.spool           those at conditions
  unspool misuse --format csv kv-4711.spool >slips.csv
)text";

constexpr std::string_view check_about =
    "Judges every Record by the rules of spool's primitives, apart from what the other commands conclude. For a dump "
    "that you doubt. --repair writes a new trace of what can be read: what breaks off or is damaged ends before "
    "that, times that go back are corrected. Records that break a rule stay, as nobody knows what was there instead.";
constexpr std::string_view check_examples = R"text(
Examples:
  unspool check kv-4711.spool                             1 where a Record breaks a rule
  unspool check --object store kv-4711.spool              Records at one object
  unspool check --repair -o clean kv-4711.spool           writes clean/kv-4711.spool
)text";

constexpr std::string_view waits_about =
    "What is waited for and held by nobody: conditions, events, semaphores, barriers, queues, pools, timers, each in "
    "its own terms. How full a queue was, who had permits, tasks and starvation are the object's own: of the filters "
    "only times restrict them. They are known in mode `all` alone.";
constexpr std::string_view waits_examples = R"text(
Examples:
  unspool waits kv-4711.spool                             what was waited for most
  unspool waits --kind queue --kind pool kv-4711.spool    queues and pools
  unspool waits --object 'jobs*' --format json kv-4711.spool
)text";

constexpr std::string_view blame_about =
    "Follows each wait along the chain (A waits for B, which waits for C, which runs: the time is C's). Waits for "
    "locks and joins come first, then those for signals: conditions, events, semaphores, barriers, queues, pools; "
    "who waits for a signal waits for all that its giver waits for meanwhile. The times sum to those of the waits. "
    "Filters choose the waits at the chains' beginnings: --kind lock leaves the others out.";
constexpr std::string_view blame_examples = R"text(
Examples:
  unspool blame kv-4711.spool                             whose doing it was in the end
  unspool blame --thread MainThread kv-4711.spool         what kept the main thread
  unspool blame --kind queue kv-4711.spool                why items came late
  unspool blame --folded kv-4711.spool | flamegraph.pl >blame.svg
)text";

constexpr std::string_view why_about =
    "Why a thread did not get on: how much of the time between two moments it ran or waited, for what, and of each "
    "wait the chain of others' waits behind it. The times of the balance sum to the span; a chain's are of the whole "
    "wait.";
constexpr std::string_view why_examples = R"text(
Examples:
  unspool why worker-1 kv-4711.spool                      its whole life
  unspool why MainThread --from 14:03:07 --to 14:03:09 kv-4711.spool
  unspool why 'worker-*' --min-wait 10ms --format json kv-4711.spool
)text";

constexpr std::string_view state_about =
    "A thread dump of any moment of the past: each thread runs, or waits for what, since when, where, who holds it, "
    "and what it holds itself. --thread chooses threads; --object and --kind choose those that wait for or hold such "
    "a thing; --min-wait those that wait so long already.";
constexpr std::string_view state_examples = R"text(
Examples:
  unspool state kv-4711.spool                             as the Records end
  unspool state --at 14:03:07.5 kv-4711.spool             at that time of day, UTC
  unspool state --at -3s --object store kv-4711.spool     3 s before the last Record, who has to do with "store"
)text";

constexpr std::string_view cat_about =
    R"text(One line a Record: time, thread, Record, object, and its fields. "worker-1(5)" is thread 5, "accounts(lock #17)" is the
17th object of the process, "at" is the line that made the Record, "-" is nobody or not known.

With --format json, one object a line, as spool's JSON sink writes it (docs/lines.md): `time` (UTC), `level`,
`record`, `process.pid`, `thread.id`, `thread.name`, `object.id`, `object.kind`, `object.name`, `seq`, `site` with
`code.filepath` and `code.lineno`, and the Record's other fields under their names; beside a number that is a thread or a
word stands FIELD.name. A message has `body`, `logger`, and where it was typed `format` and `arguments`. Two keys
more stand at the end: `ticks`, the exact time by the trace's clock (of logs: nanoseconds since 1970), and `place`,
SEGMENT/CHUNK@BYTE, or of a log FILE@BYTE in its plain text. With --definitions the lines hold all that the trace holds.

With --format csv, a row a Record: those of the keys that most Records have, and the others as JSON in the last column.
)text";
constexpr std::string_view cat_examples = R"text(
Examples:
  unspool cat --thread worker-1 server.jsonl          what one thread did
  unspool cat --object store --from +2s --to +3s server.jsonl
  unspool cat --split-by-thread threads server.jsonl  each thread's log: threads/worker-1.2.log, ...
  unspool cat --format json --definitions --redact KEY bank-4711.spool >shared.jsonl
  unspool cat --to ctf -o plain bank-4711.spool       archives unpacked: babeltrace2 plain/bank-4711.spool
)text";

constexpr std::string_view completion_about =
    "Prints a script by which the shell completes commands, options and their values. Installed by `meson install`.";
constexpr std::string_view completion_examples = R"text(
Examples:
  . <(unspool completion bash)                                    for this shell
  unspool completion zsh >~/.zfunc/_unspool
  unspool completion fish >~/.config/fish/completions/unspool.fish
)text";

constexpr std::string_view man_about = "Prints the source of a manual page: of unspool, or of one command.";
constexpr std::string_view man_examples = R"text(
Examples:
  unspool man | man -l -                                  unspool(1)
  unspool man locks | man -l -                            unspool-locks(1)
)text";

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"report", "everything at a glance", report_about, report_examples},
      {"threads", "who is who: each thread, from its creation to its end or its last wait", threads_about,
       threads_examples},
      {"locks", "for each lock who waited, how long, and who held it meanwhile", locks_about, locks_examples},
      {"joins", "who joined whom, from where, and how long it took", joins_about, joins_examples},
      {"path", "the critical path: which steps of which threads decided when the work was done", path_about,
       path_examples},
      {"deadlocks", "who still waited at the end, for whom, and whether anybody is left who could end it",
       deadlocks_about, deadlocks_examples},
      {"order", "locks that are taken in orders that could deadlock, though this run did not", order_about,
       order_examples},
      {"misuse", "lost wake-ups, locks held for long or for good, exceptions, timeouts, by line", misuse_about,
       misuse_examples},
      {"check", "whether the Records keep to the rules of spool's primitives: for a dump that you doubt", check_about,
       check_examples},
      {"waits", "conditions, events, semaphores, barriers, queues, pools, timers: who waited, who let them go on",
       waits_about, waits_examples},
      {"blame", "whose doing the waiting was in the end, along the chains of who waited for whom", blame_about,
       blame_examples},
      {"why", "why a thread did not get on between two moments, with the chain behind each of its waits", why_about,
       why_examples},
      {"state", "a thread dump of any moment: who ran, who waited for what, who held what", state_about,
       state_examples},
      {"cat", "every Record, one a line", cat_about, cat_examples},
      {"completion", "a script for bash, zsh or fish that completes these commands and options", completion_about,
       completion_examples},
      {"man", "the manual page of unspool or of a command", man_about, man_examples}};
  return all;
}

}  // namespace unspool::cli

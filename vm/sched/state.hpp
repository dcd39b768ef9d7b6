// SPDX-License-Identifier: BSD-2-Clause
// All state of a Vm that is no process's own.
#pragma once

#include "vm/code/namespace.hpp"
#include "vm/code/permanent.hpp"
#include "vm/code/store.hpp"
#include "vm/heap/allocator.hpp"
#include "vm/realm/realms.hpp"
#include "vm/realm/regions.hpp"
#include "vm/sched/kernel_objects.hpp"
#include "vm/sched/load_file.hpp"
#include "vm/sched/process_table.hpp"
#include "vm/sched/send_after.hpp"
#include "vm/sched/timers.hpp"
#include "vm/vm.hpp"

namespace lona::vm {

// The natives that instructions fall back on.
// clang-format does not come to rest on this list.
// clang-format off
#define LONA_FALLBACKS(X)                                                                  \
  X(Add, "+")                                                                              \
  X(Subtract, "-")                                                                         \
  X(Multiply, "*")                                                                         \
  X(Less, "<")                                                                             \
  X(Greater, ">") X(LessEqual, "<=") X(GreaterEqual, ">=") X(Equal, "=") X(First, "first") \
      X(Rest, "rest") X(Get, "get") X(Vector, "vector") X(HashMap, "hash-map")             \
          X(HashSet, "hash-set") X(IsEmpty, "empty?") X(Prepend, "prepend")
// clang-format on

enum class Fallback : std::uint8_t {
#define LONA_FALLBACK(name, text) k##name,
  LONA_FALLBACKS(LONA_FALLBACK)
#undef LONA_FALLBACK
      kNextForm,  // sched/source.cpp; no name stands for it
  kCount
};
const char* fallback_name(unsigned index);
// Null: no native has that name.
NativeFunction fallback_native(unsigned index);

struct Vm::State {
  static constexpr unsigned kMaxWorkers = 64;

  explicit State(const VmOptions& o) : options(o), namespaces(permanent) {}

  VmOptions options;
  Hooks* hooks = nullptr;
  PermanentRegion permanent;
  CodeStore code;
  std::atomic<unsigned> inherited_lists{0};  // that the service has asked for (reclaim.cpp)
  Namespaces namespaces;
  ProcessTable table;
  NativeFunction fallbacks[static_cast<unsigned>(Fallback::kCount)] = {};
  Term ok, normal;    // keywords that are needed all the time
  Term oom_reason;    // [:error :oom], permanent
  Term load_closure;  // runs what a SourceFeed gives (sched/source.cpp)
  Var* ns_var = nullptr;
  std::size_t mailbox_words = 0;  // most that waits in a mailbox without a limit
  SpinLock names_lock;
  NameTable names;     // registered processes, or null
  SpinLock relations;  // all links and monitors

  Worker* workers[kMaxWorkers] = {};
  unsigned worker_count = 0;
  bool several = false;                 // more than one worker
  std::atomic<bool> open{false};        // workers run processes
  std::atomic<bool> quit{false};        // and end
  std::atomic<unsigned> active{0};      // workers besides the first one that run processes
  std::atomic<unsigned> idle{0};        // workers that sleep
  std::atomic<bool> pausing{false};     // see AllPaused
  std::atomic<std::uint64_t> epoch{1};  // see Worker::seen
  Worker& first() const { return *workers[0]; }

  // The console, the session behind it (Hooks, SourceFeed) and who waits for input.
  SpinLock console_lock;
  Process* console_waiters = nullptr;
  std::uint64_t next_console_look = 0;  // while others run
  bool console_tried = false;           // they have tried since the last platform::wait
  Term foreground;
  LoadedFiles loaded_files;
  SpinLock definitions_lock;     // who writes vars
  std::uint64_t loads_over = 0;  // that have come into effect
  Realms realms;
  SharedRegions regions;
  CNodeRecords cnodes;
  KernelCalls kernel_calls;
  std::atomic<bool> stop{false};

  // Others may read what a definition holds: they know its pids from then on.
  void give_value(Definition& definition, Term permanent_value);
  NativeFunction fallback(Fallback f) const { return fallbacks[static_cast<unsigned>(f)]; }
};

// What the compiler and nested macros may use of the native stack, which is bounded in a realm.
inline constexpr std::size_t kNativeStackUse = 512 * 1024;
inline bool native_stack_low(const Process& p) {
  auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  std::uintptr_t base = p.worker_->native_stack_base;
  return base != 0 && base - here > kNativeStackUse;
}

inline Vm::State& state_of(const Process& p) {
  return p.vm().state();
}
inline Term own_realm(const Process& p) {
  return Term::realm(state_of(p).realms.own());
}

// What a var holds for a process (interp/slow.cpp); unbound when it has no value, and `raise` when
// it is a realm's above that cannot be given to this one.
Term value_of(Process& p, Var* var);

// --- sched/scheduler.cpp ---------------------------------------------------------------------
// `w` is the worker that calls.
void make_ready(Worker& w, Process& p);      // a waiting process may go on
void wake(Worker& w, Process& p);            // it is to look again at what it waits for
void wake_console_waiters(Vm::State& s);     // on the first worker
std::size_t used_bytes(const Vm::State& s);  // by all workers
void check_interrupt(Vm::State& s);          // platform::poll, and Ctrl-C to the foreground process

// --- process/lifecycle.cpp -------------------------------------------------------------------
struct SpawnOptions {
  std::uint64_t max_heap_words = 0;
  std::uint64_t min_heap_words = 0;
  std::uint8_t priority = 100;
};
// A process about to call `fn`, a term of `parent` (or permanent when there is no parent). Null
// without memory.
Process* spawn_process(Worker& w, const Process* parent, Term fn, const SpawnOptions& options);
// A spawned process may run from now on.
void start_process(Worker& w, Process& p);
// Ends a process: tells links and monitors, frees everything. It must not be running native code.
void end_process(Process& p);

// --- process/signals.cpp, process/message.cpp ---------------------------------------------
// A copy of `message` (owned by `sender`, which is running) into the mailbox. False without memory.
bool send_message(Process& sender, Process& receiver, Term message);
// An exit signal that cannot be trapped, with an immediate as reason; null without memory.
Fragment* make_kill(Allocator& allocator, Term from, Term reason);
// A copy of a term in a fragment of its own, as its value; null without memory.
Fragment* copy_to_fragment(Process& sender, Allocator& allocator, Term t);
// Puts a message, with its fragment, into a mailbox; frees it when the receiver has ended.
void deliver(Worker& w, Process& receiver, Fragment* message);
// What has arrived goes to the mailbox, or ends the process (exit_pending_). Its own worker only.
void receive_signals(Process& p);
// The same, but those that are late in the test mode with a seed stay for another time.
void receive_due_signals(Process& p);
// An exit signal as from a link (`from` = its pid) or `exit`. `kill` cannot be trapped.
enum class ExitSignal : std::uint8_t { kLink, kExit, kKill };
void signal_exit(const Process& sender, Process& receiver, Term from, Term reason, ExitSignal kind);
// `a` and `watcher` are running. kEnded: the other one takes no more.
enum class Related : std::uint8_t { kYes, kEnded, kNoMemory };
Related add_link(Process& a, Process& b);
void remove_link(Process& a, Process& b);
Related add_monitor(Process& watcher, Process& watched, std::uint64_t ref);
// For a watcher that need not be running: `note` is a message that comes to it before the news of
// the end can. It is left to the caller unless the answer is kYes.
Related add_monitor_with_note(Worker& w, Process& watcher, Process& watched, std::uint64_t ref,
                              Fragment* note);
bool remove_monitor(Process& watcher, std::uint64_t ref);  // false: there is none
void notify_end(Process& p);  // links and monitors of a process that ends
// [:DOWN ref pid reason] to a watcher; an exit signal as if from a link.
void notify_down(const Process& sender, Process& watcher, std::uint64_t ref, Term pid, Term reason);
Term make_ref(Heap& heap, std::uint64_t number);
// The number of a new reference, which no message that has come so far can hold.
std::uint64_t fresh_reference(Process& p);

}  // namespace lona::vm

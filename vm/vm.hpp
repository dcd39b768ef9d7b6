// SPDX-License-Identifier: BSD-2-Clause
// The virtual machine of one realm: what the session (prompt, run, eval, batch) starts and drives.
#pragma once

#include <cstdint>
#include <string_view>

#include "vm/process/process.hpp"

namespace lona::vm {

class Arena;
class Namespaces;
class CodeStore;
class PermanentRegion;
struct Var;

// A piece of source text for a process to evaluate, form by form.
struct SourceText {
  std::string_view text;  // must stay until the feed is asked for the next piece
  std::string_view file;
  std::uint32_t first_line = 1;
};

// Who gives a process its source. The functions are called on the worker, while the process runs.
struct SourceFeed {
  enum class Next : std::uint8_t {
    kText,  // `out` is filled
    kWait,  // nothing now: the process sleeps until Vm::wake (or a message wakes it early)
    kEnd,   // the process ends with :normal
  };
  Next (*next)(SourceFeed& self, Process& process, SourceText& out);
  // After each form; the value is in the process's heap (valid only during the call). May be null.
  void (*value)(SourceFeed& self, Process& process, Term value);
};

struct Hooks {
  // A process has ended; called before its memory goes, process.exit_reason() and trace() are
  // valid. May be null.
  void (*exited)(Hooks& self, Process& process);
  // Ctrl-C while no foreground process is set. May be null.
  void (*interrupted)(Hooks& self);
};

namespace image {
struct Header;
}

struct VmOptions {
  bool collect_always = false;  // test mode: collect at every safe point
  bool tight_heaps = false;     // test mode: small heaps have hardly more room than they need
  std::uint32_t slice_reductions = 2000;
  // The library as an image that was checked and whose names are in the table of names
  // (image/image.hpp); null: namespaces and vars of the natives are made anew.
  const image::Header* library = nullptr;
  unsigned workers = 1;
  // Not 0: slices of random length, another order of processes, and messages and signals that
  // arrive late, all the same for the same seed. With one worker only.
  std::uint64_t seed = 0;
};

class Vm {
 public:
  // Makes the one Vm: with the library of an image, or else with namespaces lona.core,
  // lona.process, lona.time and vars of all natives.
  static Vm& create(const VmOptions& options, Hooks* hooks);
  // For tests: ends all processes and gives back what is not permanent.
  static void destroy(Vm& vm);

  Namespaces& namespaces();
  PermanentRegion& permanent();
  CodeStore& code();
  const VmOptions& options() const;
  void set_hooks(Hooks* hooks);

  // A process that evaluates what `feed` gives it, with *ns* = `ns` (made when new).
  Term spawn_source(SourceFeed& feed, std::string_view ns, void* user_data);
  // A process that calls `fn` (permanent value, e.g. of a var) without arguments.
  Term spawn_call(Term fn, std::string_view ns, void* user_data);
  // The process of a pid, or null when it has ended.
  Process* find(Term pid) const;

  // Ctrl-C ends this process with :interrupted (nil: none; then Hooks::interrupted is called).
  void set_foreground(Term pid);
  // As `(exit pid reason)` with a reason that cannot be trapped; `reason` is an immediate.
  void kill(Term pid, Term reason);
  // A waiting process looks again: its feed, or the native it is in.
  void wake(Term pid);
  // Ends every process except `keep` (nil: all).
  void kill_all(Term keep);

  // Runs processes until stop() was called from a hook or feed. Sleeps in platform::wait when
  // nothing can run.
  void run();
  void stop();
  // Runs until this process has ended (its exit reason goes through Hooks::exited).
  void run_until_ended(Term pid);

  std::uint32_t process_count() const;

  struct State;  // the VM's own parts, sched/state.hpp
  State& state() const { return *state_; }

 private:
  Vm() = default;
  ~Vm() = default;
  State* state_ = nullptr;
};

}  // namespace lona::vm

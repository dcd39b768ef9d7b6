// SPDX-License-Identifier: BSD-2-Clause
// A process: its heap and stack, mailbox, links and state. What natives use comes first.
//
// Stack and young heap share one block: the heap grows up from its start, the stack down from its
// end. Register i of a frame is fp[-i]; fp[1] is the frame's return address and fp[2] the function
// running in it (interp/frame.hpp). A process lives in one allocation together with its first
// block.
#pragma once

#include <atomic>
#include <string_view>

#include "vm/heap/heap.hpp"
#include "vm/native/native.hpp"
#include "vm/sched/timers.hpp"

namespace lona::vm {

class Vm;
struct Collection;
struct Fragment;
struct Function;
struct Instruction;
struct Namespace;
struct Link;
struct Load;
struct Monitor;
struct NestedRun;
struct SourceRun;
struct Trace;
struct Worker;

// The Timer is what wakes it at wait_deadline_ while it sleeps.
class Process final : public Heap, public Timer {
 public:
  Vm& vm() const { return *vm_; }
  Term pid() const { return pid_; }

  // --- For natives: how to end ------------------------------------------------------------------
  // Ends the process with [:error type] or [:error type info]. Natives: `return process.fail(…)`.
  // `type` is the keyword's name without colon.
  Term fail(std::string_view type);
  Term fail(std::string_view type, Term info);
  // [:error :badarg %{:fn fn :args (…)}] and [:error :type-error %{…}]: `fn` is a name such as
  // "nth". `expected` says in a word what the argument should have been ("integer").
  Term fail_badarg(std::string_view fn, Args args);
  // The same with `:expected expected`, in words for whoever has called it.
  Term fail_badarg(std::string_view fn, Args args, std::string_view expected);
  Term fail_type(std::string_view fn, std::string_view expected, Term got);
  Term fail_oom();
  // Ends the process with this reason: what `(exit reason)` does.
  Term exit_with(Term reason);
  // The native's result is that of calling `fn` with the values of the list `args`, as a tail call.
  Term tail_call(Term fn, Term args);

  // Charges for work that depends on the size of the input: one for about 10 ns.
  void charge(std::uint32_t reductions) { charged_ += reductions; }

  // --- For natives: waiting ---------------------------------------------------------------------
  // `return process.wait_for_console()`: the native is called again when input may have come, the
  // host has closed it, or for no reason.
  Term wait_for_console();
  // Likewise when the call that its helper makes has ended (sched/kernel_objects.hpp).
  Term wait_for_kernel() { return Term::again(); }
  // Likewise at `deadline_ns` (platform::now_ns scale) or earlier. The deadline is kept in
  // `wait_deadline()` until a native clears it, so that the second call knows it is one.
  Term wait_until(std::uint64_t deadline_ns);
  std::uint64_t wait_deadline() const { return wait_deadline_; }  // 0: none
  void clear_wait_deadline() { wait_deadline_ = 0; }

  // --- For natives: state -----------------------------------------------------------------------
  Namespace* ns() const { return ns_; }  // *ns* of this process
  void set_ns(Namespace* ns) { ns_ = ns; }

  // Is this address in this process's own memory (so that a term there must be copied to outlive
  // or leave it)?
  bool owns(const Word* p) const;
  const Fragment* fragment_of(const Word* p) const;  // or null
  bool has_fragments() const { return fragments_ != nullptr || peeking_; }

  // --- For the session --------------------------------------------------------------------------
  Term exit_reason() const { return exit_reason_; }  // valid in Hooks::exited
  const Trace* trace() const { return trace_; }      // of a failed process; null when none
  void* user_data = nullptr;                         // the session's

 private:
  friend class ProcessTable;
  Process() = default;
  ~Process() = default;

 public:
  // --- For the VM's own parts: scheduler, interpreter, collector ---------------------------------
  static constexpr std::size_t kFirstBlockWords = 233;
  // Registers of most frames fit in this; see slack().
  static constexpr std::uint32_t kFrameWords = 32;
  static constexpr std::uint32_t kNoReplySlot = ~std::uint32_t{0};
  static constexpr std::uint32_t kNoHelper = ~std::uint32_t{0};

  static Word* refill(Heap& self, std::size_t words, bool may_use_reserve);
  Word* first_block() { return reinterpret_cast<Word*>(this + 1); }
  std::size_t block_words() const { return static_cast<std::size_t>(block_end_ - block_); }
  Word* heap_top() const { return block_top_ != nullptr ? block_top_ : top_; }
  std::size_t off_heap_words() const { return off_heap_.bytes() / sizeof(Word); }
  // Blocks that no object may refer to any more take so much that it is time to look.
  bool off_heap_due() const {
    return off_heap_.full() || (max_heap_words_ != 0 && !off_heap_.empty() &&
                                block_words() + old_words() + off_heap_words() > max_heap_words_);
  }
  std::size_t old_words() const { return static_cast<std::size_t>(old_end_ - old_); }
  void attach(Fragment* fragment);
  void set_limit(Word* limit) { limit_ = limit; }
  void set_top(Word* top) { top_ = top; }
  // After a native: an overflow fragment it filled becomes garbage to collect soon.
  bool leave_fragment() {
    if (block_top_ == nullptr) return false;
    close_overflow();
    top_ = block_top_;
    block_top_ = nullptr;
    return true;
  }
  // A native allocates outside of the block.
  bool in_fragment() const { return block_top_ != nullptr; }
  void close_overflow();
  Word* top() const { return top_; }

  // Interpreter state, saved whenever C++ code outside the dispatch loop runs.
  Word* fp_ = nullptr;
  const Instruction* pc_ = nullptr;
  std::int64_t reductions_left_ = 0;   // of the slice
  std::int64_t reductions_saved_ = 0;  // left when a collection was asked for
  std::uint32_t charged_ = 0;          // by natives, since the interpreter looked
  // The block. top_ is its heap top, except while a native allocates from an overflow fragment:
  // then block_top_ is.
  Word* block_ = nullptr;
  Word* block_end_ = nullptr;
  Word* block_top_ = nullptr;   // null while top_ is in the block
  Word* high_water_ = nullptr;  // young objects below it have survived a collection
  Word* old_ = nullptr;
  Word* old_top_ = nullptr;
  Word* old_end_ = nullptr;
  Collection* collection_ = nullptr;  // in progress: the process does not run until it is over
  Fragment* fragments_ = nullptr;
  Fragment* overflow_ = nullptr;  // the fragment natives have allocated from last
  std::uint32_t fragment_count_ = 0;
  // The heap stays so many words away from the running frame's register 0. Frames overlap, so a
  // caller's frame may reach further down than its callee's; the slack is the size of the largest
  // frame that has been on this stack, so the heap never grows into any of them.
  std::uint32_t slack_bytes_ = kFrameWords * sizeof(Word);
  std::uint32_t slack() const { return slack_bytes_ / sizeof(Word); }
  std::uint32_t fragment_words_ = 0;
  std::uint32_t sent_words_ = 0;  // of the last large message this process has sent

  Vm* vm_ = nullptr;
  Term pid_;
  // Roots beside the frames.
  Term exit_reason_;
  Term result_;  // value of the last form of a source
  Term pending_fn_;
  Term pending_args_;
  Term bindings_ = Term::empty_list();  // process-bound vars: list of (var . value) pairs

  Namespace* ns_ = nullptr;
  NestedRun* nested_ = nullptr;
  SourceRun* source_ = nullptr;
  Trace* trace_ = nullptr;
  Load* load_ = nullptr;  // that it belongs to (sched/loads.hpp)

  // What others have sent, newest first: the only part of a process that anybody may write at any
  // time. Its worker moves it to the mailbox (receive_signals). kClosed: the process has ended.
  std::atomic<Fragment*> arrived_{nullptr};
  static Fragment* closed() { return reinterpret_cast<Fragment*>(std::uintptr_t{1}); }
  // Mailbox: `inbox_` is the list in order of arrival, `scan_` the link to the next message the
  // running receive has not looked at.
  Fragment* inbox_ = nullptr;
  Fragment** inbox_tail_ = &inbox_;
  Fragment** scan_ = &inbox_;
  std::uint32_t inbox_count_ = 0;
  std::uint64_t inbox_words_ = 0;
  // The link to the first message that may hold the reference mark_ref_, the newest one this
  // process has made.
  Fragment** mark_ = &inbox_;
  std::uint64_t mark_ref_ = 0;

  // Scheduling.
  enum class State : std::uint8_t { kRunnable, kRunning, kWaiting };
  // Whoever changes kWaiting to kRunnable puts it into a queue; all other changes are its worker's.
  std::atomic<State> state_{State::kRunnable};
  std::atomic<bool> asked_to_collect_{false};  // memory is short elsewhere
  std::atomic<bool> woken_{false};   // to look again at what it waits for, besides messages
  std::atomic<bool> told_{false};    // other realms may know its pid
  std::atomic<bool> doomed_{false};  // about to end: for others, who shall not see it any more
  std::atomic<Word> tracer_{0};      // the pid of who is told its calls; 0: nobody
  bool pinned_ = false;              // runs on its worker only
  bool ending_ = false;              // takes no more links and monitors (State::relations)
  bool trap_exit_ = false;
  bool exit_pending_ = false;     // to end with exit_reason_ when it is scheduled next
  bool oom_ = false;              // over its limit: ends at the next safe point
  bool collect_ = false;          // a collection is due at the next safe point
  bool collect_all_ = false;      // and it is to be a major one
  bool collect_if_room_ = false;  // it goes on when there is no memory for that
  bool collected_ = false;        // one has just been finished in slices
  bool peeking_ = false;          // a receive is matching a message that is still in the inbox
  bool waits_for_console_ = false;
  bool in_console_list_ = false;
  bool owes_answer_ = false;  // to whoever has sent its last message of the kernel's
  std::uint8_t priority_ = 100;
  std::uint32_t load_depth_ = 0;  // hold_definitions without their release_definitions
  std::uint16_t collection_live_ = 0;
  std::uint32_t reply_slot_ = kNoReplySlot;  // what it answers the kernel's messages by
  std::uint32_t helper_ = kNoHelper;         // what waits in the kernel for it (KernelCalls)
  std::uint32_t minor_collections_ = 0;
  std::uint32_t major_collections_ = 0;
  std::uint32_t minors_since_major_ = 0;
  std::uint64_t wait_deadline_ = 0;
  Worker* worker_ = nullptr;
  Process* queue_next_ = nullptr;
  Process* console_next_ = nullptr;

  Link* links_ = nullptr;
  Monitor* monitors_ = nullptr;      // that this process has made
  Monitor* monitored_by_ = nullptr;  // that others have made of it
  SymbolEntry* name_ = nullptr;

  std::uint64_t reductions_ = 0;
  std::uint64_t max_heap_words_ = 0;  // 0: no limit of its own
  std::uint64_t reclaimed_words_ = 0;
};

// Where a failed process was: innermost first.
struct Trace {
  static constexpr std::uint32_t kMax = 32;
  struct Entry {
    const Function* function;
    std::uint32_t line;
  };
  std::uint32_t count;
  bool truncated;
  Entry entries[kMax];
};

}  // namespace lona::vm

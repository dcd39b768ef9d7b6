// SPDX-License-Identifier: BSD-2-Clause
// What processes send each other: messages, exit signals, the news of an end.
#include <cstring>
#include <string_view>

#include "vm/data/sequence.hpp"
#include "vm/heap/copy.hpp"
#include "vm/process/links.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// [head ref? from reason] in a fragment; null without memory. `ref` 0: none.
Fragment* make_notice(const Process& sender, std::string_view head, std::uint64_t ref, Term from,
                      Term reason) {
  std::optional<std::size_t> words = copy_size(sender, reason);
  // The pid of another realm's process is a box, and the sender's.
  const std::optional<std::size_t> from_words = copy_size(sender, from);
  std::size_t n = ref != 0 ? 4 : 3;
  std::size_t fixed = 1 + n + (ref != 0 ? 2 : 0) + from_words.value_or(0);
  Fragment* f =
      words && from_words ? make_vital_fragment(allocator_of(sender), fixed + *words) : nullptr;
  if (f == nullptr) return nullptr;
  Word* p = f->data;
  *p++ = Header::make(Kind::kTuple, n).bits();
  Word* element = p;
  p += n;
  *element++ = make_keyword(head).bits();
  if (ref != 0) {
    p[0] = Header::make(Kind::kRef, 1).bits();
    p[1] = ref;
    *element++ = Term::boxed(p).bits();
    p += 2;
  }
  const Copied who = copy_into(sender, from, {p, *from_words}, f->blobs);
  const Copied why = copy_into(sender, reason, {p + *from_words, *words}, f->blobs);
  if (who.value == Term::absent() || why.value == Term::absent()) {
    free_fragment(sender, f);
    return nullptr;
  }
  element[0] = who.value.bits();
  element[1] = why.value.bits();
  f->top = f->data + fixed + *words;
  f->value = Term::boxed(f->data);
  return f;
}

// The process ends as soon as it is scheduled, with the reason that the fragment holds.
void terminate(Process& p, Fragment* f) {
  if (p.exit_pending_) return free_fragment(p, f);
  p.exit_reason_ = slot(f->value, 2);
  p.exit_pending_ = true;
  p.doomed_.store(true, std::memory_order_relaxed);
  p.attach(f);
}

// More waits than its limit allows, or, when it has none, than half of the realm's memory. That is
// the receiver's end, so that a sender never meets the lack of memory that its messages make.
bool flooded(const Process& p) {
  if (p.max_heap_words_ == 0) return p.inbox_words_ > state_of(p).mailbox_words;
  return p.inbox_words_ + p.block_words() + p.old_words() + p.off_heap_words() > p.max_heap_words_;
}

void take_message(Process& p, Fragment* f) {
  f->next = nullptr;
  *p.inbox_tail_ = f;
  p.inbox_tail_ = &f->next;
  p.inbox_count_++;
  p.inbox_words_ += f->words();
  if (p.exit_pending_ || !flooded(p)) return;
  p.exit_reason_ = state_of(p).oom_reason;
  p.exit_pending_ = true;
  p.doomed_.store(true, std::memory_order_relaxed);
}

// What an exit signal does depends on the process that gets it, at the moment it does.
void take_signal(Process& p, Fragment* f) {
  Fragment::Kind kind = f->kind();
  if (kind == Fragment::Kind::kMessage) return take_message(p, f);
  if (kind == Fragment::Kind::kKill) return terminate(p, f);
  if (p.trap_exit_) return take_message(p, f);
  bool normal = slot(f->value, 2) == state_of(p).normal;
  bool own = slot(f->value, 1) == p.pid();
  if (normal && (kind == Fragment::Kind::kLinkExit || !own)) return free_fragment(p, f);
  terminate(p, f);
}

// The lists of a process are rings whose first is the oldest, so that news of an end goes out in
// the order in which links and monitors were made.
void unlink(Link* link, Process* p) {
  unsigned side = link->side_of(p);
  Link* next = link->next[side];
  Link* previous = link->previous[side];
  previous->next[previous->side_of(p)] = next;
  next->previous[next->side_of(p)] = previous;
  if (p->links_ == link) p->links_ = next == link ? nullptr : next;
}

void append(Link* link, Process* p) {
  unsigned side = link->side_of(p);
  Link*& first = p->links_;
  if (first == nullptr) first = link->previous[side] = link;
  Link* last = first->previous[first->side_of(p)];
  link->previous[side] = last;
  link->next[side] = first;
  last->next[last->side_of(p)] = link;
  first->previous[first->side_of(p)] = link;
}

Link* find_link(Process& a, Process& b) {
  if (a.links_ == nullptr || b.links_ == nullptr) return nullptr;
  // Both lists at once: the shorter one decides how long it takes.
  Link* x = a.links_;
  Link* y = b.links_;
  do {
    unsigned sx = x->side_of(&a), sy = y->side_of(&b);
    if (x->ends[1 - sx] == &b) return x;
    if (y->ends[1 - sy] == &a) return y;
    x = x->next[sx];
    y = y->next[sy];
  } while (x != a.links_ && y != b.links_);
  return nullptr;
}

void append(Monitor*& first, Monitor* m, Monitor* Monitor::* next, Monitor* Monitor::* previous) {
  if (first == nullptr) first = m->*previous = m;
  Monitor* last = first->*previous;
  m->*previous = last;
  m->*next = first;
  last->*next = m;
  first->*previous = m;
}

void unlink(Monitor*& first, Monitor* m, Monitor* Monitor::* next, Monitor* Monitor::* previous) {
  Monitor* after = m->*next;
  Monitor* before = m->*previous;
  before->*next = after;
  after->*previous = before;
  if (first == m) first = after == m ? nullptr : after;
}

void unlink_watcher(Monitor* m) {
  unlink(m->watcher->monitors_, m, &Monitor::watcher_next, &Monitor::watcher_previous);
}

void unlink_watched(Monitor* m) {
  unlink(m->watched->monitored_by_, m, &Monitor::watched_next, &Monitor::watched_previous);
}

}  // namespace

void deliver(Worker& w, Process& receiver, Fragment* f) {
  const Vm::State& s = w.vm.state();
  bool several = s.several;
  bool signal = f->kind() != Fragment::Kind::kMessage;
  Fragment* head = receiver.arrived_.load(std::memory_order_relaxed);
  do {
    if (head == Process::closed()) return free_fragment(w.allocator, f);
    f->next = head;
    if (!several) {
      receiver.arrived_.store(f, std::memory_order_relaxed);
      break;
    }
  } while (!receiver.arrived_.compare_exchange_weak(head, f));
  // With one worker nobody else looks at the process: a signal has its effect at once. What a
  // process sends to itself is never late.
  const bool late = s.options.seed != 0;
  const bool to_itself = &receiver == w.running && (signal || late);
  if (to_itself || (signal && !several && !late)) receive_signals(receiver);
  make_ready(w, receiver);
}

namespace {
// `newest` and what has come before it.
void take_signals(Process& p, Fragment* newest) {
  Fragment* oldest = nullptr;
  while (newest != nullptr) {
    Fragment* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Fragment* next = oldest->next;
    take_signal(p, oldest);
    oldest = next;
  }
}

// So many of the newest signals are still on their way, as the seed will have it.
std::uint32_t late_signals(Process& p, const Fragment* newest) {
  std::uint32_t count = 0;
  for (const Fragment* f = newest; f != nullptr; f = f->next) ++count;
  return random_below(*p.worker_, 2) == 0 ? 0 : random_below(*p.worker_, count + 1);
}
}  // namespace

void receive_signals(Process& p) {
  if (p.arrived_.load(std::memory_order_relaxed) == nullptr) return;
  take_signals(p, p.arrived_.exchange(nullptr, std::memory_order_acquire));
}

void receive_due_signals(Process& p) {
  Fragment* newest = p.arrived_.load(std::memory_order_relaxed);
  if (newest == nullptr || state_of(p).options.seed == 0) return receive_signals(p);
  std::uint32_t late = late_signals(p, newest);
  if (late == 0) return receive_signals(p);
  Fragment* last_late = newest;
  while (--late > 0) last_late = last_late->next;
  Fragment* due = last_late->next;
  last_late->next = nullptr;
  take_signals(p, due);
}

void signal_exit(const Process& sender, Process& receiver, Term from, Term reason,
                 ExitSignal kind) {
  if (kind == ExitSignal::kExit && reason == make_keyword("kill")) {
    kind = ExitSignal::kKill;
    reason = make_keyword("killed");
  }
  Fragment* f = make_notice(sender, "EXIT", 0, from, reason);
  if (f == nullptr) f = make_notice(sender, "EXIT", 0, from, state_of(sender).oom_reason);
  // With the reserve used up as well the news is lost.
  if (f == nullptr) return;
  f->set_kind(kind == ExitSignal::kKill   ? Fragment::Kind::kKill
              : kind == ExitSignal::kLink ? Fragment::Kind::kLinkExit
                                          : Fragment::Kind::kExit);
  if (kind == ExitSignal::kKill) receiver.doomed_.store(true, std::memory_order_relaxed);
  deliver(*sender.worker_, receiver, f);
}

Fragment* make_kill(Allocator& allocator, Term from, Term reason) {
  Fragment* f = make_vital_fragment(allocator, 4);
  if (f == nullptr) return nullptr;
  f->data[0] = Header::make(Kind::kTuple, 3).bits();
  f->data[1] = make_keyword("EXIT").bits();
  f->data[2] = from.bits();
  f->data[3] = reason.bits();
  f->top = f->data + 4;
  f->value = Term::boxed(f->data);
  f->set_kind(Fragment::Kind::kKill);
  return f;
}

Related add_link(Process& a, Process& b) {
  if (&a == &b) return Related::kYes;
  auto* link = static_cast<Link*>(allocator_of(a).allocate(sizeof(Link)));
  if (link == nullptr) return Related::kNoMemory;
  Vm::State& s = state_of(a);
  Related result = Related::kYes;
  {
    Guard guard(s.relations, s.several);
    if (b.ending_) {
      result = Related::kEnded;
    } else if (find_link(a, b) == nullptr) {
      *link = {{&a, &b}, {}, {}};
      append(link, &a);
      append(link, &b);
      return Related::kYes;
    }
  }
  allocator_of(a).release(link, sizeof(Link));
  return result;
}

void remove_link(Process& a, Process& b) {
  // What came through the link before has its effect first.
  receive_signals(a);
  Vm::State& s = state_of(a);
  Link* link = nullptr;
  {
    Guard guard(s.relations, s.several);
    link = find_link(a, b);
    if (link == nullptr) return;
    unlink(link, &a);
    unlink(link, &b);
  }
  allocator_of(a).release(link, sizeof(Link));
}

namespace {

// With a note for the watcher, which gets it before the news of the end, or not at all.
Related add_monitor(Worker& w, Process& watcher, Process& watched, std::uint64_t ref,
                    Fragment* note) {
  auto* m = static_cast<Monitor*>(w.allocator.allocate(sizeof(Monitor)));
  if (m == nullptr) return Related::kNoMemory;
  Vm::State& s = w.vm.state();
  {
    Guard guard(s.relations, s.several);
    if (!watched.ending_ && !watcher.ending_) {
      if (note != nullptr) deliver(w, watcher, note);
      *m = {&watcher, &watched, ref, nullptr, nullptr, nullptr, nullptr};
      append(watcher.monitors_, m, &Monitor::watcher_next, &Monitor::watcher_previous);
      append(watched.monitored_by_, m, &Monitor::watched_next, &Monitor::watched_previous);
      return Related::kYes;
    }
  }
  w.allocator.release(m, sizeof(Monitor));
  return Related::kEnded;
}

}  // namespace

Related add_monitor(Process& watcher, Process& watched, std::uint64_t ref) {
  return add_monitor(*watcher.worker_, watcher, watched, ref, nullptr);
}

Related add_monitor_with_note(Worker& w, Process& watcher, Process& watched, std::uint64_t ref,
                              Fragment* note) {
  return add_monitor(w, watcher, watched, ref, note);
}

namespace {

Monitor* find_monitor(Process& watcher, std::uint64_t ref) {
  Monitor* first = watcher.monitors_;
  if (first == nullptr) return nullptr;
  // The newest is looked at first: most are taken away soon.
  Monitor* m = first;
  do {
    m = m->watcher_previous;
    if (m->ref == ref) return m;
  } while (m != first);
  return nullptr;
}

}  // namespace

bool remove_monitor(Process& watcher, std::uint64_t ref) {
  Vm::State& s = state_of(watcher);
  Monitor* m = nullptr;
  {
    Guard guard(s.relations, s.several);
    m = find_monitor(watcher, ref);
    if (m == nullptr) return false;
    unlink_watcher(m);
    unlink_watched(m);
  }
  allocator_of(watcher).release(m, sizeof(Monitor));
  return true;
}

void notify_down(const Process& sender, Process& watcher, std::uint64_t ref, Term pid,
                 Term reason) {
  Fragment* f = make_notice(sender, "DOWN", ref, pid, reason);
  if (f == nullptr) f = make_notice(sender, "DOWN", ref, pid, state_of(sender).oom_reason);
  // With the reserve used up as well the news is lost.
  if (f != nullptr) deliver(*sender.worker_, watcher, f);
}

namespace {

// The other side of a link, which is no more; null when there is none left. The process stays
// until the end of the slice, even if it ends meanwhile.
Process* take_link(Process& p) {
  Vm::State& s = state_of(p);
  Link* link = nullptr;
  Process* peer = nullptr;
  {
    Guard guard(s.relations, s.several);
    p.ending_ = true;
    link = p.links_;
    if (link == nullptr) return nullptr;
    peer = link->ends[1 - link->side_of(&p)];
    unlink(link, &p);
    unlink(link, peer);
  }
  allocator_of(p).release(link, sizeof(Link));
  return peer;
}

// A monitor of the process, or one it has made: taken out of the lists of both. Null: none.
Monitor* take_monitor(Process& p, Monitor* Process::* list) {
  Vm::State& s = state_of(p);
  Guard guard(s.relations, s.several);
  Monitor* m = p.*list;
  if (m == nullptr) return nullptr;
  unlink_watcher(m);
  unlink_watched(m);
  return m;
}

}  // namespace

void notify_end(Process& p) {
  while (Process* peer = take_link(p)) {
    signal_exit(p, *peer, p.pid(), p.exit_reason_, ExitSignal::kLink);
  }
  while (Monitor* m = take_monitor(p, &Process::monitored_by_)) {
    notify_down(p, *m->watcher, m->ref, p.pid(), p.exit_reason_);
    allocator_of(p).release(m, sizeof(Monitor));
  }
  while (Monitor* m = take_monitor(p, &Process::monitors_)) {
    allocator_of(p).release(m, sizeof(Monitor));
  }
}

std::uint64_t fresh_reference(Process& p) {
  receive_signals(p);
  p.mark_ = p.inbox_tail_;
  return p.mark_ref_ = p.worker_->next_ref++;
}

Term make_ref(Heap& heap, std::uint64_t number) {
  Word* box = heap.alloc_box(Kind::kRef, 1);
  box[1] = number;
  return Term::boxed(box);
}

}  // namespace lona::vm

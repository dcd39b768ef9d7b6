// SPDX-License-Identifier: BSD-2-Clause
// What processes send each other: messages, exit signals, the news of an end.
#include <cstring>
#include <span>

#include "vm/data/sequence.hpp"
#include "vm/heap/copy.hpp"
#include "vm/process/links.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// [head middle… reason] as a message. `middle` are immediates or a ref, given as its number.
void send_notice(const Process& sender, Process& receiver, std::span<const Term> head, Term reason,
                 std::uint64_t ref) {
  std::optional<std::size_t> words = copy_size(sender, reason);
  std::size_t n = head.size() + (ref != 0 ? 1 : 0) + 1;
  std::size_t fixed = 1 + n + (ref != 0 ? 2 : 0);
  Fragment* f = words ? make_fragment(allocator_of(receiver), fixed + *words) : nullptr;
  // Without memory for it the news is lost; the receiver is about to meet the same lack.
  if (f == nullptr) return;
  Word* p = f->data;
  *p++ = Header::make(Kind::kTuple, n).bits();
  Word* elements = p;
  p += n;
  std::size_t at = 0;
  elements[at++] = head[0].bits();
  if (ref != 0) {
    p[0] = Header::make(Kind::kRef, 1).bits();
    p[1] = ref;
    elements[at++] = Term::boxed(p).bits();
    p += 2;
  }
  for (Term t : head.subspan(1)) elements[at++] = t.bits();
  elements[at] = (*words == 0 ? reason : copy_into(sender, reason, p, f->blobs)).bits();
  f->top = f->data + fixed + *words;
  f->value = Term::boxed(f->data);
  deliver(receiver, f);
}

// The receiver ends as soon as it is scheduled.
void terminate(const Process& sender, Process& receiver, Term reason) {
  if (receiver.exit_pending_) return;
  Fragment* f = copy_to_fragment(sender, allocator_of(receiver), reason);
  if (f == nullptr) {
    reason = state_of(receiver).oom_reason;
  } else {
    reason = f->value;
    if (f->top == f->data) {
      free_fragment(receiver, f);
    } else {
      receiver.attach(f);
    }
  }
  receiver.exit_reason_ = reason;
  receiver.exit_pending_ = true;
  make_ready(receiver);
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

void deliver(Process& receiver, Fragment* message) {
  message->next = nullptr;
  *receiver.inbox_tail_ = message;
  receiver.inbox_tail_ = &message->next;
  receiver.inbox_count_++;
  make_ready(receiver);
}

Fragment* copy_to_fragment(const Process& sender, Allocator& allocator, Term t) {
  std::optional<std::size_t> words = copy_size(sender, t);
  Fragment* f = words ? make_fragment(allocator, *words) : nullptr;
  if (f == nullptr) return nullptr;
  f->value = *words == 0 ? t : copy_into(sender, t, f->data, f->blobs);
  f->top = f->data + *words;
  return f;
}

bool send_message(const Process& sender, Process& receiver, Term message) {
  if (receiver.exit_pending_) return true;
  Fragment* f = copy_to_fragment(sender, allocator_of(receiver), message);
  if (f == nullptr) return false;
  deliver(receiver, f);
  return true;
}

void signal_exit(const Process& sender, Process& receiver, Term from, Term reason,
                 ExitSignal kind) {
  static constexpr std::string_view kKillName = "kill";
  bool normal = reason == state_of(receiver).normal;
  if (kind == ExitSignal::kKill) return terminate(sender, receiver, reason);
  if (kind == ExitSignal::kExit && reason == make_keyword(kKillName)) {
    return terminate(sender, receiver, make_keyword("killed"));
  }
  if (receiver.trap_exit_) {
    Term head[] = {make_keyword("EXIT"), from};
    return send_notice(sender, receiver, head, reason, 0);
  }
  if (normal && (kind == ExitSignal::kLink || &sender != &receiver)) return;
  terminate(sender, receiver, reason);
}

bool add_link(Process& a, Process& b) {
  if (&a == &b || find_link(a, b) != nullptr) return true;
  auto* link = static_cast<Link*>(allocator_of(a).allocate(sizeof(Link)));
  if (link == nullptr) return false;
  *link = {{&a, &b}, {}, {}};
  append(link, &a);
  append(link, &b);
  return true;
}

void remove_link(Process& a, Process& b) {
  Link* link = find_link(a, b);
  if (link == nullptr) return;
  unlink(link, &a);
  unlink(link, &b);
  allocator_of(a).release(link, sizeof(Link));
}

bool add_monitor(Process& watcher, Process& watched, std::uint64_t ref) {
  auto* m = static_cast<Monitor*>(allocator_of(watcher).allocate(sizeof(Monitor)));
  if (m == nullptr) return false;
  *m = {&watcher, &watched, ref, nullptr, nullptr, nullptr, nullptr};
  append(watcher.monitors_, m, &Monitor::watcher_next, &Monitor::watcher_previous);
  append(watched.monitored_by_, m, &Monitor::watched_next, &Monitor::watched_previous);
  return true;
}

void remove_monitor(Process& watcher, std::uint64_t ref) {
  Monitor* first = watcher.monitors_;
  if (first == nullptr) return;
  // The newest is looked at first: most are taken away soon.
  Monitor* m = first;
  do {
    m = m->watcher_previous;
    if (m->ref != ref) continue;
    unlink_watcher(m);
    unlink_watched(m);
    allocator_of(watcher).release(m, sizeof(Monitor));
    return;
  } while (m != first);
}

void notify_down(const Process& sender, Process& watcher, std::uint64_t ref, Term pid,
                 Term reason) {
  Term head[] = {make_keyword("DOWN"), pid};
  send_notice(sender, watcher, head, reason, ref);
}

void notify_end(Process& p) {
  while (Link* link = p.links_) {
    Process* peer = link->ends[1 - link->side_of(&p)];
    unlink(link, &p);
    unlink(link, peer);
    allocator_of(p).release(link, sizeof(Link));
    signal_exit(p, *peer, p.pid(), p.exit_reason_, ExitSignal::kLink);
  }
  while (Monitor* m = p.monitored_by_) {
    Process* watcher = m->watcher;
    std::uint64_t ref = m->ref;
    unlink_watcher(m);
    unlink_watched(m);
    allocator_of(p).release(m, sizeof(Monitor));
    notify_down(p, *watcher, ref, p.pid(), p.exit_reason_);
  }
  while (Monitor* m = p.monitors_) {
    unlink_watcher(m);
    unlink_watched(m);
    allocator_of(p).release(m, sizeof(Monitor));
  }
}

std::uint64_t fresh_reference(Process& p) {
  p.mark_ = p.inbox_tail_;
  return p.mark_ref_ = state_of(p).next_ref++;
}

Term make_ref(Heap& heap, std::uint64_t number) {
  Word* box = heap.alloc_box(Kind::kRef, 1);
  box[1] = number;
  return Term::boxed(box);
}

}  // namespace lona::vm

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

void unlink(Link* link, Process* p) {
  unsigned side = link->side_of(p);
  auto relink = [p](Link* at, Link* next, Link* previous, bool set_next) {
    unsigned s = at->side_of(p);
    if (set_next) {
      at->next[s] = next;
    } else {
      at->previous[s] = previous;
    }
  };
  Link* next = link->next[side];
  Link* previous = link->previous[side];
  if (previous != nullptr) {
    relink(previous, next, nullptr, true);
  } else {
    p->links_ = next;
  }
  if (next != nullptr) relink(next, nullptr, previous, false);
}

Link* find_link(Process& a, Process& b) {
  // Both lists at once: the shorter one decides how long it takes.
  Link* x = a.links_;
  Link* y = b.links_;
  while (x != nullptr && y != nullptr) {
    unsigned sx = x->side_of(&a), sy = y->side_of(&b);
    if (x->ends[1 - sx] == &b) return x;
    if (y->ends[1 - sy] == &a) return y;
    x = x->next[sx];
    y = y->next[sy];
  }
  return nullptr;
}

void unlink_watcher(Monitor* m) {
  if (m->watcher_previous != nullptr) {
    m->watcher_previous->watcher_next = m->watcher_next;
  } else {
    m->watcher->monitors_ = m->watcher_next;
  }
  if (m->watcher_next != nullptr) m->watcher_next->watcher_previous = m->watcher_previous;
}

void unlink_watched(Monitor* m) {
  if (m->watched_previous != nullptr) {
    m->watched_previous->watched_next = m->watched_next;
  } else {
    m->watched->monitored_by_ = m->watched_next;
  }
  if (m->watched_next != nullptr) m->watched_next->watched_previous = m->watched_previous;
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
  *link = {{&a, &b}, {a.links_, b.links_}, {nullptr, nullptr}};
  if (a.links_ != nullptr) a.links_->previous[a.links_->side_of(&a)] = link;
  if (b.links_ != nullptr) b.links_->previous[b.links_->side_of(&b)] = link;
  a.links_ = b.links_ = link;
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
  *m = {&watcher, &watched, ref, watcher.monitors_, nullptr, watched.monitored_by_, nullptr};
  if (m->watcher_next != nullptr) m->watcher_next->watcher_previous = m;
  if (m->watched_next != nullptr) m->watched_next->watched_previous = m;
  watcher.monitors_ = m;
  watched.monitored_by_ = m;
  return true;
}

void remove_monitor(Process& watcher, std::uint64_t ref) {
  for (Monitor* m = watcher.monitors_; m != nullptr; m = m->watcher_next) {
    if (m->ref != ref) continue;
    unlink_watcher(m);
    unlink_watched(m);
    allocator_of(watcher).release(m, sizeof(Monitor));
    return;
  }
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

Term make_ref(Heap& heap, std::uint64_t number) {
  Word* box = heap.alloc_box(Kind::kRef, 1);
  box[1] = number;
  return Term::boxed(box);
}

}  // namespace lona::vm

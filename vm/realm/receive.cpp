// SPDX-License-Identifier: BSD-2-Clause
// What comes from other realms, and what the realm's service is told.
#include "vm/realm/realms.hpp"

#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/copy.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

void Realms::poll(Worker& w) {
  if (platform::take_realm_event()) tell_ends(w);
  if (peers_ == nullptr) return;
  poll_held(w);
}

void Realms::poll_held(Worker& w) {
  Guard guard(lock_, true);
  holding_.store(false, std::memory_order_relaxed);
  for (Peer* peer = peers_; peer != nullptr; peer = peer->next) {
    if (peer->broken) continue;
    const bool signal = flush(*peer);
    if (!receive(w, *peer)) peer->broken = true;
    make_room(w, *peer);
    if (peer->in.producer_waits() || signal) platform::signal_peer(peer->number);
  }
}

// False when the peer breaks the rules.
bool Realms::receive(Worker& w, Peer& peer) {
  constexpr std::size_t kPiece = 4096;
  if (peer.next_try != 0 && platform::now_ns() < peer.next_try) {
    holding_.store(true, std::memory_order_relaxed);
    return true;
  }
  // What was held comes first.
  Took took = peer.coming.held() == 0 ? Took::kAll : take_frames(w, peer);
  // Bounded, so that a peer that sends without end does not keep this realm busy.
  for (unsigned pieces = 0; pieces < 8 && took == Took::kAll && !peer.in.empty(); ++pieces) {
    const std::span<std::uint8_t> room = peer.coming.room(kPiece);
    if (room.empty()) {
      took = wait_for_memory(w, peer);
      break;
    }
    const auto count = peer.in.take(room);
    if (!count) return false;
    peer.coming.came(*count);
    took = take_frames(w, peer);
  }
  if (took == Took::kHeld) holding_.store(true, std::memory_order_relaxed);
  peer.coming.tidy();
  return took != Took::kBroken;
}

Realms::Took Realms::take_frames(Worker& w, Peer& peer) {
  for (;;) {
    Frame frame;
    switch (peer.coming.look(frame)) {
      case FrameReader::State::kNone:
        return Took::kAll;
      case FrameReader::State::kBroken:
        return Took::kBroken;
      case FrameReader::State::kNoMemory:
        if (wait_for_memory(w, peer) == Took::kHeld) return Took::kHeld;
        continue;
      case FrameReader::State::kFrame:
        break;
    }
    if (is_for_service(w, frame)) frame.head.kind = Frame::Kind::kRequest;
    if (!has_room(w, peer, frame)) return Took::kHeld;
    Took took = frame.head.kind == Frame::Kind::kRouted ? take_routed(w, peer, frame)
                                                        : take_frame(w, peer, frame, peer.realm);
    // Long strings and binaries are the receiver's now.
    arena_.off_heap().release_all();
    if (took == Took::kHeld) {
      took = wait_for_memory(w, peer);
      if (took == Took::kHeld) return took;
      continue;
    }
    peer.binaries.done();
    if (took == Took::kBroken) return took;
    peer.coming.pass();
    peer.no_memory_at = peer.next_try = 0;
  }
}

// What a peer sends to the service's pid is no more than a request of that peer: the service trusts
// its own realm, and must not take one for the other.
bool Realms::is_for_service(Worker& w, const Frame& frame) {
  const Term pid = Term::from_bits(frame.head.target);
  if (frame.head.kind != Frame::Kind::kMessage || !pid.is_pid()) return false;
  if (service_name_.is_nil()) service_name_ = make_symbol("lona.realm/service");
  const Process* target = w.vm.state().table.find(pid);
  return target != nullptr && target->name_ != nullptr &&
         Term::symbol(target->name_) == service_name_;
}

bool Realms::open(Worker& w, const Frame& frame, Route& route, Frame& inside) {
  if (!open_routed(frame, route, inside)) return false;
  if (route.to == own_ && is_for_service(w, inside)) {
    route.kind = inside.head.kind = Frame::Kind::kRequest;
  }
  return true;
}

// A service that was started anew owes nothing.
void Realms::know_service(const Process* service) {
  const Term pid = service == nullptr ? Term::nil() : service->pid();
  if (pid == service_) return;
  service_ = pid;
  for (Peer* peer = peers_; peer != nullptr; peer = peer->next) {
    peer->unserved = 0;
    peer->unserved_bytes = 0;
  }
}

bool Realms::service_has_room(Worker& w, const Peer& peer) {
  know_service(service(w));
  return peer.unserved == 0 ||
         (peer.unserved < kUnservedMax && peer.unserved_bytes < kUnservedBytes);
}

// Whether its receiver may get more from this peer now.
bool Realms::has_room(Worker& w, const Peer& peer, const Frame& frame) {
  if (frame.head.kind == Frame::Kind::kRouted) {
    Route route;
    Frame inside;
    if (!open(w, frame, route, inside)) return true;  // which is seen when it is taken
    if (route.to == own_) return has_room(w, peer, inside);
    if (const Peer* next = onward(peer, route)) return next->waiting() <= kPendingMax;
    return route.kind != Frame::Kind::kRequest || service_has_room(w, peer);
  }
  if (frame.head.kind != Frame::Kind::kMessage) return service_has_room(w, peer);
  const Term pid = Term::from_bits(frame.head.target);
  const Process* target = pid.is_pid() ? w.vm.state().table.find(pid) : nullptr;
  if (target == nullptr) return true;
  // Another worker may be counting; a look that is a little late does no harm.
  return __atomic_load_n(&target->inbox_words_, __ATOMIC_RELAXED) <= kQueuedWords;
}

Arena& Realms::clean_arena() {
  if (arena_.mapped_bytes() > kArenaKept) arena_.clear();
  return arena_;
}

// kHeld: there was no memory for it, and nothing has been done.
Realms::Took Realms::take_frame(Worker& w, Peer& peer, const Frame& frame, std::uint32_t from) {
  Arena& arena = clean_arena();
  peer.limits.no_memory = false;
  IncomingBinaries* const binaries = from == peer.realm ? &peer.binaries : nullptr;
  const Term value = wire::decode(arena, frame.content, peer.limits, binaries);
  if (peer.limits.no_memory || arena.exhausted()) {
    arena.clear();
    return Took::kHeld;
  }
  if (value == Term::absent()) return Took::kBroken;
  bool done = false;
  switch (frame.head.kind) {
    case Frame::Kind::kMessage: {
      const Term pid = Term::from_bits(frame.head.target);
      if (!pid.is_pid()) return Took::kBroken;
      Process* target = find_for(peer, pid);
      done = target == nullptr || deliver_term(w, target, value);
      break;
    }
    case Frame::Kind::kRequest:
      done = take_request(w, peer, from, value, frame.content.size());
      break;
    case Frame::Kind::kOutput:
      if (peer.number == platform::kParent || !is_string(value)) return Took::kBroken;
      done = tell_service(w, peer, "output", from, value, frame.content.size());
      break;
    default:
      return Took::kBroken;
  }
  return done ? Took::kAll : Took::kHeld;
}

// From above it goes down, from below up; null: nowhere.
Realms::Peer* Realms::onward(const Peer& peer, const Route& route) {
  Peer* next = find(routes_.next(route.to));
  if (next == nullptr || next->broken) return nullptr;
  const bool down = peer.number == platform::kParent;
  return down != (next->number == platform::kParent) ? next : nullptr;
}

// As a message to a process that has ended, a message that cannot be delivered is dropped.
Realms::Took Realms::take_routed(Worker& w, Peer& peer, const Frame& frame) {
  Route route;
  Frame inside;
  if (!open(w, frame, route, inside) || platform::is_peer_number(peer.number)) return Took::kBroken;
  const bool down = peer.number == platform::kParent;
  if (down) routes_.is_above(route.from);
  // Nobody below may speak for others than itself and those below it.
  const bool honest = down || route.from == peer.realm || routes_.next(route.from) == peer.realm;
  if (route.kind == Frame::Kind::kRequest && !honest) return Took::kAll;
  if (route.to == own_) {
    // Capabilities come from neighbours only.
    peer.limits.peer = platform::kNoRealm;
    const Took took = take_frame(w, peer, inside, route.from);
    peer.limits.peer = peer.realm;
    return took;
  }
  if (Peer* next = onward(peer, route)) return pass_on(*next, frame);
  const bool done = route.kind != Frame::Kind::kRequest || tell_astray(w, peer, route);
  return done ? Took::kAll : Took::kHeld;
}

Realms::Took Realms::pass_on(Peer& next, const Frame& frame) {
  if (frame.head.size > longest_to(next)) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return Took::kAll;
  }
  frame_.clear();
  const auto* head = reinterpret_cast<const char*>(&frame.head);
  const auto* content = reinterpret_cast<const char*>(frame.content.data());
  if (!frame_.reserve(sizeof frame.head + frame.content.size()) ||
      !frame_.append({head, sizeof frame.head}) ||
      !frame_.append({content, frame.content.size()})) {
    frame_.shrink(kBufferKept);
    return Took::kHeld;
  }
  return put_frame(next) == Sent::kNoMemory ? Took::kHeld : Took::kAll;
}

void Realms::served(std::uint32_t realm) {
  Guard guard(lock_, true);
  Peer* peer = find(realm);
  if (peer == nullptr || peer->unserved == 0) return;
  if (--peer->unserved == 0) peer->unserved_bytes = 0;
}

// False without memory.
bool Realms::deliver_term(Worker& w, Process* target, Term value) {
  Fragment* fragment = target == nullptr ? nullptr : fragment_of(w, value);
  if (fragment == nullptr) return false;
  deliver(w, *target, fragment);
  return true;
}

Fragment* Realms::fragment_of(Worker& w, Term value) {
  if (value == Term::absent()) return nullptr;
  const std::optional<std::size_t> words = copy_size(arena_, value);
  Fragment* fragment = words ? make_fragment(w.allocator, *words) : nullptr;
  if (fragment == nullptr) return nullptr;
  fragment->value = copy_into(arena_, value, {fragment->data, *words}, fragment->blobs).value;
  if (fragment->value == Term::absent()) {
    free_fragment(w.allocator, fragment);
    return nullptr;
  }
  fragment->top = fragment->data + *words;
  return fragment;
}

Process* Realms::service(Worker& w) {
  Vm::State& s = w.vm.state();
  Guard guard(s.names_lock, s.several);
  return static_cast<Process*>(s.names.find(intern("lona.realm/service")));
}

void Realms::tell_ends(Worker& w) {
  platform::RealmEnd end;
  while (platform::next_ended(end)) {
    platform::RealmFigures figures{};
    (void)platform::realm_figures(end.realm, figures);
    Guard guard(lock_, true);
    if (Peer* peer = find(end.realm)) {
      // What it has sent comes before its end.
      if (!peer->broken && !receive(w, *peer)) peer->broken = true;
      peer->ended = true;
    }
    Arena& arena = clean_arena();
    const Term text = make_string_repaired(arena, {end.text, end.text_length});
    const Term status = end.fault ? make_keyword("fault")
                                  : Term::integer(static_cast<std::int64_t>(end.status & 0xff));
    const Term name = make_string_repaired(arena, {figures.name, figures.name_length});
    const Term parts[] = {make_keyword("ended"), Term::realm(end.realm), status,
                          text == Term::absent() ? Term::nil() : text,
                          name == Term::absent() ? Term::nil() : name};
    deliver_term(w, service(w), make_tuple(arena, parts));
  }
}

bool Realms::tell_retired(Worker& w) {
  Guard guard(lock_, true);
  const Term parts[] = {make_keyword("retired")};
  return deliver_term(w, service(w), make_tuple(clean_arena(), parts));
}

void Realms::tell_inherited(Worker& w, std::optional<std::span<const Word>> cells) {
  Guard guard(lock_, true);
  Arena& arena = clean_arena();
  Term list = cells ? Term::empty_list() : make_keyword("all");
  for (Word cell : cells.value_or(std::span<const Word>())) {
    Word* pair = arena.try_alloc(2);
    if (pair == nullptr) return;
    pair[0] = Term::integer(static_cast<std::int64_t>(cell)).bits();
    pair[1] = list.bits();
    list = Term::pair(pair);
  }
  const Term parts[] = {make_keyword("inherited"), list};
  (void)deliver_term(w, service(w), make_tuple(arena, parts));
}

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/realms.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/copy.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kPeerBytes = platform::kPageSize;

Realms::Sent failed(wire::Encoded encoded) {
  switch (encoded) {
    case wire::Encoded::kTooLong:
      return Realms::Sent::kTooLong;
    case wire::Encoded::kNoMemory:
      return Realms::Sent::kNoMemory;
    case wire::Encoded::kTooMany:
      return Realms::Sent::kTooMany;
    default:
      return Realms::Sent::kNotSendable;
  }
}

}  // namespace

void Realms::start(const ProcessTable& processes) {
  processes_ = &processes;
  const platform::RealmIdentity self = platform::realm_identity();
  own_ = self.realm;
  capabilities_.start(own_);
  parent_realm_ = self.parent;
  routes_.start(own_, parent_realm_);
  if (self.parent != platform::kNoRealm &&
      !add_peer(self.parent, platform::kParent, platform::channel(platform::kParent))) {
    platform::panic("no memory for the channel to the parent");
  }
}

bool Realms::add_peer(std::uint32_t realm, std::uint32_t number,
                      const platform::ChannelMemory& memory) {
  static_assert(sizeof(Peer) <= kPeerBytes);
  void* place = memory.out == nullptr ? nullptr : platform::map_pages(kPeerBytes);
  if (place == nullptr) return false;
  auto* peer = new (place) Peer(realm, number, *static_cast<base::ByteRing*>(memory.out),
                                *static_cast<base::ByteRing*>(memory.in), own_, longest_frame());
  peer->in.say_longest(longest_frame());
  peer->in.say_spare(spare_memory());
  peer->next = peers_;
  peers_ = peer;
  return true;
}

// What comes in must not take more of this realm's memory than a part.
std::size_t Realms::longest_frame() {
  return std::clamp(platform::memory_figures().limit / 4, kFrameLeast, kFrameMost);
}

bool Realms::add_child(std::uint32_t realm, std::uint32_t number) {
  Guard guard(lock_, true);
  if (!add_peer(realm, number, platform::channel(number))) return false;
  children_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Realms::add_sibling(std::uint32_t realm, std::uint32_t number, bool first) {
  Guard guard(lock_, true);
  if (find(realm) != nullptr) return true;
  for (const Peer* peer = peers_; peer != nullptr; peer = peer->next) {
    if (peer->number == number) return false;
  }
  // Something may be there already, and nobody signals it again.
  holding_.store(true, std::memory_order_relaxed);
  return add_peer(realm, number, platform::peer_channel(number, first));
}

void Realms::drop(std::uint32_t realm) {
  Guard guard(lock_, true);
  capabilities_.forget(realm);
  for (Peer** at = &peers_; *at != nullptr; at = &(*at)->next) {
    Peer* peer = *at;
    if (peer->realm != realm || peer->number == platform::kParent) continue;
    *at = peer->next;
    if (!platform::is_peer_number(peer->number)) {
      children_.fetch_sub(1, std::memory_order_relaxed);
    }
    peer->~Peer();
    platform::unmap_pages(peer, kPeerBytes);
    return;
  }
}

Realms::Peer* Realms::find(std::uint32_t realm) {
  for (Peer* peer = peers_; peer != nullptr; peer = peer->next) {
    if (peer->realm == realm) return peer;
  }
  return nullptr;
}

// --- Sending -------------------------------------------------------------------------------------

Realms::Way Realms::way(std::uint32_t realm) {
  Peer* peer = find(realm);
  const bool neighbour = peer != nullptr;
  if (!neighbour) peer = find(routes_.next(realm));
  return {.peer = peer == nullptr || peer->broken || peer->ended ? nullptr : peer,
          .neighbour = neighbour};
}

Realms::Sent Realms::send(Process& p, std::uint32_t realm, Frame::Kind kind, Word target,
                          Term value, Term& refused) {
  Guard guard(lock_, true);
  const Way there = way(realm);
  if (there.peer == nullptr) return Sent::kNoRealm;
  Peer& peer = *there.peer;
  // While it waits for room it is not encoded again and again.
  Sent sent = asked_room(peer, p);
  if (sent != Sent::kOk) return sent;
  OutgoingBinaries binaries(realm);
  sent = encode_along(there, realm, kind, target, value, &refused, &binaries);
  const bool long_message = kind == Frame::Kind::kMessage && frame_.size() > kShort;
  if (sent == Sent::kOk && long_message) sent = ask_room(peer, p, value);
  if (sent == Sent::kOk) sent = put_frame(peer);
  if (sent == Sent::kOk) binaries.went_out();
  if (sent == Sent::kNoMemory) return no_memory(p);
  if (patience_.any() && sent != Sent::kFull) patience_.forget(p.pid());
  return sent;
}

Realms::Sent Realms::encode_along(const Way& there, std::uint32_t realm, Frame::Kind kind,
                                  Word target, Term value, Term* refused,
                                  OutgoingBinaries* binaries) {
  if (there.neighbour) {
    const Frame::Head head{.size = 0, .kind = kind, .target = target};
    return encode(*there.peer, head, value, refused, nullptr, binaries);
  }
  const Route route{.to = realm, .from = own_, .kind = kind};
  return encode(*there.peer, {.size = 0, .kind = Frame::Kind::kRouted, .target = target}, value,
                refused, &route);
}

std::uint32_t Realms::toward(std::uint32_t realm) {
  Guard guard(lock_, true);
  return find(realm) != nullptr ? realm : routes_.next(realm);
}

// The frame is in frame_ then.
Realms::Sent Realms::encode(Peer& peer, const Frame::Head& head, Term value, Term* refused,
                            const Route* route, OutgoingBinaries* binaries) {
  if (peer.waiting() > kPendingMax) {
    // The service of a realm waits for its parent's, which never waits for a child: one that takes
    // nothing while so many requests come up is given up. A message before them may be longer.
    const Frame::Kind kind = route == nullptr ? head.kind : route->kind;
    if (kind != Frame::Kind::kRequest || peer.number == platform::kParent) return Sent::kFull;
    peer.broken = peer.pending_requests > kRequestsMax;
    if (peer.broken) return Sent::kNoRealm;
  }
  frame_.clear();
  const std::size_t start = sizeof head + (route == nullptr ? 0 : sizeof *route);
  if (frame_.room(start).empty()) return Sent::kNoMemory;
  frame_.grow(start);  // it is filled in when the size is known
  const std::size_t most = longest_to(peer);
  struct Receiver {
    Realms& self;
    std::uint32_t realm;
  } receiver{*this, peer.realm};
  wire::Offers offers{
      .context = &receiver,
      .offer = nullptr,
      .told = [](void* to,
                 Term pid) { mark_told(*static_cast<Receiver*>(to)->self.processes_, pid); },
      .refused = refused};
  if (route == nullptr) {  // capabilities and shared binaries go to neighbours only
    offers.offer = [](void* to, const Capability& cap, std::uint64_t& number) {
      const auto& [self, realm] = *static_cast<Receiver*>(to);
      return self.capabilities_.offer(cap, realm, number);
    };
  }
  const wire::Encoded encoded =
      wire::encode(value, own_, frame_, sizeof head + most, &offers, binaries);
  if (encoded != wire::Encoded::kOk) {
    frame_.shrink(kBufferKept);
    return failed(encoded);
  }
  Frame::Head sized = head;
  sized.size = static_cast<std::uint32_t>(frame_.size() - sizeof head);
  __builtin_memcpy(frame_.data(), &sized, sizeof sized);
  if (route != nullptr) __builtin_memcpy(frame_.data() + sizeof head, route, sizeof *route);
  return Sent::kOk;
}

void Realms::mark_told(const ProcessTable& processes, Term pid) {
  if (Process* told = processes.find(pid)) told->told_.store(true, std::memory_order_relaxed);
}

// What cannot be sent is not read from below either.
void Realms::tell_pids(Term value) {
  ByteBuffer bytes;
  constexpr std::size_t kMost = 1024 * 1024;
  const wire::Offers offers{.context = const_cast<ProcessTable*>(processes_),
                            .offer = nullptr,
                            .told = [](void* processes, Term pid) {
                              mark_told(*static_cast<const ProcessTable*>(processes), pid);
                            }};
  (void)wire::encode(value, own_, bytes, kMost, &offers);
}

// A pid is a small number, which native code can guess.
Process* Realms::find_for(const Peer& peer, Term pid) const {
  Process* found = processes_->find(pid);
  const bool may = found != nullptr && (peer.number == platform::kParent ||
                                        found->told_.load(std::memory_order_relaxed));
  return may ? found : nullptr;
}

// What is in frame_ goes into the ring, and what has no room there waits.
Realms::Sent Realms::put_frame(Peer& peer) {
  std::size_t done = 0;
  if (peer.waiting() == 0) {
    const auto put = peer.out.put({frame_.data(), frame_.size()});
    peer.broken = !put.has_value();
    if (peer.broken) return Sent::kNoRealm;
    done = *put;
  }
  if (done < frame_.size()) {
    if (peer.waiting() == 0) {
      peer.pending.swap(frame_);
      peer.pending_at = done;
    } else {
      peer.pending.erase(0, peer.pending_at);
      peer.pending_at = 0;
      if (!peer.pending.append(frame_.text())) {
        frame_.shrink(kBufferKept);
        return Sent::kNoMemory;
      }
      peer.pending_requests += frame_.size();
    }
    (void)flush(peer);
  }
  frame_.shrink(kBufferKept);
  platform::signal_peer(peer.number);
  return Sent::kOk;
}

// True when something went out.
bool Realms::flush(Peer& peer) {
  if (peer.waiting() == 0) return false;
  bool any = false;
  while (peer.waiting() != 0) {
    // Said before the look, so that room that is made after it is heard of.
    peer.out.wait_for_room(true);
    const auto put = peer.out.put({peer.pending.data() + peer.pending_at, peer.waiting()});
    peer.broken = !put.has_value();
    if (peer.broken || *put == 0) return any;
    peer.pending_at += *put;
    any = true;
  }
  peer.out.wait_for_room(false);
  peer.pending.shrink(kBufferKept);
  peer.pending_at = 0;
  peer.pending_requests = 0;
  return any;
}

void Realms::send_output(std::string_view text) {
  Guard guard(lock_, true);
  Peer* peer = find(parent_realm_);
  if (peer == nullptr || peer->broken) return;
  Arena arena;
  const Term string = make_string_repaired(arena, text);
  const Frame::Head head{.size = 0, .kind = Frame::Kind::kOutput, .target = 0};
  if (string != Term::absent() && encode(*peer, head, string) == Sent::kOk) (void)put_frame(*peer);
}

// --- Receiving -----------------------------------------------------------------------------------

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

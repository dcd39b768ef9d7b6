// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/realms.hpp"

#include <new>

#include "vm/data/string.hpp"
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

bool Realms::takes(std::uint32_t realm) {
  Guard guard(lock_, true);
  const Way there = way(realm);
  return there.peer == nullptr || there.peer->waiting() <= kPendingMax;
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

}  // namespace lona::vm

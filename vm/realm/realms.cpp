// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/realms.hpp"

#include <new>

#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/copy.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kPeerBytes = platform::kPageSize;

}  // namespace

void Realms::start() {
  const platform::RealmIdentity self = platform::realm_identity();
  own_ = self.realm;
  parent_realm_ = self.parent;
  if (self.parent != platform::kNoRealm && !add_peer(self.parent, platform::kParent)) {
    platform::panic("no memory for the channel to the parent");
  }
}

bool Realms::add_peer(std::uint32_t realm, std::uint32_t number) {
  static_assert(sizeof(Peer) <= kPeerBytes);
  const platform::ChannelMemory memory = platform::channel(number);
  void* place = memory.out == nullptr ? nullptr : platform::map_pages(kPeerBytes);
  if (place == nullptr) return false;
  auto* peer = new (place) Peer(realm, number, *static_cast<base::ByteRing*>(memory.out),
                                *static_cast<base::ByteRing*>(memory.in), own_);
  peer->next = peers_;
  peers_ = peer;
  return true;
}

bool Realms::add_child(std::uint32_t realm, std::uint32_t number) {
  Guard guard(lock_, true);
  return add_peer(realm, number);
}

void Realms::drop_child(std::uint32_t realm) {
  Guard guard(lock_, true);
  for (Peer** at = &peers_; *at != nullptr; at = &(*at)->next) {
    Peer* peer = *at;
    if (peer->realm != realm || peer->number == platform::kParent) continue;
    *at = peer->next;
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

Realms::Sent Realms::send(std::uint32_t realm, Frame kind, Word target, Term value) {
  Guard guard(lock_, true);
  Peer* peer = find(realm);
  if (peer == nullptr || peer->broken) return Sent::kNoRealm;
  return send_to(*peer, kind, target, value);
}

Realms::Sent Realms::send_to(Peer& peer, Frame kind, Word target, Term value) {
  if (peer.pending.size() > kPendingMax) {
    if (kind != Frame::kRequest) return Sent::kFull;
    // Services do not wait for each other. One that takes nothing for so long is given up.
    peer.broken = peer.pending.size() > kRequestsMax;
    if (peer.broken) return Sent::kNoRealm;
  }
  frame_.clear();
  Head head{.size = 0, .kind = kind, .target = target};
  const std::string_view bytes(reinterpret_cast<const char*>(&head), sizeof head);
  if (!frame_.append(bytes)) return Sent::kNoMemory;
  switch (wire::encode(value, own_, frame_, sizeof head + kFrameMax)) {
    case wire::Encoded::kOk:
      break;
    case wire::Encoded::kNotSendable:
      return Sent::kNotSendable;
    case wire::Encoded::kTooLong:
      return Sent::kTooLong;
    case wire::Encoded::kNoMemory:
      return Sent::kNoMemory;
  }
  head.size = static_cast<std::uint32_t>(frame_.size() - sizeof head);
  std::memcpy(frame_.data(), &head, sizeof head);
  std::size_t done = 0;
  if (peer.pending.empty()) {
    const auto put = peer.out.put({frame_.data(), frame_.size()});
    peer.broken = !put.has_value();
    if (peer.broken) return Sent::kNoRealm;
    done = *put;
  }
  if (done < frame_.size()) {
    // A frame whose start is in the ring must not be lost.
    if (!peer.pending.append(frame_.text().substr(done))) {
      peer.broken = done != 0;
      return Sent::kNoMemory;
    }
    (void)flush(peer);
  }
  platform::signal_peer(peer.number);
  return Sent::kOk;
}

// True when something went out.
bool Realms::flush(Peer& peer) {
  if (peer.pending.empty()) return false;
  bool any = false;
  while (!peer.pending.empty()) {
    // Said before the look, so that room that is made after it is heard of.
    peer.out.wait_for_room(true);
    const auto put = peer.out.put({peer.pending.data(), peer.pending.size()});
    peer.broken = !put.has_value();
    if (peer.broken || *put == 0) return any;
    peer.pending.erase(0, *put);
    any = true;
  }
  peer.out.wait_for_room(false);
  return any;
}

void Realms::send_output(std::string_view text) {
  Guard guard(lock_, true);
  Peer* peer = find(parent_realm_);
  if (peer == nullptr || peer->broken) return;
  Arena arena;
  const Term string = make_string_repaired(arena, text);
  if (string != Term::absent()) (void)send_to(*peer, Frame::kOutput, 0, string);
}

// --- Receiving -----------------------------------------------------------------------------------

void Realms::poll(Worker& w) {
  if (platform::take_realm_event()) tell_ends(w);
  if (peers_ == nullptr) return;
  Guard guard(lock_, true);
  for (Peer* peer = peers_; peer != nullptr; peer = peer->next) {
    if (peer->broken) continue;
    bool signal = flush(*peer);
    if (!peer->in.empty() && !receive(w, *peer)) peer->broken = true;
    if (peer->in.producer_waits() || signal) platform::signal_peer(peer->number);
  }
}

// False when the peer breaks the rules.
bool Realms::receive(Worker& w, Peer& peer) {
  constexpr std::size_t kPiece = 4096;
  // Bounded, so that a peer that sends without end does not keep this realm busy.
  for (unsigned pieces = 0; pieces < 8 && !peer.in.empty(); ++pieces) {
    const std::span<std::uint8_t> room = peer.coming.room(kPiece);
    if (room.empty()) return true;  // no memory now
    const auto count = peer.in.take(room);
    if (!count) return false;
    peer.coming.grow(*count);
    if (!take_frames(w, peer)) return false;
  }
  return true;
}

bool Realms::take_frames(Worker& w, Peer& peer) {
  std::size_t at = 0;
  bool good = true;
  while (good && peer.coming.size() - at >= sizeof(Head)) {
    Head head;
    std::memcpy(&head, peer.coming.data() + at, sizeof head);
    if (head.size > kFrameMax) {
      good = false;
      break;
    }
    if (peer.coming.size() - at - sizeof head < head.size) break;
    at += sizeof head;
    good = take_frame(w, peer, head, {peer.coming.data() + at, head.size});
    at += head.size;
  }
  peer.coming.erase(0, at);
  return good;
}

bool Realms::take_frame(Worker& w, Peer& peer, const Head& head,
                        std::span<const std::uint8_t> content) {
  if (arena_.mapped_bytes() > kArenaKept) arena_.clear();
  const Term value = wire::decode(arena_, content, peer.limits);
  if (value == Term::absent()) return false;
  Vm::State& s = w.vm.state();
  switch (head.kind) {
    case Frame::kMessage: {
      const Term pid = Term::from_bits(head.target);
      if (!pid.is_pid()) return false;
      deliver_term(w, s.table.find(pid), value);
      return true;
    }
    case Frame::kRequest:
    case Frame::kOutput: {
      const bool output = head.kind == Frame::kOutput;
      if (output && (peer.number == platform::kParent || !is_string(value))) return false;
      const Term parts[] = {make_keyword(output ? "output" : "realm"), Term::realm(peer.realm),
                            value};
      deliver_term(w, service(w), make_tuple(arena_, parts));
      return true;
    }
  }
  return false;
}

// Without memory for it, a message is lost; the receiver is about to meet the same lack.
void Realms::deliver_term(Worker& w, Process* target, Term value) {
  if (target == nullptr || value == Term::absent()) return;
  const std::optional<std::size_t> words = copy_size(arena_, value);
  Fragment* fragment = words ? make_fragment(w.allocator, *words) : nullptr;
  if (fragment == nullptr) return;
  fragment->value = copy_into(arena_, value, {fragment->data, *words}, fragment->blobs).value;
  if (fragment->value == Term::absent()) return free_fragment(w.allocator, fragment);
  fragment->top = fragment->data + *words;
  deliver(w, *target, fragment);
}

Process* Realms::service(Worker& w) {
  Vm::State& s = w.vm.state();
  Guard guard(s.names_lock, s.several);
  return static_cast<Process*>(s.names.find(intern("lona.realm/service")));
}

void Realms::tell_ends(Worker& w) {
  platform::RealmEnd end;
  while (platform::next_ended(end)) {
    Guard guard(lock_, true);
    if (arena_.mapped_bytes() > kArenaKept) arena_.clear();
    const Term text = make_string_repaired(arena_, {end.text, end.text_length});
    const Term status = end.fault ? make_keyword("fault")
                                  : Term::integer(static_cast<std::int64_t>(end.status & 0xff));
    const Term parts[] = {make_keyword("ended"), Term::realm(end.realm), status,
                          text == Term::absent() ? Term::nil() : text};
    deliver_term(w, service(w), make_tuple(arena_, parts));
  }
}

}  // namespace lona::vm

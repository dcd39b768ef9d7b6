// SPDX-License-Identifier: BSD-2-Clause
// Other realms, as this one's VM sees them: its parent and its children, with a channel to each.
//
// What goes through a channel are frames: a message for a process; a request for the realm's
// service, a process that is registered as lona.realm/service (lib/lona/realm.lona); or text for
// the console. Output that finds the ring full waits in a buffer, up to a limit; then the senders
// wait. What comes in is trusted with nothing: a peer that breaks the rules is not heard any more.
#pragma once

#include "base/byte_ring.hpp"
#include "vm/heap/arena.hpp"
#include "vm/realm/wire.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class Process;
struct Worker;

class Realms {
 public:
  enum class Frame : std::uint32_t { kMessage = 1, kRequest = 2, kOutput = 3 };
  enum class Sent : std::uint8_t {
    kOk,
    kNotSendable,
    kTooLong,
    kNoMemory,
    kFull,     // to be tried again
    kNoRealm,  // no channel leads there
  };

  // Finds the channel to the parent, if there is one.
  void start();
  std::uint32_t own() const { return own_; }
  std::uint32_t parent() const { return parent_realm_; }
  bool any() const { return peers_ != nullptr; }

  // False without memory.
  bool add_child(std::uint32_t realm, std::uint32_t number);
  void drop_child(std::uint32_t realm);

  Sent send(std::uint32_t realm, Frame kind, Word target, Term value);
  // Text for the parent's console; what finds no room is lost.
  void send_output(std::string_view text);

  // Takes what has come, on the first worker.
  void poll(Worker& w);

 private:
  // A frame's start, as it is in the ring.
  struct Head {
    std::uint32_t size;
    Frame kind;
    Word target;  // of a message: the bits of the pid
  };
  static constexpr std::size_t kFrameMax = 256 * 1024;
  static constexpr std::size_t kPendingMax = 64 * 1024;
  static constexpr std::size_t kRequestsMax = 4 * kPendingMax;
  static constexpr std::size_t kNamesOfAPeer = 64 * 1024;
  static constexpr std::size_t kArenaKept = 256 * 1024;

  struct Peer {
    Peer(std::uint32_t realm, std::uint32_t number, base::ByteRing& out, base::ByteRing& in,
         std::uint32_t own)
        : realm(realm),
          number(number),
          out(out),
          in(in),
          limits{.own_realm = own, .names_left = kNamesOfAPeer} {}

    Peer* next = nullptr;
    std::uint32_t realm;
    std::uint32_t number;  // of a child, or platform::kParent
    bool broken = false;
    base::ByteRingProducer out;
    base::ByteRingConsumer in;
    ByteBuffer pending;  // did not fit into the ring
    ByteBuffer coming;   // a frame that has not come as a whole
    wire::Limits limits;
  };

  bool add_peer(std::uint32_t realm, std::uint32_t number);
  Peer* find(std::uint32_t realm);
  Sent send_to(Peer& peer, Frame kind, Word target, Term value);
  bool flush(Peer& peer);
  bool receive(Worker& w, Peer& peer);
  bool take_frames(Worker& w, Peer& peer);
  bool take_frame(Worker& w, Peer& peer, const Head& head, std::span<const std::uint8_t> content);
  void deliver_term(Worker& w, Process* target, Term value);
  Process* service(Worker& w);
  void tell_ends(Worker& w);

  SpinLock lock_;
  std::uint32_t own_ = 0;
  std::uint32_t parent_realm_ = ~std::uint32_t{0};
  Peer* peers_ = nullptr;
  ByteBuffer frame_;  // being encoded
  Arena arena_;       // of what was decoded
};

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
// Other realms, as this one's VM sees them: its parent and its children, with a channel to each.
//
// What goes through a channel are frames: a message for a process; a request for the realm's
// service, a process that is registered as lona.realm/service (lib/lona/realm.lona); or text for
// the console. Output that finds the ring full waits in a buffer, up to a limit; then the senders
// wait. What comes in is trusted with nothing: a peer that breaks the rules is not heard any more.
//
// Nobody's queue here grows without a limit because of another realm: while the receiver of a
// peer's next frame has much in its mailbox, or the service much of that peer's, nothing more is
// taken from that peer. Then its ring fills, and its senders wait.
//
// A long message that might find no memory is not sent before the receiver has made room for it
// (realm/room.cpp), and any frame that finds none waits, while all processes there collect.
//
// What is for a realm further up or down the line of descent goes through those between: from below
// only upward, from above only downward, so realms beside each other need a channel of their own.
#pragma once

#include <atomic>

#include "base/byte_ring.hpp"
#include "vm/heap/arena.hpp"
#include "vm/realm/binaries.hpp"
#include "vm/realm/capabilities.hpp"
#include "vm/realm/frames.hpp"
#include "vm/realm/patience.hpp"
#include "vm/realm/routes.hpp"
#include "vm/realm/wire.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class Process;
class ProcessTable;
struct Fragment;
struct Worker;

class Realms {
 public:
  enum class Sent : std::uint8_t {
    kOk,
    kNotSendable,
    kTooLong,
    kNoMemory,
    kTooMany,  // capabilities were offered to that realm
    kFull,     // to be tried again
    kNoRoom,   // the other realm has had no memory for it, for long
    kNoRealm,  // no way leads there
  };

  // Endpoints and notifications that go through channels.
  Capabilities& capabilities() { return capabilities_; }

  // Finds the channel to the parent, if there is one.
  void start(const ProcessTable& processes);
  std::uint32_t own() const { return own_; }
  std::uint32_t parent() const { return parent_realm_; }
  bool has_children() const { return children_.load(std::memory_order_relaxed) != 0; }
  bool any() const { return peers_ != nullptr; }

  // False without memory.
  bool add_child(std::uint32_t realm, std::uint32_t number);
  // A realm beside this one; also when it is known already.
  bool add_sibling(std::uint32_t realm, std::uint32_t number, bool first);
  // Any but the parent.
  void drop(std::uint32_t realm);

  // The value is for others to read, who may know the pids in it from now on.
  void tell_pids(Term value);
  // kNotSendable: `refused` is the part of it that cannot leave this realm.
  Sent send(Process& p, std::uint32_t realm, Frame::Kind kind, Word target, Term value,
            Term& refused);
  // What a process does to one of that realm besides sending to it (realm/signals.cpp): a request
  // to that realm, and a note to this one's service. Neither goes out unless both do, and what
  // the process has sent before comes before. With a reference the service watches the process.
  Sent signal(Process& p, std::uint32_t realm, Term request, Term& refused, Term note = Term::nil(),
              std::uint64_t watch = 0);
  // The neighbour through which that realm is reached, or kNoRealm.
  std::uint32_t toward(std::uint32_t realm);
  // More can go there without waiting for long, or nothing leads there.
  bool takes(std::uint32_t realm);
  // Text for the parent's console; what finds no room is lost.
  void send_output(std::string_view text);

  // What the manager says of children that have ended goes to the service.
  void tell_ends(Worker& w);
  // Takes what has come, on the first worker.
  void poll(Worker& w);
  // Nothing was taken from some peer because a mailbox is full.
  bool holding() const { return holding_.load(std::memory_order_relaxed); }
  // Looks whether there is room now.
  void poll_held(Worker& w);
  // The service is to ask the children what they hold of retired code; false: there is none.
  bool tell_retired(Worker& w);
  // What this realm holds of those above, for the service: [:inherited addresses], or nothing for
  // too much: [:inherited :all].
  void tell_inherited(Worker& w, std::optional<std::span<const Word>> cells);
  // Messages and requests that had to be given up, as there was no memory for them for long.
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
  // How long a message to that realm may be, for errors.
  std::size_t longest_to(std::uint32_t realm);
  // The service has done with one message from that realm.
  void served(std::uint32_t realm);

 private:
  static constexpr std::size_t kFrameLeast = 256 * 1024;  // every peer takes so much
  static constexpr std::size_t kFrameMost = std::size_t{64} << 20;
  static constexpr std::size_t kPendingMax = 64 * 1024;
  // A shorter frame goes out whatever the receiver has.
  static constexpr std::size_t kShort = 64 * 1024;
  static constexpr std::size_t kRequestsMax = 4 * kPendingMax;
  static constexpr std::size_t kNamesOfAPeer = 64 * 1024;
  static constexpr std::size_t kArenaKept = 256 * 1024;
  static constexpr std::size_t kBufferKept = 64 * 1024;
  // Of a peer, before the service has done with all of them.
  static constexpr unsigned kUnservedMax = 64;
  static constexpr std::size_t kUnservedBytes = 256 * 1024;
  // What one frame may take in all, in lengths of the longest frame.
  static constexpr std::size_t kRoomOfLongest = 3;
  // In the mailbox of a process, before it gets more from other realms.
  static constexpr std::size_t kQueuedWords = std::size_t{1} << 17;

  struct Peer {
    Peer(std::uint32_t realm, std::uint32_t number, base::ByteRing& out, base::ByteRing& in,
         std::uint32_t own, std::size_t longest)
        : realm(realm),
          number(number),
          out(out),
          in(in),
          coming(longest),
          limits{.own_realm = own, .names_left = kNamesOfAPeer, .peer = realm},
          binaries(realm) {}

    Peer* next = nullptr;
    std::uint32_t realm;
    std::uint32_t number;  // of a child, or platform::kParent
    bool broken = false;
    bool ended = false;  // nobody takes anything there any more
    base::ByteRingProducer out;
    base::ByteRingConsumer in;
    std::size_t waiting() const { return pending.size() - pending_at; }

    ByteBuffer pending;                // did not fit into the ring
    std::size_t pending_at = 0;        // what lies before it has gone out
    std::size_t pending_requests = 0;  // bytes that joined what was pending
    FrameReader coming;
    Word promised = 0;               // what it has asked room for and got
    std::uint64_t no_memory_at = 0;  // since when its next frame waits for memory; 0: it does not
    std::uint64_t next_try = 0;
    std::uint64_t next_probe = 0;
    // Who of this realm asks for room there, with which word.
    Term asking = Term::nil();
    Word asked = 0;
    std::uint64_t asked_at = 0;  // last
    unsigned unserved = 0;
    std::size_t unserved_bytes = 0;
    wire::Limits limits;
    IncomingBinaries binaries;  // of its next frame
  };

  bool add_peer(std::uint32_t realm, std::uint32_t number, const platform::ChannelMemory& memory);
  Peer* find(std::uint32_t realm);
  // The way to a realm.
  struct Way {
    Peer* peer;  // null: there is none
    bool neighbour;
  };
  Way way(std::uint32_t realm);
  // Without `binaries`, long ones are copied.
  Sent encode_along(const Way& there, std::uint32_t realm, Frame::Kind kind, Word target,
                    Term value, Term* refused, OutgoingBinaries* binaries = nullptr);
  Sent encode(Peer& peer, const Frame::Head& head, Term value, Term* refused = nullptr,
              const Route* route = nullptr, OutgoingBinaries* binaries = nullptr);
  Sent put_frame(Peer& peer);
  static bool flush(Peer& peer);
  bool receive(Worker& w, Peer& peer);
  enum class Took : std::uint8_t { kAll, kHeld, kBroken };
  Took take_frames(Worker& w, Peer& peer);
  bool is_for_service(Worker& w, const Frame& frame);
  // open_routed, for who is to get it.
  bool open(Worker& w, const Frame& frame, Route& route, Frame& inside);
  bool service_has_room(Worker& w, const Peer& peer);
  bool has_room(Worker& w, const Peer& peer, const Frame& frame);
  Took take_frame(Worker& w, Peer& peer, const Frame& frame, std::uint32_t from);
  Took take_routed(Worker& w, Peer& peer, const Frame& frame);
  // Memory (realm/room.cpp).
  Sent asked_room(Peer& peer, Process& p);
  Sent ask_room(Peer& peer, Process& p, Term value);
  static void unask(Peer& peer);
  static std::size_t longest_to(const Peer& peer);
  static std::size_t spare_memory();
  Sent no_memory(Process& p);
  void make_room(Worker& w, Peer& peer);
  static bool secure(Peer& peer, const Room& room);
  Took wait_for_memory(Worker& w, Peer& peer);
  void relieve(Worker& w);
  // Requests (realm/signals.cpp); false without memory.
  bool take_request(Worker& w, Peer& peer, std::uint32_t from, Term value, std::size_t bytes);
  bool tell_service(Worker& w, Peer& peer, std::string_view what, std::uint32_t from, Term value,
                    std::size_t bytes);
  bool watch_for(Worker& w, Peer& peer, std::string_view what, std::uint32_t from, Term value,
                 std::size_t bytes, Term pid);
  bool end_own(Worker& w, Process& target, Term from, Term reason);
  bool tell_astray(Worker& w, Peer& peer, const Route& route);
  static void owes(Peer& peer, std::size_t bytes) {
    ++peer.unserved;
    peer.unserved_bytes += bytes;
  }
  Peer* onward(const Peer& peer, const Route& route);
  Took pass_on(Peer& next, const Frame& frame);
  static std::size_t longest_frame();
  // A process that a peer may mean: below, and beside, only one whose pid was told; null otherwise.
  Process* find_for(const Peer& peer, Term pid) const;
  static void mark_told(const ProcessTable& processes, Term pid);
  // For what is decoded or made next; what was there is delivered.
  Arena& clean_arena();
  bool deliver_term(Worker& w, Process* target, Term value);
  // The value in a fragment of its own; null without memory.
  Fragment* fragment_of(Worker& w, Term value);
  Process* service(Worker& w);
  void know_service(const Process* service);

  SpinLock lock_;
  const ProcessTable* processes_ = nullptr;
  Capabilities capabilities_;
  std::uint32_t own_ = 0;
  std::uint32_t parent_realm_ = ~std::uint32_t{0};
  Peer* peers_ = nullptr;
  Routes routes_;
  std::atomic<unsigned> children_{0};
  ByteBuffer frame_;  // being encoded
  Arena arena_;       // of what was decoded
  Term service_ = Term::nil();
  Term service_name_ = Term::nil();
  std::atomic<bool> holding_{false};
  std::atomic<std::uint64_t> lost_{0};
  Patience patience_;
  std::uint64_t relief_at_ = 0;    // not before
  std::uint64_t relief_wait_ = 0;  // longer each time that it was in vain
  unsigned turn_ = 0;              // of who asks for room
};

}  // namespace lona::vm

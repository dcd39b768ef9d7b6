// SPDX-License-Identifier: BSD-2-Clause
// What when there is no memory for what comes from another realm, or goes there?
//
// A sender looks at what the receiver says it can spare. A long message that may take more is not
// sent: its sender asks for room by a word in the ring's header, and waits, while others send on.
// The receiver sets aside the buffer for the frame, sees that there is memory for the value too,
// and answers with the same word. When it has not had the memory for five seconds, the sender's
// call fails. The words are hints: a lie harms who tells it.
//
// A frame that finds no memory all the same (a short one, or what was there has gone) waits with
// all behind it, five seconds too, then it is given up and counted. Whoever lacks memory gives up
// what it keeps for later and has all processes collect (`relieve`).
#include <algorithm>

#include "vm/heap/copy.hpp"
#include "vm/heap/off_heap.hpp"
#include "vm/process/worker.hpp"
#include "vm/realm/realms.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// Who has not asked for so long has ended, or been told so.
constexpr std::uint64_t kAskedLatelyNs = 100'000'000;
// Between two collections of everything: at first, for each process, and at most for few of them.
constexpr std::uint64_t kReliefNs = 1'000'000, kReliefOfProcessNs = 20'000;
constexpr std::uint64_t kReliefMostNs = 1'000'000'000;
// To see whether there is room may take a twentieth of the time.
constexpr std::uint64_t kProbePart = 20;

// Pages for a moment, to see whether they are there.
class Probe {
 public:
  explicit Probe(std::size_t bytes)
      : bytes_(bytes), pages_(bytes == 0 ? nullptr : platform::map_pages(bytes)) {}
  ~Probe() {
    if (pages_ != nullptr) platform::unmap_pages(pages_, bytes_);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  bool good() const { return bytes_ == 0 || pages_ != nullptr; }

 private:
  std::size_t bytes_;
  void* pages_;
};

}  // namespace

// What one frame may take without asking: half of what is left.
std::size_t Realms::spare_memory() {
  const platform::MemoryFigures memory = platform::memory_figures();
  return memory.limit > memory.mapped ? (memory.limit - memory.mapped) / 2 : 0;
}

// --- For senders
// -----------------------------------------------------------------------------------

// kOk: the message that this process has asked room for may go, if it has.
Realms::Sent Realms::asked_room(Peer& peer, Process& p) {
  if (peer.asked == 0 || peer.asking != p.pid()) return Sent::kOk;
  const std::uint64_t now = platform::now_ns();
  peer.asked_at = now;
  if (peer.out.granted() == peer.asked) return Sent::kOk;
  if (!patience_.over(p.pid(), now)) return Sent::kFull;
  unask(peer);
  return Sent::kNoRoom;
}

// For the frame in frame_.
Realms::Sent Realms::ask_room(Peer& peer, Process& p, Term value) {
  if (peer.asked != 0 && peer.asking == p.pid()) {
    unask(peer);  // it was granted
    return Sent::kOk;
  }
  const std::optional<std::size_t> words = copy_size(p, value);
  const Room room{.frame = frame_.size(), .heap = words.value_or(0) * sizeof(Word)};
  if (room.all() <= peer.out.spare()) return Sent::kOk;
  frame_.shrink(kBufferKept);
  if (!words || room.all() > kRoomOfLongest * longest_to(peer)) return Sent::kTooLong;
  const std::uint64_t now = platform::now_ns();
  const bool over = patience_.over(p.pid(), now);
  if (peer.asked != 0 && now - peer.asked_at < kAskedLatelyNs) {
    return over ? Sent::kNoRoom : Sent::kFull;  // it is another one's turn
  }
  peer.asking = p.pid();
  peer.asked = room.word(++turn_);
  peer.asked_at = now;
  peer.out.want(peer.asked);
  platform::signal_peer(peer.number);
  return Sent::kFull;
}

void Realms::unask(Peer& peer) {
  peer.asking = Term::nil();
  peer.asked = 0;
  peer.out.want(0);
}

Realms::Sent Realms::no_memory(Process& p) {
  frame_.shrink(0);
  relieve(*p.worker_);
  return patience_.over(p.pid(), platform::now_ns()) ? Sent::kNoMemory : Sent::kFull;
}

std::size_t Realms::longest_to(const Peer& peer) {
  return std::clamp<std::size_t>(peer.out.longest(), kFrameLeast, kFrameMost);
}

std::size_t Realms::longest_to(std::uint32_t realm) {
  Guard guard(lock_, true);
  const Way there = way(realm);
  return there.peer == nullptr ? 0 : longest_to(*there.peer);
}

// --- For receivers
// ---------------------------------------------------------------------------------

void Realms::make_room(Worker& w, Peer& peer) {
  peer.in.say_spare(spare_memory());
  if (peer.asked != 0 && platform::now_ns() - peer.asked_at > kAskedLatelyNs) unask(peer);
  const Word wanted = peer.in.wanted();
  if (wanted == peer.promised) return;
  (void)peer.coming.promise(0);
  peer.promised = 0;
  const Room room = Room::of(wanted);
  if (room.frame == 0 || room.frame > peer.coming.most() + platform::kPageSize ||
      room.all() > kRoomOfLongest * peer.coming.most()) {
    return;  // nothing, or what never has room
  }
  const std::uint64_t start = platform::now_ns();
  if (start < peer.next_probe || !secure(peer, room)) {
    holding_.store(true, std::memory_order_relaxed);
    if (start >= peer.next_probe) relieve(w);
  } else {
    peer.promised = wanted;
    peer.in.grant(wanted);
    platform::signal_peer(peer.number);
    relief_wait_ = relief_at_ = 0;
  }
  const std::uint64_t end = platform::now_ns();
  if (start >= peer.next_probe) peer.next_probe = end + kProbePart * (end - start);
}

bool Realms::secure(Peer& peer, const Room& room) {
  if (room.all() <= spare_memory()) return true;
  if (!peer.coming.promise(room.frame)) return false;
  const Probe content(room.frame), decoded(room.heap), delivered(room.heap);
  if (content.good() && decoded.good() && delivered.good()) return true;
  (void)peer.coming.promise(0);
  return false;
}

// The peer's next frame, of which nothing has been done, is tried again later (kHeld) or was given
// up (kAll).
Realms::Took Realms::wait_for_memory(Worker& w, Peer& peer) {
  const std::uint64_t now = platform::now_ns();
  if (peer.no_memory_at == 0) peer.no_memory_at = now;
  if (now - peer.no_memory_at >= Patience::kLongestNs) {
    peer.no_memory_at = peer.next_try = 0;
    peer.coming.pass();
    peer.binaries.done();
    lost_.fetch_add(1, std::memory_order_relaxed);
    return Took::kAll;
  }
  relieve(w);
  peer.next_try = std::min(relief_at_, now + kReliefMostNs);
  return Took::kHeld;
}

void Realms::relieve(Worker& w) {
  for (Peer* peer = peers_; peer != nullptr; peer = peer->next) peer->coming.tidy();
  arena_.clear();
  w.allocator.trim();
  trim_off_heap();
  const std::uint64_t now = platform::now_ns();
  if (now < relief_at_) return;
  const Vm::State& s = w.vm.state();
  for (std::uint32_t i = 0; i < s.table.slots(); ++i) {
    Process* p = s.table.at(i);
    if (p == nullptr) continue;
    p->asked_to_collect_.store(true, std::memory_order_relaxed);
    wake(w, *p);
  }
  const std::uint64_t least = std::max(kReliefNs, s.table.count() * kReliefOfProcessNs);
  relief_wait_ = std::clamp(2 * relief_wait_, least, std::max(least, kReliefMostNs));
  relief_at_ = now + relief_wait_;
}

}  // namespace lona::vm

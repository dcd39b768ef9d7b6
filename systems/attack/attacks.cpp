// SPDX-License-Identifier: BSD-2-Clause
// The attacks, by their names. Each goes on until somebody stops it.
#include "systems/attack/realm.hpp"

namespace attack {

namespace {

constexpr abi::Address kPool = abi::kPoolRange.start;
constexpr abi::Address kInheritedPage = abi::kCoreData.start;

// Not a secret; only different from call to call.
std::uint64_t next_random() {
  static constinit std::uint64_t state = 0x853c49e6748fea9b;
  state = state * 6364136223846793005 + 1442695040888963407;
  return state ^ state >> 31;
}

void exhaust_memory() {
  for (std::uint64_t at = 0;; ++at) {
    (void)ask(Request::kMapPages, kPool + at % (1 << 20) * abi::kSmallPage, 1, 12);
  }
}

void storm_pages() {
  while (true) {
    (void)ask(Request::kMapPages, kPool, 16, 12);
    (void)ask(Request::kUnmapPages, kPool, 16, 12);
  }
}

// Each page is a fault that the manager serves, until the guard.
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth == -1 ? 0 : recurse(depth + 1) + frame[0];
}

void storm_realms(std::string_view name) {
  while (true) {
    const std::uint64_t half = ask(Request::kFigures).words.mr2 / 2;
    std::uint64_t memory = kUsualMemory;
    while (memory * 2 <= half) memory *= 2;
    const Child child = start(name, memory);
    if (child.status != Status::kOk) (void)abi::wait(abi::kRealmSlotNotification);
  }
}

void churn_realms() {
  while (true) {
    const Child child = start("spins");
    if (child.status == Status::kOk) (void)ask(Request::kTerminateRealm, child.realm);
  }
}

void flood_endpoint() {
  while (true) {
    abi::nb_send(abi::kRealmSlotManager,
                 abi::MessageInfo(static_cast<std::uint64_t>(Request::kFigures), 0, 0, 0));
  }
}

// Any label, any length, any words; now and then a right one with a wrong word.
void send_garbage() {
  constexpr std::uint64_t kLabels[] = {0x100, 0x101, 0x102, 0x103, 0x104, 0x110, 0x111, 0x112,
                                       0x114, 0x115, 0x116, 0x120, 0x121, 0x128, 0x129, 0x12a,
                                       0x106, 0x117, 0x118, 0x122, 0x123, 0x124, 0x125, 0x126,
                                       0x130, 0x131, 0x132, 0x133, 0x134};
  while (true) {
    std::uint64_t words[abi::kMsgMaxLength];
    for (std::uint64_t& word : words) {
      const std::uint64_t random = next_random();
      word = random % 4 == 0 ? random >> 40 : random % 4 == 1 ? kPool + (random >> 44) : random;
    }
    const std::uint64_t label = next_random() % 2 == 0 ? kLabels[next_random() % std::size(kLabels)]
                                                       : next_random() % 0x200;
    if (label == static_cast<std::uint64_t>(Request::kExit)) continue;
    (void)ask_words(static_cast<Request>(label), words,
                    static_cast<unsigned>(next_random() % (abi::kMsgMaxLength + 1)));
  }
}

// Invokes whatever is at any address of the capability space, with any method.
void scan_capabilities() {
  while (true) {
    const std::uint64_t random = next_random();
    const std::uint64_t slot = random % 3 == 0 ? random >> 8 : random >> 8 & 0xff;
    if (slot == abi::kRealmSlotManager) continue;
    abi::ipc_buffer().caps_or_badges[0] = next_random() & 0xff;
    abi::nb_send(slot, abi::MessageInfo(next_random() % 80, 0, next_random() % 4, 6),
                 {next_random() & 0xff, next_random() & 0xff, next_random() & 0xff, 4096});
  }
}

// The page is neither this realm's to have mapped or taken away, nor to write.
void write_what_is_inherited() {
  const std::uint64_t seen = inherited_word();
  (void)ask(Request::kUnmapPages, kInheritedPage, 1, 12);
  (void)ask(Request::kMapPages, kInheritedPage, 1, 12);
  inherited_word() = ~seen;
  while (true) inherited_word() = inherited_word() + 1;
}

void storm_deadlines() {
  while (true) (void)ask(Request::kSetDeadline, tick() + 1);
}

// Helpers that spin instead of waiting, and are started anew all the time.
void storm_helpers() {
  std::uint64_t made = 0;
  while (ask(Request::kMakeHelper, made).status == Status::kOk) ++made;
  while (true) {
    for (std::uint64_t at = 0; at < made; ++at) {
      (void)ask(Request::kMakeHelper, at);
      (void)ask(Request::kRestartHelper, at);
    }
  }
}

void storm_signals() {
  while (true) abi::signal(abi::kRealmSlotParent);
}

void storm_log() {
  while (true) say("a line that nobody wants to read, again and again and again and again");
}

void break_channel() {
  auto* words = reinterpret_cast<volatile std::uint64_t*>(abi::kParentChannel);
  while (true) words[next_random() % (abi::kChannelSize / 8)] = next_random();
}

// --- On a channel to a realm beside it: the second ring is this one's to write -------------------

base::ByteRing* rings() {
  return reinterpret_cast<base::ByteRing*>(abi::child_channel(abi::kFirstPeer));
}
void wake_neighbour() {
  abi::signal(abi::kRealmSlotChildren + abi::kFirstPeer);
}
constexpr std::uint64_t kEntry = 64;
constexpr std::uint64_t kEntries = base::ByteRing::kCapacity / kEntry;
static_assert(kEntries * kEntry == base::ByteRing::kCapacity);
// A frame that fills an entry: size of the content, kind, receiver.
void put_entry(std::uint64_t entry, std::uint32_t size) {
  auto* words = reinterpret_cast<volatile std::uint32_t*>(rings()[1].bytes + entry * kEntry);
  words[0] = size;
  words[1] = 1;
}

// Counts that cannot be, of its own ring and the other one.
void lie_about_counts() {
  while (true) {
    rings()[1].written.store(next_random() >> next_random() % 64);
    rings()[0].taken.store(next_random() >> next_random() % 64);
    rings()[1].longest.store(next_random());
    rings()[0].full.store(1);
    wake_neighbour();
  }
}

// Says again and again that the same entries are new.
void repeat_entries() {
  for (std::uint64_t entry = 0; entry < kEntries; ++entry) put_entry(entry, kEntry - 16);
  std::uint64_t written = 0;
  while (true) {
    if (rings()[1].taken.load() != written) continue;
    written += base::ByteRing::kCapacity;
    rings()[1].written.store(written);
    wake_neighbour();
  }
}

// Changes entries that are being looked at, also to sizes that cannot be.
void change_entries() {
  constexpr std::uint32_t kSizes[] = {kEntry - 16, 0, kEntry, 0xffff'fff0, 1 << 20};
  for (std::uint64_t entry = 0; entry < kEntries; ++entry) put_entry(entry, kEntry - 16);
  while (true) {
    rings()[1].written.store(rings()[1].taken.load() + base::ByteRing::kCapacity);
    put_entry(next_random() % kEntries, kSizes[next_random() % std::size(kSizes)]);
  }
}

// --- Capabilities of others
// -----------------------------------------------------------------------

// Takes what others were offered, offers what it does not have, and puts other things into slots
// that the manager has filled.
void steal_capabilities() {
  (void)ask(Request::kMakeObject, abi::ObjectType::kEndpoint, 0, 1);
  for (std::uint64_t round = 0;; ++round) {
    const std::uint64_t realm = round % 2 == 0 ? 0 : next_random() % 4096;
    if (ask(Request::kTakeCapability, realm, 1 + next_random() % 4, next_random() % 4, 2).status ==
        Status::kOk) {
      say("FAILED: a capability of others was taken");
    }
    (void)ask(Request::kOfferCapability, next_random() % 256, 0, next_random() % 16, next_random());
    (void)ask(Request::kMakeObject, abi::ObjectType::kNotification, 0, 3 + next_random() % 8);
    (void)ask(Request::kFreeObject, 3 + next_random() % 8);
    (void)abi::cnode_delete({abi::kRealmSlotObjects, 1, 8});
    (void)abi::cnode_copy({abi::kRealmSlotObjects, 1, 8}, {abi::kRealmSlotObjects, 4, 8},
                          abi::kAllRights);
    (void)ask(Request::kLostCapabilities);
  }
}

// Answers calls that nobody has made, with whatever might be a reply or a scheduling context.
void answer_nobody() {
  while (true) {
    const std::uint64_t slot = next_random() & 0x3f;
    if (slot == abi::kRealmSlotManager) continue;
    const abi::MessageInfo info(next_random() % 80, 0, next_random() % 4, next_random() % 8);
    abi::signal(abi::kRealmSlotNotification);
    (void)abi::nb_send_recv(slot, info, {slot, next_random(), 0, 0}, abi::kRealmSlotNotification,
                            next_random() & 0x3f);
  }
}

// Shared regions, as large as can be had, come and go.
void storm_regions() {
  for (std::uint64_t bytes = 8 << 20;;) {
    const Answer made = ask(Request::kMakeRegion, bytes, 1, 'r');
    if (made.status != Status::kOk) {
      bytes = bytes == 4096 ? 8 << 20 : bytes / 2;
      continue;
    }
    (void)ask(Request::kReleaseRegion, made.words.mr1);
  }
}

// --- With the endpoint of another realm ----------------------------------------------------------

constexpr std::uint64_t kOrders = abi::kChannelSize / 8 - 8;  // words at the end of a channel
volatile std::uint64_t* orders(abi::Address channel) {
  return reinterpret_cast<volatile std::uint64_t*>(channel) + kOrders;
}

// Sends its own endpoint of the manager, over one that it has made, to the realm beside it.
void lend_own_endpoint() {
  auto* order = orders(abi::kParentChannel);
  while (order[0] == 0) abi::yield();
  (void)ask(Request::kMakeObject, abi::ObjectType::kEndpoint, 0, 0);
  (void)ask(Request::kOfferCapability, 0, order[0], abi::kAllRights.raw(), 0);
  constexpr unsigned kManyBits = 12;
  (void)ask(Request::kMakeObject, abi::ObjectType::kCNode, kManyBits, 1);
  for (std::uint64_t at = 0; at < 1 << kManyBits; ++at) {
    (void)abi::cnode_copy({abi::kObjectSlots + 1, at, kManyBits},
                          {abi::kRealmSlotObjects, 0, abi::object_bits(abi::kChildCSpaceBits)},
                          abi::kAllRights);
  }
  order[1] = 1;
  abi::ipc_buffer().caps_or_badges[0] = abi::kRealmSlotManager;
  while (true) abi::send(abi::kObjectSlots, abi::MessageInfo(0, 0, 1, 0));
}

// Makes requests in the name of the realm beside it, for as long as there is anybody to hear them.
void borrow_endpoint() {
  auto* order = orders(abi::kParentChannel);
  while (order[0] == 0) abi::yield();
  (void)ask(Request::kMakeObject, abi::ObjectType::kReply, 0, 2);
  (void)ask(Request::kTakeCapability, order[0], 1, abi::kAllRights.raw(), 0);
  abi::ipc_buffer().receive_cnode = abi::kRealmSlotObjects;
  abi::ipc_buffer().receive_index = 1;
  abi::ipc_buffer().receive_depth = abi::object_bits(abi::kChildCSpaceBits);
  (void)abi::recv(abi::kObjectSlots, abi::kObjectSlots + 2);
  order[1] = 1;
  const auto request = [](Request what, unsigned count, const abi::MessageWords& words) {
    return abi::call(abi::kObjectSlots + 1,
                     abi::MessageInfo(static_cast<std::uint64_t>(what), 0, 0, count), words);
  };
  constexpr std::uint64_t kMiB = 1 << 20;
  const abi::MessageInfo empty_slot(static_cast<std::uint64_t>(abi::Error::kInvalidCapability), 0,
                                    0, 1);
  abi::Message last;
  while (last.info.raw() != empty_slot.raw()) {
    abi::ipc_buffer().msg[4] = 0;
    abi::ipc_buffer().msg[5] = 5;
    std::memcpy(&abi::ipc_buffer().msg[6], "spins", 6);
    last = request(Request::kCreateRealm, 7, {kMiB, kMiB, 0, abi::kNoShare});
    if (last.info.label() != 0) continue;
    last = request(Request::kTerminateRealm, 1, {last.words.mr0, 0, 0, 0});
  }
  order[1] = 2;
}

// Ends realms whose endpoints others have and use: from then on nobody serves them, and their calls
// end with the endpoint.
void end_what_is_lent() {
  while (true) {
    const Child borrower = start("borrows"), lender = start("lends");
    auto* to_borrower = orders(abi::child_channel(borrower.number));
    auto* to_lender = orders(abi::child_channel(lender.number));
    if (borrower.status != Status::kOk || lender.status != Status::kOk) return;
    to_lender[0] = borrower.realm;
    while (to_lender[1] == 0) abi::yield();
    to_borrower[0] = lender.realm;
    while (to_borrower[1] == 0) abi::yield();
    const std::uint64_t end = tick() + next_random() % ticks_of_ms(3);
    while (tick() < end) asm volatile("pause");
    // So that the service's time is up in the middle of it.
    for (std::uint64_t left = next_random() % 400; left > 0; --left) (void)ask(Request::kFigures);
    (void)ask(Request::kTerminateRealm, lender.realm);
    const std::uint64_t ended = tick();
    while (to_borrower[1] != 2 && tick() < ended + ticks_of_ms(50)) abi::yield();
    if (to_borrower[1] != 2) say("FAILED: proxies: a realm that has ended was served");
    (void)ask(Request::kTerminateRealm, borrower.realm);
  }
}

// Calls the manager and lends it its capabilities with each call.
void lend_capabilities() {
  while (true) {
    for (auto& word : abi::ipc_buffer().caps_or_badges) word = next_random() & 0x3f;
    (void)abi::call(abi::kRealmSlotManager,
                    abi::MessageInfo(static_cast<std::uint64_t>(Request::kFigures), 0,
                                     1 + next_random() % 3, 0));
  }
}

// Takes its memory in pieces of all sizes and gives half of them back, so that it is in crumbs.
void crumble_memory() {
  while (true) {
    const std::uint64_t count = 1 + next_random() % 9;
    const abi::Address at = kPool + next_random() % 4096 * 16 * abi::kSmallPage;
    (void)ask(Request::kMapPages, at, count, 12);
    if (next_random() % 2 == 0) (void)ask(Request::kUnmapPages, at, count, 12);
  }
}

// Runs code that it has written itself, which the hardware allows and which has no more rights than
// the realm; then writes to the text that all realms share.
[[noreturn]] void patch_text() {
  (void)ask(Request::kMapPages, kPool, 1, 12);
  auto* code = reinterpret_cast<volatile std::uint8_t*>(kPool);
  code[0] = 0xc3;  // ret
  reinterpret_cast<void (*)()>(kPool)();
  *reinterpret_cast<volatile std::uint8_t*>(&patch_text) = 0xc3;
  __builtin_unreachable();
}

// As many kernel objects of all kinds as there is memory for, most of them given back again.
void storm_objects() {
  if (ask(Request::kMakeObject, abi::ObjectType::kTcb, 0, 0).status != Status::kOk) {
    say("FAILED: objects: there is no thread");
  }
  while (true) {
    const std::uint64_t slot = next_random() & 0xff;
    const bool made =
        ask(Request::kMakeObject, next_random() % abi::kObjectTypeCount, next_random() % 22, slot)
            .status == Status::kOk;
    if (!made || next_random() % 3 != 0) (void)ask(Request::kFreeObject, next_random() & 0xff);
  }
}

// An untyped within an untyped within an untyped, down to the smallest, all slots full of what was
// made of the last ones and of copies; then the first is revoked.
void revoke_deep_trees() {
  constexpr unsigned kSlotsBits = abi::object_bits(abi::kChildCSpaceBits);
  constexpr unsigned kSlots = 1 << kSlotsBits;
  constexpr unsigned kFirstBits = 16, kLastBits = 9;
  const auto slot = [](std::uint64_t index) {
    return abi::SlotAddress{abi::kRealmSlotObjects, index, kSlotsBits};
  };
  (void)ask(Request::kMakeObject, abi::ObjectType::kUntyped, kFirstBits, 0);
  while (true) {
    const abi::SlotAddress node{abi::kRealmSlotObjects, 0, 0};
    unsigned at = 0;
    for (unsigned bits = kFirstBits - 1; bits >= kLastBits; --bits, ++at) {
      (void)abi::untyped_retype(abi::kObjectSlots + at, abi::ObjectType::kUntyped, bits, node,
                                at + 1, 1);
    }
    if (abi::untyped_retype(abi::kObjectSlots + at, abi::ObjectType::kEndpoint, 0, node, at + 1,
                            16) != abi::Error::kNone) {
      say("FAILED: revokes: there is no tree");
      return;
    }
    for (unsigned to = at + 17; to < kSlots; ++to) {
      const unsigned from = at + 1 + static_cast<unsigned>(next_random() % (to - at - 1));
      (void)(next_random() % 2 == 0
                 ? abi::cnode_copy(slot(to), slot(from), abi::kAllRights)
                 : abi::cnode_mint(slot(to), slot(from), abi::kAllRights, next_random() | 1));
    }
    (void)abi::cnode_revoke(slot(next_random() % 2 == 0 ? 0 : next_random() % kSlots));
    (void)abi::cnode_revoke(slot(0));
  }
}

void yield_for_ever() {
  while (true) abi::yield();
}

constexpr std::uint64_t kFirstRealm = 0;

// Writes a binary, gives it away, and writes it once more.
[[noreturn]] void change_what_was_given() {
  const Answer made = ask(Request::kMakeBinary, kFirstRealm, 1 << 20);
  auto* bytes = reinterpret_cast<volatile std::uint8_t*>(abi::binary_window(made.words.mr1));
  bool good = made.status == Status::kOk;
  if (good) bytes[0] = 1;
  good = good && ask(Request::kGiveBinary, made.words.mr0, kFirstRealm).status == Status::kOk;
  if (!good || bytes[0] != 1) say("FAILED: seals: there is no binary to be given");
  bytes[0] = 2;
  say("FAILED: seals: a binary was changed that had been given away");
  while (true) abi::yield();
}

// Binaries that nobody takes, as many as its parent's memory has room for; numbers that are
// guessed.
void storm_binaries() {
  while (true) {
    const std::uint64_t size = abi::kLeastBinary + next_random() % (2 << 20);
    const Answer made = ask(Request::kMakeBinary, next_random() % 4, size);
    const std::uint64_t binary = next_random() % 2 == 0 ? made.words.mr0 : 1 + next_random() % 1000;
    const auto more =
        static_cast<Request>(static_cast<std::uint64_t>(Request::kGiveBinary) + next_random() % 4);
    (void)ask(more, binary, next_random() % 4 == 0 ? abi::kNoRealm : next_random() % 4);
  }
}

}  // namespace

bool attack(std::string_view name) {
  if (name == "memory") exhaust_memory();
  if (name == "pages") storm_pages();
  if (name == "faults") (void)recurse(0);
  if (name == "bombs") storm_realms(name);
  if (name == "churn") churn_realms();
  if (name == "floods") flood_endpoint();
  if (name == "garbage") send_garbage();
  if (name == "scans") scan_capabilities();
  if (name == "writes") write_what_is_inherited();
  if (name == "deadlines") storm_deadlines();
  if (name == "signals") storm_signals();
  if (name == "helpers") storm_helpers();
  if (name == "logs") storm_log();
  if (name == "channel") break_channel();
  if (name == "yields") yield_for_ever();
  if (name == "replies") answer_nobody();
  if (name == "calls") lend_capabilities();
  if (name == "regions") storm_regions();
  if (name == "proxies") end_what_is_lent();
  if (name == "lends") lend_own_endpoint();
  if (name == "borrows") borrow_endpoint();
  if (name == "crumbs") crumble_memory();
  if (name == "indices") lie_about_counts();
  if (name == "repeats") repeat_entries();
  if (name == "changes") change_entries();
  if (name == "thefts") steal_capabilities();
  if (name == "jumps") reinterpret_cast<void (*)()>(~std::uint64_t{0} << 40)();
  if (name == "patches") patch_text();
  if (name == "seals") change_what_was_given();
  if (name == "binaries") storm_binaries();
  if (name == "objects") storm_objects();
  if (name == "revokes") revoke_deep_trees();
  if (name == "lingers") asm volatile("ud2");
  if (name == "spins") {
    while (true) asm volatile("");
  }
  return false;
}

}  // namespace attack

// SPDX-License-Identifier: BSD-2-Clause
// Requests of a realm to the manager: a Call on kRealmSlotManager. The label of the message is the
// request, its words the arguments; the label of the reply is the status, its words the results.
#pragma once

#include <cstdint>

namespace lona::abi {

enum class Request : std::uint64_t {
  // address, number of pages, page bits (12 or 21) → nothing. Zeroed memory of the process pool, or
  //   of the realm's own level: that stays until the realm's end, and realms below read it.
  kMapPages = 0x100,
  // address, number of pages, page bits → nothing. Exactly what one kMapPages gave, in the pool.
  kUnmapPages = 0x101,
  // → limit, mapped, and bytes that the whole system has free
  kFigures = 0x102,
  // tick (time stamp counter) at which kSignalDeadline comes; kNoDeadlineTick disarms → nothing
  kSetDeadline = 0x103,
  // length, then bytes packed into words → nothing. A line for the system's log; only so many in a
  //   second (kOverLimit).
  kLog = 0x104,
  // status, and if there is a text its length and its bytes packed into words → never answered. The
  //   realm has done its work, or cannot go on: then the text says why.
  kExit = 0x105,
  // bytes → nothing. So much more is set aside for the realm now, and no more of what it has grown
  //   by than it uses: the rest goes back to its parent, as it does when pages are given back.
  kRequestMemory = 0x106,

  // A realm and its children. A realm number names one realm only, for ever.
  //
  // bytes of memory set aside, bytes that it may have, cpu reserve, cpu share, faults in a second
  //   (0: kFaultsPerSecond), length of the name, then the name packed into words
  //   → realm number, child number. A new realm, dormant. Reserves and shares are in millionths of
  //   one processor; a share of kNoShare is as much as there is.
  kCreateRealm = 0x110,
  // realm number of a child → nothing. Starts a dormant one, or one that is suspended.
  kRunRealm = 0x111,
  // realm number of a child → nothing. It stands still until kRunRealm.
  kSuspendRealm = 0x112,
  // realm number of a child → nothing. The realm and all below it are gone, and what they had is
  //   this realm's again.
  kTerminateRealm = 0x113,
  // realm number: this realm's or one below it → parent, state, memory limit, memory set aside,
  //   memory in use, cpu share, cpu reserve, microseconds of cpu used, children, faults, bytes of
  //   its parent's memory that it has cost, bytes of these that nothing is in, length of the name,
  //   name
  kRealmInfo = 0x114,
  // realm number as above, how many to skip → how many follow, up to kChildListMax, their numbers
  kChildRealms = 0x115,
  // → realm number of a child that has ended and was not told of yet, or kNoRealm; its exit status
  //   (kEndedByFault: a fault), length of a text, the text: what the fault was
  kNextEnded = 0x116,

  // realm numbers of two children → the number of a channel between them in each: channels like
  //   those to children, the first one of the two writes the first ring. Also when there is one.
  kConnectRealms = 0x117,
  // two realm numbers → nothing. Their VMs do not use the channel any more.
  kDisconnectRealms = 0x118,

  // Objects of the kernel's. Slots are numbers within the realm's object slots (realm_start.hpp).
  //
  // object type, size bits, slot → nothing. A new object of the kernel's, made of the realm's
  //   memory, and the capability to it in the slot. Threads can run in an address space (kPml4).
  kMakeObject = 0x120,
  // slot that was given to kMakeObject → nothing. The object, and what was made of it, is gone,
  //   wherever capabilities to it are; its memory is the realm's again.
  kFreeObject = 0x121,
  // interrupt, slot → nothing. Of the first realm only: the handler of an interrupt that the
  //   manager does not use. Below 24: a pin of the first I/O APIC; above: messages of that vector.
  kMakeIrqHandler = 0x122,
  // core, slot → nothing. Of the first realm only: authority over processor time on that core.
  kGiveSchedControl = 0x123,
  // number → nothing. A helper: a thread that waits in the kernel for a process. The first one has
  //   number 0, the next one 1. It starts with kRestartHelper, as a worker does, but with the
  //   address of its area in rdi, and kFirstHelper more for its number.
  kMakeHelper = 0x124,
  // number → nothing. That helper starts, or starts anew: what it has waited for it does not wait
  // for
  //   any more.
  kRestartHelper = 0x125,

  // Capabilities that go from realm to realm: endpoints and notifications that were made by
  // kMakeObject, or taken. What is offered has a number of the realm that offers.
  //
  // slot, realm, rights, badge → number. That realm may take what the slot was filled with, with at
  //   most these rights. A badge of 0 is none, or the one that is there. An offer ends with the
  //   object, or with one of the two realms; the same offer made again is the same number.
  kOfferCapability = 0x128,
  // realm that offers, number, rights, slot → object type. Puts the capability into the slot.
  //   kFreeObject gives it back.
  kTakeCapability = 0x129,
  // → how many follow, up to kLostListMax, slots. What was taken into these is gone, as if it had
  //   been given back.
  kLostCapabilities = 0x12a,

  // first port, last port, slot → nothing. Of the first realm only: I/O ports that nobody has.
  // Those
  //   of the interrupt controllers, the timer, the clock and the PCI configuration are for nobody.
  kGivePorts = 0x126,

  // Shared regions: memory of one realm that it lets realms below it see. A region's number names
  // one region only, for ever. Where a realm sees it is told by a place: region_window(place). An
  // answer begins with the places whose regions were taken away since the last such answer, a bit
  // for each; they may be used anew.
  //
  // bytes, length of the name, name → places, number, place. Zeroed memory, in whole pages of a
  //   power of two.
  kMakeRegion = 0x130,
  // number of an own region, number of a realm below this one, 1 to let it write → places
  kShareRegion = 0x131,
  // number of an own region, realm → places
  kUnshareRegion = 0x132,
  // number, or kNoRegion and then length of a name, name: one that was shared with this realm
  //   → places, number, place, bytes, 1 when it may be written, realm that made it, length of the
  //   name, name
  kFindRegion = 0x133,
  // number of an own region → places. It is gone, also for those it was shared with.
  kReleaseRegion = 0x134,

  // Shared binaries: bytes that several realms read and nobody can change. Who has one sees it at
  //   binary_window(place) until it lets go. The memory is of the realm above all that have it:
  //   this one's for realms below, the parent's for the parent and its other children. A binary's
  //   number names one only, for ever.
  //
  // realm to which it will be given: this one's child, parent, or another child of that; bytes
  //   → number, place, dirty. Memory that this realm alone sees, to be filled. Its first `dirty`
  //   bytes may be of binaries that this realm has made before and nobody has any more, the others
  //   are zero. All of the last large page is seen by who gets it.
  kMakeBinary = 0x150,
  // number of one that this realm has, realm as above → nothing. The realm may take it once more;
  //   from now on nobody can write it.
  kGiveBinary = 0x151,
  // number of one that was given to this realm, the realm that gave it → place, bytes. Also when
  //   this realm has it already.
  kTakeBinary = 0x152,
  // number, kNoRealm → nothing. This realm does not look at it any more.
  // number, realm that gave it → nothing. It is not taken this time.
  kDropBinary = 0x153,
  // number of one that this realm has given away, the realm → nothing. That may not take it once
  //   less.
  kTakeBackBinary = 0x154,
};

inline constexpr std::uint64_t kNoRegion = 0;
inline constexpr std::uint64_t kNoBinary = 0;
inline constexpr std::uint64_t kLeastBinary = 192 << 10;
inline constexpr std::uint64_t kRegionNameMax = 63;
// A fault in the window of a region that was taken away does not stop the realm: the thread goes on
// behind the instruction, which is taken to be this long. REP MOVSQ is, and REP MOVSB with an empty
// REX prefix; what they have not copied is in RCX.
inline constexpr std::uint64_t kRegionCopyLength = 3;

enum class RealmState : std::uint64_t { kDormant, kRunning, kSuspended, kTerminated };

inline constexpr std::uint64_t kNoShare = ~std::uint64_t{0};
inline constexpr std::uint64_t kWholeCpu = 1'000'000;
inline constexpr std::uint64_t kLeastShare = 100;
inline constexpr std::uint64_t kLeastReserve = 10'000;
inline constexpr std::uint64_t kFaultsPerSecond = 1'000;
inline constexpr std::uint64_t kMostFaultsPerSecond = 1'000'000;
inline constexpr std::uint64_t kLeastRealmMemory = 1ULL << 20;
inline constexpr std::uint64_t kMostRealmMemory = 1ULL << 40;
inline constexpr std::uint64_t kChildListMax = 64;
inline constexpr std::uint64_t kEndedByFault = ~std::uint64_t{0};
inline constexpr std::uint64_t kEndTextMax = 640;

inline constexpr std::uint64_t kMostAddressSpaces = 2;  // of one realm, besides its own
inline constexpr std::uint64_t kOffersToOne = 64;       // of one realm, to one other
inline constexpr std::uint64_t kTakenOfOne = 64;        // by one realm, from one other
inline constexpr std::uint64_t kLostListMax = 64;
inline constexpr std::uint64_t kInterruptPins = 24;
inline constexpr std::uint64_t kInterruptVectors = 108;
inline constexpr std::uint64_t kPorts = 1 << 16;

inline constexpr std::uint64_t kNoDeadlineTick = ~std::uint64_t{0};
inline constexpr std::uint64_t kMapPagesMax = 512;          // pages of one request
inline constexpr std::uint64_t kMapBytesMax = 64ULL << 20;  // bytes of one request
inline constexpr std::uint64_t kLogMax = 512;               // bytes of one request

enum class Status : std::uint64_t {
  kOk = 0,
  kUnknownRequest = 1,
  kBadMessage = 2,   // too few or too many words
  kBadArgument = 3,  // a value outside its range, or misaligned
  kBadAddress = 4,   // not where the realm may have memory, already mapped, or not what was mapped
  kOutOfMemory = 5,  // the machine's memory is used up
  kOverLimit = 6,    // the realm's memory is used up
  kNoSuchRealm = 7,  // no realm of that number that this one may ask about
  kTooMany = 8,      // realms, children of this one, levels, spaces, regions, binaries, pages
  kBadState = 9,     // the realm, or the slot, is not in a state for that
  kNoSuchRegion = 10,
  kNoTime = 11,      // more of the processor than this realm can reserve
  kNotAllowed = 12,  // not to this realm
  kNoSuchBinary = 13,
};

}  // namespace lona::abi

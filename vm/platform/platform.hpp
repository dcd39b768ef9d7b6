// SPDX-License-Identifier: BSD-2-Clause
// What the VM needs of the world below it: pages, time, waiting, a console, files of its archive.
// Two implementations: platform/linux (a process of the host) and platform/sel4 (a realm). The
// realm's one speaks the host-link protocol on its console; the host's uses file descriptors.
//
// All functions are called by worker threads of the VM; the VM is started by platform code
// through `vm_main` below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lona::vm::platform {

inline constexpr std::size_t kPageSize = 4096;
// The bytes of the pages that so many bytes take.
constexpr std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kPageSize - 1) & ~(kPageSize - 1);
}

// --- Memory -------------------------------------------------------------------------------
// Zeroed, page-aligned, readable and writable memory; null when the realm's quota is used up.
// `bytes` is a multiple of kPageSize. Large requests are aligned to 2 MiB when that costs nothing.
void* map_pages(std::size_t bytes);
// Gives back pages of map_pages: all of a call's, or some, or those of several side by side.
void unmap_pages(void* address, std::size_t bytes);
// The same of the realm's own level: what realms below read, at the same addresses, while only this
// realm may write. Pages that are given back serve later calls; they stay the realm's until its
// end. The first call for code gives the level's first pages (`inherited_level` of the realms
// below).
enum class LevelPart : std::uint8_t { kCode, kBinaries };
void* map_level_pages(LevelPart part, std::size_t bytes);
void unmap_level_pages(void* address, std::size_t bytes);
// Where the code of the realm's ancestor at that depth starts; below this realm's own depth.
const void* inherited_level(std::uint32_t depth);
// Bytes this realm may have in all, and has now, for `memory figures` and limits.
struct MemoryFigures {
  std::size_t limit;
  std::size_t mapped;
};
MemoryFigures memory_figures();
// Bytes the machine really holds for it: the VM's own text and whatever was touched.
std::size_t resident_bytes();

// --- Threads ------------------------------------------------------------------------------
// A word of the calling thread's own, null at first: what a foreign library's callback, which is
// given nothing, finds its caller by.
void*& thread_slot();

// --- Time ---------------------------------------------------------------------------------
std::uint64_t now_ns();         // monotonic, from an arbitrary start
std::uint64_t wall_clock_ns();  // since 1970, 0 when unknown

// --- Workers --------------------------------------------------------------------------------
// Threads of the VM besides the one that runs vm_main, which is number 0. How many the machine and
// the user want in all; how many more can be started may be fewer.
unsigned worker_count();
bool start_worker(unsigned number, void (*body)(void*), void* argument);
void join_workers();  // waits until the bodies of all have returned
// Worker `number` sleeps until the deadline or until roused, which may have come before. Number 0
// sleeps in `wait` and is roused there.
void nap(unsigned number, std::uint64_t deadline_ns);
void rouse(unsigned number);
// Another worker waits for something that only the first one can do, in `poll` or `wait`.
bool first_is_wanted();
void yield_thread();

// --- Waiting ------------------------------------------------------------------------------
// Sleeps until input, an interrupt request (Ctrl-C), a window change or the deadline
// (`now_ns` scale; kNoDeadline for none). May return early for no reason.
inline constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};
void wait(std::uint64_t deadline_ns);
// Cheap poll, called once per scheduler slice: lets the platform notice events without sleeping.
void poll();
// True once after each Ctrl-C of the user.
bool take_interrupt();

// --- Console ------------------------------------------------------------------------------
enum class Stream : std::uint8_t { kOutput, kError };
// Writes all bytes; may buffer. Blocks (and still notices Ctrl-C) while the reader is slow.
// False when the reader has gone (closed pipe).
bool write(Stream stream, std::span<const std::uint8_t> bytes);
void flush();
// Takes up to buffer.size() bytes of standard input without blocking.
struct ReadResult {
  std::size_t bytes;
  bool end_of_input;  // no more bytes will ever come (and bytes == 0)
};
ReadResult read(std::span<std::uint8_t> buffer);
// Announces that somebody waits for input (grants credit to the host link).
void want_input();
struct Terminal {
  bool interactive;  // a person types: line editing, prompt, colours make sense
  bool color;
  std::uint16_t columns, rows;
};
Terminal terminal();

// --- Realms ---------------------------------------------------------------------------------
// The host's VM is a realm without others; what it asks for is kUnsupported.
inline constexpr std::uint32_t kNoRealm = ~std::uint32_t{0};
struct RealmIdentity {
  std::uint32_t realm, parent;
  std::uint32_t depth;  // 0: the first realm
};
RealmIdentity realm_identity();
enum class RealmError : std::uint8_t {
  kNone,
  kUnsupported,
  kNoMemory,
  kTooMany,
  kNoSuchRealm,
  kBadState,
  kBadArgument,
  kNoSuchRegion,
  kNoTime,
  kNotAllowed,
};
constexpr const char* describe(RealmError why) {
  constexpr const char* kNames[] = {
      "none",      "unsupported",  "no-memory",      "too-many", "no-such-realm",
      "bad-state", "bad-argument", "no-such-region", "no-cpu",   "not-allowed"};
  return kNames[static_cast<unsigned>(why)];
}
// A child, which does not run yet. Its number tells its channel; its share is in millionths of a
// processor, kNoShare: no limit.
struct NewRealm {
  RealmError error;
  std::uint32_t realm, number;
};
inline constexpr std::uint64_t kNoShare = ~std::uint64_t{0};
// What a realm may have: bytes set aside for it and the most it may get; parts of a processor that
// it is sure of and that it may use; faults in a second (0: as usual).
struct RealmPolicy {
  std::uint64_t memory_min, memory_max, cpu_min, cpu_max, faults;
};
NewRealm create_realm(std::string_view name, const RealmPolicy& policy);
enum class RealmCommand : std::uint8_t { kRun, kSuspend, kTerminate };
RealmError command_realm(RealmCommand command, std::uint32_t realm);
enum class RealmStatus : std::uint8_t { kDormant, kRunning, kSuspended, kTerminated };
struct RealmFigures {
  std::uint32_t parent;
  RealmStatus status;
  std::uint64_t memory_limit, memory_reserve, memory_used, share, reserve, time_us, children,
      faults;
  std::uint64_t memory_granted, memory_free;  // what it cost its parent, and what of it is empty
  std::size_t name_length;
  char name[32];
};
RealmError realm_figures(std::uint32_t realm, RealmFigures& figures);
// The children from `skip` on; how many.
std::size_t child_realms(std::uint32_t realm, std::uint64_t skip, std::span<std::uint32_t> out);
// True once after a child may have ended; then next_ended tells of each.
bool take_realm_event();
struct RealmEnd {
  std::uint32_t realm;
  bool fault;
  std::uint64_t status;  // without a fault
  std::size_t text_length;
  char text[640];
};
bool next_ended(RealmEnd& end);
// The rings to and from the parent or a child: base::ByteRing; null: there is no such.
inline constexpr std::uint32_t kParent = ~std::uint32_t{0};
struct ChannelMemory {
  void* out;
  void* in;
};
ChannelMemory channel(std::uint32_t number);
// A channel to another child of the same parent: its number is what that parent told, and of the
// two the first one writes the first ring.
bool is_peer_number(std::uint32_t number);
ChannelMemory peer_channel(std::uint32_t number, bool first);
// Between two children of this realm: its numbers in each.
struct PeerNumbers {
  RealmError error;
  std::uint32_t first, second;
};
PeerNumbers connect_realms(std::uint32_t first, std::uint32_t second);
RealmError disconnect_realms(std::uint32_t one, std::uint32_t other);
// Something is in the ring for that one, or has been taken from its own.
void signal_peer(std::uint32_t number);
// Shared regions (abi/lona/protocol.hpp): what the answer to a request is.
inline constexpr std::uint64_t kNoRegion = 0;
inline constexpr unsigned kRegionPlaces = 32;
struct SharedRegion {
  RealmError error = RealmError::kNone;
  std::uint64_t gone = 0;  // a bit for each place whose region was taken away
  std::uint64_t region = kNoRegion;
  std::uint32_t place = 0;
  std::uint64_t bytes = 0;
  bool writable = false;
  std::size_t name_length = 0;
  char name[64] = {};
};
SharedRegion make_region(std::uint64_t bytes, std::string_view name);
// By its number, or, for kNoRegion, by the name under which it was shared with this realm.
SharedRegion find_region(std::uint64_t region, std::string_view name);
// These answer with an error and what is gone only.
SharedRegion share_region(std::uint64_t region, std::uint32_t realm, bool writable);
SharedRegion unshare_region(std::uint64_t region, std::uint32_t realm);
SharedRegion release_region(std::uint64_t region);
// Where it is seen. The memory may go at any time, so it is touched by copy_region only, which is
// false when it is not there.
std::uint8_t* region_window(std::uint32_t place);
bool copy_region(void* to, const void* from, std::size_t bytes);
// Where output goes that no console takes.
void redirect_output(void (*sink)(std::string_view text));

// --- Files ----------------------------------------------------------------------------------
// A file of the system's archive ("lib/lona/core.lona"); stays mapped. Empty data() when absent.
std::span<const std::uint8_t> archive_file(std::string_view path);

// A file of the user's, below the folder in which the tool was started; elsewhere nothing is
// readable. `asker` names the request: while `waiting` is set, ask again with the same one when
// `wait` has ended. The text is in pages of map_pages that are the asker's then.
inline constexpr std::size_t kMostFileBytes = std::size_t{4} << 20;
enum class FileError : std::uint8_t {  // to kUnreadable as in docs/host-link.md
  kNone,
  kMissing,
  kOutside,
  kNotRegular,
  kTooLarge,
  kUnreadable,
  kNoMemory,
  kBroken,  // the host does not keep to the protocol
};
struct UserFile {
  bool waiting = false;
  FileError error = FileError::kNone;
  std::span<std::uint8_t> bytes = {};
};
UserFile read_user_file(const void* asker, std::string_view path);
// The asker does not want it any more.
void forget_user_file(const void* asker);

// The core image, at its place in the address map (abi/lona/address_map.hpp): the data may be
// written, by this VM alone. Empty spans: there is none. May be called once.
struct CoreImage {
  std::span<const std::uint64_t> constants;
  std::span<std::uint64_t> data;
  bool trusted = false;  // it was checked by who made this realm
};
CoreImage core_image();

// --- Start and end ----------------------------------------------------------------------
enum class Mode : std::uint8_t {
  kPrompt,
  kRun,
  kEval,
  kBatch,
  kServe,  // a realm that does what its parent asks
};
struct Session {
  Mode mode;
  std::string_view file_name;              // kRun
  std::span<const std::uint8_t> source;    // kRun: the program's text
  std::span<const std::string_view> args;  // kRun: its arguments; kEval: the expressions
  // For tests (VmOptions):
  bool collect_always = false;
  bool tight_heaps = false;
  std::uint64_t seed = 0;
};
// Blocks until the host has said what to do.
Session session();
// Ends the whole VM with a status; output is flushed first.
[[noreturn]] void exit(int status);
// Ends it with status 1, and tells who has made the realm why.
[[noreturn]] void exit_because(std::string_view why);
// Who can say what the VM is at when it cannot go on. The registers are those of an interrupted
// interpreter (interp/dispatch.hpp), or anything: nothing that they lead to can be trusted.
struct MachineState {
  std::uint64_t frame = 0, code = 0, process = 0;
};
using LastWords = std::size_t (*)(unsigned worker, const MachineState& at, std::span<char> text);
void on_last_words(LastWords words);
// Reports an internal error with a backtrace where possible, then ends the VM (or the realm).
[[noreturn]] void panic(std::string_view message);

}  // namespace lona::vm::platform

namespace lona::vm {
// Runs the VM to its end. Called once by the platform's start code.
[[noreturn]] void vm_main();
}  // namespace lona::vm

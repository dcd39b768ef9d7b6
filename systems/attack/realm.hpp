// SPDX-License-Identifier: BSD-2-Clause
// What all programs of this system share: requests to the manager, and clocks.
#pragma once

#include <cstring>
#include <string_view>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "abi/sel4/objects.hpp"
#include "base/byte_ring.hpp"
#include "base/format.hpp"

namespace lona::abi {
inline IpcBuffer& ipc_buffer() {
  return *reinterpret_cast<IpcBuffer*>(worker_ipc_buffer(0));
}
}  // namespace lona::abi

namespace attack {

using namespace lona;
using abi::Request;
using abi::Status;

inline const abi::StartBlock& start_block() {
  return *reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress);
}

struct Answer {
  Status status;
  abi::MessageWords words;
};

inline Answer ask_words(Request request, const std::uint64_t* words, unsigned count) {
  for (unsigned at = abi::kMsgRegisters; at < count; ++at) abi::ipc_buffer().msg[at] = words[at];
  std::uint64_t first[4] = {};
  std::memcpy(first, words, (count < 4 ? count : 4) * sizeof first[0]);
  const auto message = abi::call(abi::kRealmSlotManager,
                                 abi::MessageInfo(static_cast<std::uint64_t>(request), 0, 0, count),
                                 {first[0], first[1], first[2], first[3]});
  return {static_cast<Status>(message.info.label()), message.words};
}

template <typename... Words>
Answer ask(Request request, Words... words) {
  const std::uint64_t list[] = {static_cast<std::uint64_t>(words)..., 0};
  return ask_words(request, list, sizeof...(words));
}

inline void say(std::string_view text) {
  std::uint64_t words[1 + abi::kLogMax / 8] = {text.size()};
  std::memcpy(words + 1, text.data(), text.size());
  (void)ask_words(Request::kLog, words, static_cast<unsigned>(1 + (text.size() + 7) / 8));
}

inline std::uint64_t tick() {
  return __builtin_ia32_rdtsc();
}
inline std::uint64_t ticks_of_ms(std::uint64_t ms) {
  return ms * start_block().tsc_hertz / 1000;
}
inline std::uint64_t us_of(std::uint64_t ticks) {
  return ticks * 1000 / (start_block().tsc_hertz / 1000);
}
// Sleeps until then; what else wakes this realm does not matter.
inline void sleep_until(std::uint64_t due) {
  while (tick() < due) {
    (void)ask(Request::kSetDeadline, due);
    (void)abi::wait(abi::kRealmSlotNotification);
  }
}

struct Child {
  Status status;
  std::uint64_t realm;
  std::uint64_t number;
};

// A child, unless the status says otherwise; `start` lets it run.
constexpr std::uint64_t kUsualMemory = 4 << 20;
inline Child make(std::string_view name, std::uint64_t memory = kUsualMemory,
                  std::uint64_t share = abi::kNoShare, std::uint64_t reserve = 0) {
  std::uint64_t words[10] = {memory, memory, reserve, share, 0, name.size()};
  std::memcpy(words + 6, name.data(), name.size());
  const Answer made =
      ask_words(Request::kCreateRealm, words, static_cast<unsigned>(6 + (name.size() + 7) / 8));
  return {made.status, made.words.mr0, made.words.mr1};
}
inline Child start(std::string_view name, std::uint64_t memory = kUsualMemory,
                   std::uint64_t share = abi::kNoShare, std::uint64_t reserve = 0) {
  const Child made = make(name, memory, share, reserve);
  if (made.status == Status::kOk) (void)ask(Request::kRunRealm, made.realm);
  return made;
}

// Does what the name says, for ever or until it is stopped. False: no such attack.
bool attack(std::string_view name);

// In the data of the core image: the first realm's, for all others to read.
inline volatile std::uint64_t& inherited_word() {
  return *reinterpret_cast<volatile std::uint64_t*>(abi::kCoreData.start);
}
constexpr std::uint64_t kInheritedWord = 0x7768'6f20'7772'6f74;

// What the bystander tells through its channel.
struct Health {
  std::uint64_t beats;
  std::uint64_t worst_late;  // ticks
  std::uint64_t damaged;     // words of its memory, or inherited ones, that are not as they were
  // Of a channel to a realm beside it (neighbour.hpp).
  std::uint64_t channel;  // the number of the one it is to hear, by the first realm; 0: none
  std::uint64_t heard;    // the one that it hears
  std::uint64_t broken;   // that breaks the rules
  std::uint64_t bytes;    // that have come
  std::uint64_t frames;
};
[[noreturn]] void stand_by();

}  // namespace attack

// SPDX-License-Identifier: BSD-2-Clause
// Any bytes from another realm are taken without harm, and what was taken goes on as the same
// value. A libFuzzer program; built in the asan preset, where the VM is instrumented for it.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/platform/platform.hpp"
#include "vm/printer/printer.hpp"
#include "vm/realm/frames.hpp"
#include "vm/realm/wire.hpp"

namespace lona::vm {
namespace {

constexpr std::uint32_t kRealm = 2, kPeer = 5;
constexpr std::size_t kMost = 1 << 20;

void check(bool holds, const char* what) {
  if (!holds) platform::panic(what);
}

// The same bytes as a stream of frames, in pieces whose sizes they say themselves.
void take_stream(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kLongest = 4096;
  FrameReader reader(kLongest);
  std::size_t passed = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t most = std::min<std::size_t>(1 + bytes[at] % 64, bytes.size() - at);
    const auto room = reader.room(most);
    const std::size_t piece = room.size();
    check(piece != 0 && piece <= most, "no room");
    std::memcpy(room.data(), bytes.data() + at, piece);
    reader.came(piece);
    at += piece;
    Frame frame;
    FrameReader::State state;
    while ((state = reader.look(frame)) == FrameReader::State::kFrame) {
      check(frame.content.size() == frame.head.size, "a frame of another size");
      check(std::memcmp(frame.content.data(), bytes.data() + passed + sizeof frame.head,
                        frame.content.size()) == 0,
            "a frame of other bytes");
      passed += sizeof frame.head + frame.content.size();
      check(passed <= at, "more than there was");
      reader.pass();
    }
    check(reader.held() <= sizeof(Frame::Head) + kLongest + 64, "too much is held");
    if (state == FrameReader::State::kBroken) return;
  }
}

void take(std::span<const std::uint8_t> bytes) {
  Arena arena;
  // Names stay for ever: without a quota the fuzzer would fill the memory with them.
  static wire::Limits limits{.own_realm = kRealm, .names_left = 1 << 20, .peer = kPeer};
  const Term value = wire::decode(arena, bytes, limits);
  check(arena.mapped_bytes() <= (1 << 20) + 64 * bytes.size(), "too much memory for the bytes");
  if (value == Term::absent()) return;
  ByteBuffer out;
  const wire::Offers offers{nullptr, [](void*, const Capability& cap, std::uint64_t& number) {
                              check(cap.kind.type == MachineType::kEndpoint ||
                                        cap.kind.type == MachineType::kNotification,
                                    "a capability to something that cannot be sent");
                              check(cap.realm == kPeer && cap.kind.rights <= 15, "a forged one");
                              number = Word{cap.slot} | Word{cap.use} << 32;
                              return wire::Encoded::kOk;
                            }};
  check(wire::encode(value, kRealm, out, kMost, &offers) == wire::Encoded::kOk,
        "a value does not go on");
  const Term again = wire::decode(arena, {out.data(), out.size()}, limits);
  check(again != Term::absent(), "what went on does not come back");
  // Not `equal`: a NaN equals nothing.
  check(string_text(print_to_string(arena, value)) == string_text(print_to_string(arena, again)),
        "it comes back as another value");
}

}  // namespace
}  // namespace lona::vm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lona::vm::take({data, size});
  lona::vm::take_stream({data, size});
  return 0;
}

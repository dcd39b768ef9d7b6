// SPDX-License-Identifier: BSD-2-Clause
// Any bytes from another realm are taken without harm, and what was taken goes on as the same
// value. A libFuzzer program; built in the asan preset, where the VM is instrumented for it.
#include <cstdint>

#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/platform/platform.hpp"
#include "vm/printer/printer.hpp"
#include "vm/realm/wire.hpp"

namespace lona::vm {
namespace {

constexpr std::uint32_t kRealm = 2;
constexpr std::size_t kMost = 1 << 20;

void check(bool holds, const char* what) {
  if (!holds) platform::panic(what);
}

void take(std::span<const std::uint8_t> bytes) {
  Arena arena;
  // Names stay for ever: without a quota the fuzzer would fill the memory with them.
  static wire::Limits limits{.own_realm = kRealm, .names_left = 1 << 20};
  const Term value = wire::decode(arena, bytes, limits);
  check(arena.mapped_bytes() <= (1 << 20) + 64 * bytes.size(), "too much memory for the bytes");
  if (value == Term::absent()) return;
  ByteBuffer out;
  check(wire::encode(value, kRealm, out, kMost) == wire::Encoded::kOk, "a value does not go on");
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
  return 0;
}

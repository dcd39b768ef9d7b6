// SPDX-License-Identifier: BSD-2-Clause
// A realm says which of the manager's next kernel calls for it is refused, or comes late: the n-th
// of those that make, copy, map or set up something. Then it asks for something, and then whether
// there were so many calls. The linker puts this before the manager's decoder of requests.
#include "manager/realms.hpp"

namespace lona::manager {

using Decoded = base::Expected<DecodedRequest, abi::Status>;
using Words = std::span<const std::uint64_t>;

namespace {

constexpr std::uint64_t kStallMs = 20;

enum class Mode : unsigned char { none, refuse, stall };
// Of one realm at a time: what its service thread is at.
struct Plan {
  std::atomic<abi::Word> thread{0};
  Mode mode = Mode::none;
  std::uint64_t calls_left = 0;
};
constinit Plan plan;

bool may_fail(abi::Word label) {
  using abi::Label;
  constexpr Label kLabels[] = {Label::kUntypedRetype,       Label::kCNodeCopy,
                               Label::kCNodeMint,           Label::kCNodeMove,
                               Label::kX86PageMap,          Label::kX86PageTableMap,
                               Label::kX86PageDirectoryMap, Label::kX86PdptMap,
                               Label::kX86AsidPoolAssign,   Label::kTcbConfigure,
                               Label::kTcbSetSchedParams,   Label::kTcbSetSpace,
                               Label::kTcbWriteRegisters,   Label::kSchedControlConfigureFlags};
  return std::ranges::any_of(kLabels,
                             [&](Label each) { return abi::detail::wire_label(each) == label; });
}

}  // namespace

Decoded own_decode(std::uint64_t label, Words words) asm(
    "__real__ZN4lona7manager14decode_requestEmSt4spanIKmLm18446744073709551615EE");
Decoded decode(std::uint64_t label, Words words) asm(
    "__wrap__ZN4lona7manager14decode_requestEmSt4spanIKmLm18446744073709551615EE");
Decoded decode(std::uint64_t label, Words words) {
  switch (label) {
    case kRefuseRequest:
    case kStallRequest:
      plan.mode = label == kRefuseRequest ? Mode::refuse : Mode::stall;
      plan.calls_left = words[0];
      plan.thread = this_thread();
      return Figures{};
    case kOverRequest: {
      const bool came = plan.mode == Mode::none;
      plan.thread = 0;
      return came ? Decoded(Figures{}) : base::fail(abi::Status::kBadState);
    }
    default:
      return own_decode(label, words);
  }
}

}  // namespace lona::manager

bool lona::abi::is_refused(MessageInfo info) {
  using namespace lona::manager;
  // The mode first: the first thread cannot be named before its first call.
  if (plan.mode == Mode::none || plan.thread != this_thread() || !may_fail(info.label()) ||
      --plan.calls_left != 0) {
    return false;
  }
  if (plan.mode == Mode::refuse) {
    plan.mode = Mode::none;
    return true;
  }
  plan.mode = Mode::none;
  const std::uint64_t hertz = 1'000'000'000;  // as QEMU counts instructions
  for (const std::uint64_t end = now_tick() + hertz / 1000 * kStallMs; now_tick() < end;) {
    yield();
  }
  return false;
}

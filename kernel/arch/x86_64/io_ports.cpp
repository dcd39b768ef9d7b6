// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/io_ports.hpp"

#include <array>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

namespace {

constexpr unsigned kPorts = 1 << 16;

// One bit a port: a capability for it exists.
constinit std::array<Word, kPorts / 64> issued{};

// The bits of `word_index` that belong to ports first..last.
Word mask_of(unsigned word_index, unsigned first, unsigned last) {
  const unsigned low = word_index * 64 < first ? first - word_index * 64 : 0;
  const unsigned high = word_index * 64 + 63 > last ? last - word_index * 64 : 63;
  return (~Word{0} >> (63 - high)) & (~Word{0} << low);
}

// The words of ports first..last, each with its mask. All but the first and the last are whole.
template <typename Function>
void for_each_word(unsigned first, unsigned last, Function&& function) {
  const unsigned begin = first / 64, end = last / 64;
  function(issued[begin], mask_of(begin, first, last));
  for (unsigned i = begin + 1; i < end; ++i) function(issued[i], ~Word{0});
  if (begin != end) function(issued[end], mask_of(end, first, last));
}

bool any_issued(unsigned first, unsigned last) {
  Word found = 0;
  for_each_word(first, last, [&](Word word, Word mask) { found |= word & mask; });
  return found != 0;
}

struct IssueRequest {
  unsigned first;
  unsigned last;
  Slot* target;
};

Result<IssueRequest> decode_issue(const Invocation& invocation) {
  if (invocation.too_short<abi::Label::kX86IoPortControlIssue>()) return fail(Failure::truncated());
  const Word first = invocation.arg(0), last = invocation.arg(1);
  if (first >= kPorts) return fail(Failure::invalid_argument(0));
  if (last >= kPorts || last < first) return fail(Failure::invalid_argument(1));
  const IssueRequest request{
      static_cast<unsigned>(first), static_cast<unsigned>(last),
      TRY(lookup_target_slot(invocation.extra[0]->cap, invocation.arg(2), invocation.arg(3)))};
  TRY(ensure_empty(*request.target));
  if (any_issued(request.first, request.last)) return fail(Failure::revoke_first());
  return request;
}

Done invoke_issue(const IssueRequest& request, Slot& control) {
  for_each_word(request.first, request.last, [](Word& word, Word mask) { word |= mask; });
  insert_child(control, *request.target, Cap::io_port(request.first, request.last));
  return {};
}

enum class Direction { kIn, kOut };
struct Access {
  Direction direction;
  unsigned bytes;
  std::uint16_t port;
  std::uint32_t data;
};

Result<Access> decode_access(const Invocation& invocation) {
  using abi::Label;
  Access access{Direction::kIn, 1, 0, 0};
  switch (invocation.label) {
    case Label::kX86IoPortIn8:
      break;
    case Label::kX86IoPortIn16:
      access.bytes = 2;
      break;
    case Label::kX86IoPortIn32:
      access.bytes = 4;
      break;
    case Label::kX86IoPortOut8:
      access = {Direction::kOut, 1, 0, 0};
      break;
    case Label::kX86IoPortOut16:
      access = {Direction::kOut, 2, 0, 0};
      break;
    case Label::kX86IoPortOut32:
      access = {Direction::kOut, 4, 0, 0};
      break;
    default:
      return fail(Failure::illegal_operation());
  }
  if (invocation.length < (access.direction == Direction::kIn ? 1u : 2u)) {
    return fail(Failure::truncated());
  }
  const Word port = invocation.arg(0);
  if (port < invocation.cap.first_port() || port > invocation.cap.last_port() ||
      access.bytes - 1 > invocation.cap.last_port() - port) {
    return fail(Failure::illegal_operation());
  }
  access.port = static_cast<std::uint16_t>(port);
  if (access.direction == Direction::kOut) {
    access.data = static_cast<std::uint32_t>(invocation.arg(1));
  }
  return access;
}

std::uint32_t read_port(const Access& access) {
  switch (access.bytes) {
    case 1:
      return cpu::in8(access.port);
    case 2:
      return cpu::in16(access.port);
    default:
      return cpu::in32(access.port);
  }
}

void write_port(const Access& access) {
  switch (access.bytes) {
    case 1:
      return cpu::out8(access.port, static_cast<std::uint8_t>(access.data));
    case 2:
      return cpu::out16(access.port, static_cast<std::uint16_t>(access.data));
    default:
      return cpu::out32(access.port, access.data);
  }
}

}  // namespace

void io_ports_release(unsigned first, unsigned last) {
  for_each_word(first, last, [](Word& word, Word mask) { word &= ~mask; });
}

Result<Done> decode_io_port_control(Invocation& invocation) {
  if (invocation.label != abi::Label::kX86IoPortControlIssue) {
    return fail(Failure::illegal_operation());
  }
  return invoke_issue(TRY(decode_issue(invocation)), *invocation.slot);
}

Result<Done> decode_io_port(Invocation& invocation) {
  const Access access = TRY(decode_access(invocation));
  if (access.direction == Direction::kOut) {
    write_port(access);
    return Done{};
  }
  set_reply_word(invocation.caller, 0, read_port(access));
  return Done{Done::kReply, 1};
}

}  // namespace lona::kernel

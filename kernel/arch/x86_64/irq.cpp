// SPDX-License-Identifier: BSD-2-Clause
// A level triggered line is masked until the driver acknowledges it. A masked edge would be lost
// in many controllers, so an edge, and a message (MSI), that arrives while the driver is busy is
// noted and raised again at the acknowledgement.
#include "kernel/arch/x86_64/irq.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/object/interrupt.hpp"
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

namespace {

constexpr unsigned kIsaLines = 16;

struct Source {
  enum class Kind : std::uint8_t { kNone, kIoApic, kMessage };
  Kind kind;
  std::uint8_t io_apic;
  std::uint8_t pin;
  Trigger trigger;
  bool busy;
  bool again;
};
constinit std::array<Source, arch::kIrqCount> sources{};

constexpr unsigned vector_of(unsigned irq) {
  return irq - kIsaLines + abi::kIrqOffset;
}

}  // namespace

bool is_irq_vector(unsigned vector) {
  return vector >= abi::kIrqOffset && vector <= abi::kIrqOffset + abi::kVectorMax;
}
unsigned irq_of_vector(unsigned vector) {
  return vector - abi::kIrqOffset + kIsaLines;
}

bool irq_arrived(unsigned irq) {
  Source& source = sources[irq];
  const bool level = source.kind == Source::Kind::kIoApic && source.trigger == Trigger::kLevel;
  if (level) io_apic_set_masked(source.io_apic, source.pin, true);
  local_apic_end_of_interrupt();
  if (level || source.kind == Source::Kind::kNone) return level;
  if (source.busy) {
    source.again = true;
    return false;
  }
  source.busy = true;
  return true;
}

namespace arch {

void mask_irq(unsigned irq, bool masked) {
  const Source& source = sources[irq];
  if (source.kind == Source::Kind::kIoApic) {
    io_apic_set_masked(source.io_apic, source.pin, masked);
  }
}

void ack_irq(unsigned irq) {
  Source& source = sources[irq];
  if (source.kind == Source::Kind::kIoApic && source.trigger == Trigger::kLevel) {
    return mask_irq(irq, false);
  }
  source.busy = false;
  if (source.again) {
    source.again = false;
    local_apic_send_self(vector_of(irq));
  }
}

void release_irq(unsigned irq) {
  mask_irq(irq, true);
  sources[irq] = Source{};
}

namespace {

struct IssueRequest {
  unsigned irq;
  Slot* target;
  Source source;
  Polarity polarity;
};

// What both methods share, their seven words among it: vector in word 6, destination in cap 0 and
// words 0 and 1.
Result<IssueRequest> decode_issue(const Invocation& invocation) {
  if (invocation.too_short<abi::Label::kX86IrqIssueHandlerMsi>()) return fail(Failure::truncated());
  const Word vector = invocation.arg(6);
  if (vector > abi::kVectorMax) return fail(Failure::range(abi::kVectorMin, abi::kVectorMax));
  const auto irq = static_cast<unsigned>(vector) + kIsaLines;
  if (irq_active(irq)) return fail(Failure::revoke_first());
  Slot* target =
      TRY(lookup_target_slot(invocation.extra[0]->cap, invocation.arg(0), invocation.arg(1)));
  TRY(ensure_empty(*target));
  return IssueRequest{irq, target, {}, Polarity::kHigh};
}

Result<IssueRequest> decode_issue_io_apic(const Invocation& invocation) {
  IssueRequest request = TRY(decode_issue(invocation));
  const Word io_apic = invocation.arg(2), pin = invocation.arg(3);
  const Word level = invocation.arg(4), polarity = invocation.arg(5);
  if (io_apic_count() == 0) return fail(Failure::illegal_operation());
  if (io_apic >= io_apic_count()) return fail(Failure::range(0, io_apic_count() - 1));
  const unsigned pins = io_apic_pins(static_cast<unsigned>(io_apic));
  if (pin >= pins) return fail(Failure::range(0, pins - 1));
  if (level > 1 || polarity > 1) return fail(Failure::range(0, 1));
  request.source = {Source::Kind::kIoApic,
                    static_cast<std::uint8_t>(io_apic),
                    static_cast<std::uint8_t>(pin),
                    static_cast<Trigger>(level),
                    false,
                    false};
  request.polarity = static_cast<Polarity>(polarity);
  return request;
}

Result<IssueRequest> decode_issue_message(const Invocation& invocation) {
  IssueRequest request = TRY(decode_issue(invocation));
  constexpr Word kMaxBus = 255, kMaxDevice = 31, kMaxFunction = 7;
  if (invocation.arg(2) > kMaxBus) return fail(Failure::range(0, kMaxBus));
  if (invocation.arg(3) > kMaxDevice) return fail(Failure::range(0, kMaxDevice));
  if (invocation.arg(4) > kMaxFunction) return fail(Failure::range(0, kMaxFunction));
  request.source.kind = Source::Kind::kMessage;
  return request;
}

Done invoke_issue(const IssueRequest& request, Slot& control) {
  const Source& source = request.source;
  sources[request.irq] = source;
  issue_irq(request.irq, control, *request.target);
  if (source.kind == Source::Kind::kIoApic) {
    io_apic_route(source.io_apic, source.pin, vector_of(request.irq), source.trigger,
                  request.polarity);
    io_apic_set_masked(source.io_apic, source.pin, false);
  }
  return {};
}

}  // namespace

Result<Done> decode_irq_control(Invocation& invocation) {
  if (invocation.label == abi::Label::kX86IrqIssueHandlerIoApic) {
    return invoke_issue(TRY(decode_issue_io_apic(invocation)), *invocation.slot);
  }
  if (invocation.label == abi::Label::kX86IrqIssueHandlerMsi) {
    return invoke_issue(TRY(decode_issue_message(invocation)), *invocation.slot);
  }
  return fail(Failure::illegal_operation());
}

}  // namespace arch

}  // namespace lona::kernel

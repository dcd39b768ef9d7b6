// SPDX-License-Identifier: BSD-2-Clause
#include "vm/native/kernel_op.hpp"

#include "abi/sel4/object_types.hpp"
#include "vm/data/sequence.hpp"
#include "vm/printer/printer.hpp"

namespace lona::vm::natives {

namespace {

std::string_view describe(abi::Error error) {
  constexpr std::string_view kNames[] = {
      "none",         "invalid-argument", "invalid-capability", "illegal-operation",
      "range-error",  "alignment-error",  "failed-lookup",      "truncated-message",
      "delete-first", "revoke-first",     "not-enough-memory"};
  const auto number = static_cast<std::size_t>(error);
  return number < std::size(kNames) ? kNames[number] : "unknown";
}

constexpr const char* kRights = "a set of :read, :write, :execute, :grant and :grant-reply";

constexpr std::uint64_t number_of(abi::ObjectType type) {
  return static_cast<std::uint64_t>(type);
}

constexpr std::uint8_t kUsualSchedContext = 8, kUsualCNode = 8;
using enum abi::ObjectType;
constexpr ObjectTypeInfo kTypes[] = {
    {"untyped", MachineType::kUntyped, number_of(kUntyped), 0, 0},
    {"tcb", MachineType::kTcb, number_of(kTcb), abi::kTcbBits, 0},
    {"endpoint", MachineType::kEndpoint, number_of(kEndpoint), abi::kEndpointBits, 0},
    {"notification", MachineType::kNotification, number_of(kNotification), abi::kNotificationBits,
     0},
    {"cnode", MachineType::kCNode, number_of(kCNode), 0, kUsualCNode},
    {"sched-context", MachineType::kSchedContext, number_of(kSchedContext), 0, kUsualSchedContext},
    {"reply", MachineType::kReply, number_of(kReply), abi::kReplyBits, 0},
    {"frame-4k", MachineType::kFrame, number_of(kPage4K), abi::kPageBits, 0},
    {"frame-2m", MachineType::kFrame, number_of(kLargePage), abi::kLargePageBits, 0},
    {"frame-1g", MachineType::kFrame, number_of(kHugePage), abi::kHugePageBits, 0},
    {"pml4", MachineType::kPml4, number_of(kPml4), abi::kPml4Bits, 0},
    {"pdpt", MachineType::kPdpt, number_of(kPdpt), abi::kPdptBits, 0},
    {"page-directory", MachineType::kPageDirectory, number_of(kPageDirectory),
     abi::kPageDirectoryBits, 0},
    {"page-table", MachineType::kPageTable, number_of(kPageTable), abi::kPageTableBits, 0},
};

}  // namespace

const ObjectTypeInfo* object_type(Term keyword) {
  for (const ObjectTypeInfo& type : kTypes) {
    if (keyword == make_keyword(type.name)) return &type;
  }
  return nullptr;
}

ObjectKind kind_of(const ObjectTypeInfo& type, std::uint64_t size_bits) {
  const bool passes_caps = type.type == MachineType::kEndpoint;
  return {.type = type.type,
          .rights = static_cast<std::uint8_t>(passes_caps ? 15 : 3),
          .size_bits = type.size_bits != 0 ? type.size_bits : type.call_bits(size_bits)};
}

void KernelOp::refuse_type(MachineType type) {
  char text[80];
  BufferSink sink(text);
  sink.write("a capability of type ");
  sink.write(machine_type_name(type));
  refuse(sink.text());
}

void KernelOp::error(std::string_view why) {
  if (good()) answer_ = make_pair_tuple(p_, make_keyword("error"), make_keyword(why));
}

std::uint32_t KernelOp::slot(Term t) {
  if (!good()) return platform::kNoSlot;
  if (!is_capability(t)) {
    refuse("a capability");
    return platform::kNoSlot;
  }
  const Capabilities::Found found = state_of(p_).realms.capabilities().find(capability_of(t));
  if (found.error == platform::RealmError::kBadState) {
    error("invalid-capability");
  } else if (found.error != platform::RealmError::kNone) {
    error(describe(found.error));
  }
  return found.slot;
}

std::uint64_t KernelOp::with_right(std::size_t argument, MachineType type, abi::CapRights any_of) {
  const std::uint64_t cap = capability(argument, type);
  const Term value = args_[static_cast<std::uint32_t>(argument)];
  if (good() && (capability_of(value).kind.rights & any_of.raw()) == 0) error("no-right");
  return cap;
}
std::uint64_t KernelOp::readable(std::size_t argument, MachineType type) {
  return with_right(argument, type, abi::kCanRead);
}
std::uint64_t KernelOp::writable(std::size_t argument, MachineType type) {
  return with_right(argument, type, abi::kCanWrite);
}
std::uint64_t KernelOp::callable(std::size_t argument) {
  (void)writable(argument, MachineType::kEndpoint);
  return with_right(argument, MachineType::kEndpoint, abi::kCanGrant | abi::kCanGrantReply);
}

std::uint64_t KernelOp::word(Term t) {
  if (is_machine_value(t, MachineType::kVirtualAddress)) return machine_word(t);
  const std::optional<Word> n = unsigned_word(t);
  if (!n) refuse("a word of 64 bits that is not negative");
  return n.value_or(0);
}

CapPlace KernelOp::place(Term cnode, Term slot) {
  CapPlace place{.root = capability(cnode, MachineType::kCNode), .index = word(slot)};
  if (!good()) return place;
  const ObjectKind kind = capability_of(cnode).kind;
  place.depth = kind.size_bits;
  place.known = state_of(p_).cnodes.at(kind.record, place.index);
  if (place.index >> place.depth != 0) error("range-error");
  return place;
}

std::uint64_t KernelOp::rights(Term set) {
  // :execute is the same as :read: the kernel's interface does not tell them apart.
  std::uint64_t rights = 0;
  std::size_t known = 0;
  if (!is_set(set)) {
    refuse(kRights);
    return 0;
  }
  const auto look_for = [&](std::string_view name, unsigned bits) {
    if (!set_contains(set, make_keyword(name))) return;
    rights |= bits;
    ++known;
  };
  for (const auto& [name, bits] : kRightNames) look_for(name, bits);
  look_for("execute", abi::kCanRead.raw());
  if (known != set_count(set)) refuse(kRights);
  return rights;
}

std::uint64_t KernelOp::option(Term options, const char* name, std::uint64_t otherwise) {
  if (!is_map(options)) refuse("a map of options");
  const Term found = good() ? map_get(options, make_keyword(name)) : Term::absent();
  return found == Term::absent() ? otherwise : word(found);
}

std::uint64_t KernelOp::option(Term options, const char* name, MachineType type) {
  if (!is_map(options)) refuse("a map of options");
  const Term found = good() ? map_get(options, make_keyword(name)) : Term::absent();
  return found == Term::absent() ? 0 : capability(found, type);
}

bool KernelOp::call(platform::KernelAnswer& answer, std::uint64_t target, abi::Label label,
                    std::initializer_list<std::uint64_t> capabilities,
                    std::initializer_list<std::uint64_t> words) {
  if (!good()) return false;
  platform::kernel_call(answer, target, static_cast<std::uint64_t>(label),
                        {capabilities.begin(), capabilities.size()}, {words.begin(), words.size()});
  (void)judge(answer);
  return good();
}

Term KernelOp::judge(const platform::KernelAnswer& answer) {
  const abi::Error why =
      answer.failed ? abi::Error::kInvalidCapability : abi::MessageInfo(answer.info).error();
  if (why != abi::Error::kNone) error(describe(why));
  return ok();
}

Term KernelOp::run(std::uint64_t target, abi::Label label,
                   std::initializer_list<std::uint64_t> capabilities,
                   std::initializer_list<std::uint64_t> words) {
  platform::KernelAnswer answer;
  (void)call(answer, target, label, capabilities, words);
  return ok();
}

}  // namespace lona::vm::natives

// SPDX-License-Identifier: BSD-2-Clause
// Every method of abi/sel4/methods.def, called wrongly: the error and the words of the answer are
// those of the manual (docs/kernel-manual.md, "Errors").
#include <iterator>

#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

using abi::Label;
using abi::Method;

// What a case is called on, or passes along; the fixture makes one of each.
enum Object : unsigned {
  kNothing,  // an empty slot
  kMemory,   // untyped of 4 KiB, unused
  kUsed,     // untyped of 4 KiB that an endpoint was made from
  kDevice,   // untyped of device memory
  kThread,
  kSelf,   // the caller's TCB
  kLow,    // a TCB whose maximum controlled priority is 10
  kCNode,  // 4 slots, the first with an endpoint
  kRoot,   // the root CNode
  kEndpoint,
  kSendOnly,  // the endpoint, without receiving and granting
  kBadged,    // the endpoint with a badge
  kNotification,
  kSignalOnly,  // the notification, without Read
  kWaitOnly,    // the notification, without Write
  kContext,
  kBound,    // the caller's scheduling context
  kControl,  // SchedControl
  kIrqs,     // IRQControl
  kHandler,  // of vector 20
  kDomains,
  kSpace,     // the caller's PML4
  kNewSpace,  // a PML4 without identifier
  kMappedPdpt,
  kPdpt,
  kDirectory,
  kTable,
  kPage,
  kMappedPage,  // at kMapped
  kLargePage,
  kAsids,  // ASIDControl
  kPool,
  kPortControl,
  kPorts,     // 0x80 and 0x81
  kIoSpaces,  // the initial one, of no device
  kIoTable,
  kObjectCount,
};

constinit CPtr objects[kObjectCount];
constinit Word mapped_address = 0, empty_address = 0;

// Arguments and answers that only the fixture knows.
constexpr Word kMapped = 0xadd'0001, kFree = 0xadd'0002, kAny = 0xadd'0003, kSlots = 0xadd'1000;
constexpr Word at(Object object) {
  return kSlots + object;
}

Word value_of(Word word) {
  if (word >= kSlots && word < kSlots + kObjectCount) return objects[word - kSlots];
  return word == kMapped ? mapped_address : word == kFree ? empty_address : word;
}

constexpr unsigned kMaxWords = 8, kMaxCaps = 3;

struct Case {
  Label label;
  Object target;
  Object caps[kMaxCaps];
  Word words[kMaxWords];
  Error error;
  unsigned answer_length;
  Word answer[4];
};

constexpr Word kTop = ~Word{0};
constexpr Word kKernelAddress = 0xffff'8000'0000'0000;
constexpr Word type(ObjectType type) {
  return static_cast<Word>(type);
}

constexpr Case kCases[] = {
#define CASE(label, target, caps, words, error, length, ...) \
  {Label::k##label, k##target, caps, words, Error::k##error, length, {__VA_ARGS__}},
#define NONE \
  {          \
  }
#define LIST(...) {__VA_ARGS__}
#include "tests/kernel/errors.def"
#undef CASE
#undef NONE
#undef LIST
};

CPtr copy_of(CPtr slot, abi::CapRights rights, Word badge = 0) {
  const CPtr copy = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(copy), slot_address(slot), rights, badge));
  return copy;
}

CPtr device_untyped() {
  for (CPtr i = 0; i < info->untyped.end - info->untyped.start; ++i) {
    if (info->untyped_list[i].is_device != 0) return info->untyped.start + i;
  }
  return 0;
}

void make_memory_objects() {
  const abi::SlotAddress root{abi::kSlotInitCNode, 0, 0};
  objects[kMemory] = make(ObjectType::kUntyped, 12);
  objects[kUsed] = make(ObjectType::kUntyped, 12);
  CHECK_OK(abi::untyped_retype(objects[kUsed], ObjectType::kEndpoint, 0, root, new_slot(), 1));
  objects[kDevice] = device_untyped();
  objects[kCNode] = make(ObjectType::kCNode, 2);
  CHECK_OK(
      abi::cnode_copy({objects[kCNode], 0, 2}, slot_address(objects[kEndpoint]), abi::kAllRights));
}

void make_threads() {
  objects[kThread] = make(ObjectType::kTcb);
  objects[kSelf] = abi::kSlotInitTcb;
  objects[kLow] = make(ObjectType::kTcb);
  CHECK_OK(abi::tcb_set_mc_priority(objects[kLow], abi::kSlotInitTcb, 10));
  objects[kContext] = make(ObjectType::kSchedContext, abi::kMinSchedContextBits);
  objects[kBound] = abi::kSlotInitSchedContext;
  objects[kControl] = info->sched_control.start;
  objects[kDomains] = abi::kSlotDomain;
}

void make_channels() {
  objects[kEndpoint] = make(ObjectType::kEndpoint);
  objects[kSendOnly] = copy_of(objects[kEndpoint], abi::kCanWrite);
  objects[kBadged] = copy_of(objects[kEndpoint], abi::kAllRights, 5);
  objects[kNotification] = make(ObjectType::kNotification);
  objects[kSignalOnly] = copy_of(objects[kNotification], abi::kCanWrite);
  objects[kWaitOnly] = copy_of(objects[kNotification], abi::kCanRead);
}

void make_spaces() {
  mapped_address = unused_address();
  empty_address = unused_address();
  objects[kSpace] = abi::kSlotInitVSpace;
  objects[kNewSpace] = make(ObjectType::kPml4);
  objects[kMappedPdpt] = make(ObjectType::kPdpt);
  CHECK_OK(abi::pdpt_map(objects[kMappedPdpt], objects[kSpace], mapped_address));
  (void)copy_of(objects[kMappedPdpt], abi::kAllRights);
  CHECK_OK(
      abi::page_directory_map(make(ObjectType::kPageDirectory), objects[kSpace], mapped_address));
  CHECK_OK(abi::page_table_map(make(ObjectType::kPageTable), objects[kSpace], mapped_address));
  objects[kPdpt] = make(ObjectType::kPdpt);
  objects[kDirectory] = make(ObjectType::kPageDirectory);
  objects[kTable] = make(ObjectType::kPageTable);
  objects[kPage] = make(ObjectType::kPage4K);
  objects[kMappedPage] = make(ObjectType::kPage4K);
  CHECK_OK(abi::page_map(objects[kMappedPage], objects[kSpace], mapped_address, abi::kReadWrite));
  objects[kLargePage] = make(ObjectType::kLargePage);
  objects[kAsids] = abi::kSlotAsidControl;
  objects[kPool] = abi::kSlotInitAsidPool;
}

void make_devices() {
  objects[kIrqs] = abi::kSlotIrqControl;
  objects[kHandler] = new_slot();
  CHECK_OK(abi::irq_control_get_msi(abi::kSlotIrqControl, slot_address(objects[kHandler]), 0, 0, 0,
                                    0, 20));
  objects[kPortControl] = abi::kSlotIoPortControl;
  objects[kPorts] = new_slot();
  CHECK_OK(abi::io_port_control_issue(abi::kSlotIoPortControl, 0x80, 0x81,
                                      slot_address(objects[kPorts])));
}

void make_io_spaces() {
  if constexpr (abi::kConfiguration.iommu) {
    objects[kIoSpaces] = abi::kSlotIoSpace;
    objects[kIoTable] = make(ObjectType::kIoPageTable);
  }
}

void make_objects() {
  if (objects[kNothing] != 0) return;
  objects[kNothing] = new_slot();
  objects[kRoot] = abi::kSlotInitCNode;
  make_channels();
  make_memory_objects();
  make_threads();
  make_spaces();
  make_devices();
  make_io_spaces();
}

struct Answer {
  abi::MessageInfo info;
  Word words[5];
};

Answer call_with(CPtr target, Label label, unsigned cap_count, const Object* caps,
                 unsigned word_count, const Word* words) {
  abi::IpcBuffer& buffer = abi::ipc_buffer();
  for (unsigned i = 0; i < cap_count; ++i) buffer.caps_or_badges[i] = objects[caps[i]];
  Word values[kMaxWords] = {};
  for (unsigned i = 0; i < word_count; ++i) values[i] = value_of(words[i]);
  for (unsigned i = abi::kMsgRegisters; i < word_count; ++i) buffer.msg[i] = values[i];
  const abi::Message m =
      abi::call(target, abi::MessageInfo(abi::detail::wire_label(label), 0, cap_count, word_count),
                {values[0], values[1], values[2], values[3]});
  return {m.info, {m.words.mr0, m.words.mr1, m.words.mr2, m.words.mr3, buffer.msg[4]}};
}

// Names the case, so that a failed one can be found.
void check_case(bool good, const abi::MethodInfo& method, unsigned number, const Answer& answer) {
  if (good) return;
  print("\r\n  ");
  print(method.object);
  print("_");
  print(method.name);
  print(", case ");
  print_number(number);
  print(": error ");
  print_number(answer.info.label());
  print(", words ");
  print_number(answer.info.length());
  for (unsigned i = 0; i < answer.info.length() && i < 5; ++i) {
    print(" ");
    print_number(answer.words[i]);
  }
  CHECK(!"the expected error");
}

void run_case(const Case& c, unsigned number) {
  const abi::MethodInfo& method = abi::info_of(c.label);
  const Answer answer =
      call_with(objects[c.target], c.label, method.caps, c.caps, method.words, c.words);
  bool good = answer.info.error() == c.error && answer.info.length() == c.answer_length;
  for (unsigned i = 0; good && i < c.answer_length && i < 4; ++i) {
    good = c.answer[i] == kAny || answer.words[i] == value_of(c.answer[i]);
  }
  check_case(good, method, number, answer);
}

// Which interface each object of the fixture has; empty where messages do not call methods.
constexpr std::string_view interface_of(Object object) {
  constexpr std::string_view kInterfaces[] = {
      "",
      "Untyped",
      "Untyped",
      "Untyped",
      "Tcb",
      "Tcb",
      "Tcb",
      "CNode",
      "CNode",
      "",
      "",
      "",
      "",
      "",
      "",
      "SchedContext",
      "SchedContext",
      "SchedControl",
      "IrqControl",
      "IrqHandler",
      "Domain",
      "Pml4",
      "Pml4",
      "Pdpt",
      "Pdpt",
      "PageDirectory",
      "PageTable",
      "Page",
      "Page",
      "Page",
      "AsidControl",
      "AsidPool",
      "IoPortControl",
      "IoPort",
      "",
      "IoPageTable",
  };
  static_assert(std::size(kInterfaces) == kObjectCount);
  return kInterfaces[object];
}

Object object_with(std::string_view interface) {
  for (unsigned i = 0; i < kObjectCount; ++i) {
    if (interface_of(static_cast<Object>(i)) == interface) return static_cast<Object>(i);
  }
  return kNothing;
}

template <typename Function>
void for_each_method(Function function) {
  for (unsigned i = 0; i < static_cast<unsigned>(Method::kCount); ++i) {
    const auto method = static_cast<Method>(i);
    const abi::MethodInfo& info = abi::info_of(method);
    if (!abi::has_option(abi::kConfiguration, info.option)) continue;
    function(static_cast<Label>(abi::label_number(method)), info);
  }
}

}  // namespace

void each_method_refuses_short_messages() {
  make_objects();
  // CNodes look their first slots up before they ask for more.
  constexpr Object kSome[kMaxCaps] = {kCNode, kCNode, kCNode};
  constexpr Word kWords[kMaxWords] = {1, 2, 0, 2};
  for_each_method([&](Label label, const abi::MethodInfo& method) {
    // This one is refused altogether where there is an I/O APIC.
    if (label == Label::kIrqIssueHandler) return;
    const CPtr target = objects[object_with(method.object)];
    const auto check = [&](unsigned caps, unsigned words) {
      const Answer answer = call_with(target, label, caps, kSome, words, kWords);
      check_case(answer.info.error() == Error::kTruncatedMessage && answer.info.length() == 0,
                 method, words, answer);
    };
    if (method.words != 0) check(method.caps, method.words - 1);
    if (method.caps != 0) check(method.caps - 1, method.words);
  });
}

void each_method_refuses_other_objects() {
  make_objects();
  constexpr Object kSome[kMaxCaps] = {kEndpoint, kEndpoint, kEndpoint};
  constexpr Word kZeros[kMaxWords] = {};
  for_each_method([&](Label label, const abi::MethodInfo& method) {
    for (unsigned i = 0; i < kObjectCount; ++i) {
      const std::string_view interface = interface_of(static_cast<Object>(i));
      if (objects[i] == 0 || interface.empty() || interface == method.object) continue;
      const Answer answer = call_with(objects[i], label, method.caps, kSome, method.words, kZeros);
      check_case(answer.info.error() == Error::kIllegalOperation && answer.info.length() == 0,
                 method, i, answer);
    }
    const Answer answer =
        call_with(objects[kNothing], label, method.caps, kSome, method.words, kZeros);
    check_case(answer.info.error() == Error::kInvalidCapability && answer.info.length() == 1 &&
                   answer.words[0] == 0,
               method, kNothing, answer);
  });
}

void each_error_is_reported_as_the_manual_says() {
  make_objects();
  unsigned number = 0;
  for (const Case& c : kCases) {
    ++number;
    if (abi::has_option(abi::kConfiguration, abi::info_of(c.label).option)) run_case(c, number);
  }
}

}  // namespace lona::test

// SPDX-License-Identifier: BSD-2-Clause
// Boot info, untyped memory, address spaces.
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

constexpr CPtr kVSpace = abi::kSlotInitVSpace;

volatile Word& word_at(Word address) {
  return *reinterpret_cast<volatile Word*>(address);
}

void read_word(Word address) {
  [[maybe_unused]] const Word value = word_at(address);
  park();
}
void write_word(Word address) {
  word_at(address) = 1;
  park();
}

// Runs `entry` on an address that must fault and checks the message about it; `known` are the bits
// of the status that must be as given.
void expect_fault(Thread::Entry entry, Word address, Word status, Word known = ~Word{0}) {
  Thread thread(entry, address);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.badge == kFaultBadge);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kVm));
  CHECK(m.info.length() == abi::vm_fault::kLength);
  CHECK(m.words.mr1 == address);
  CHECK(m.words.mr2 == 0);
  CHECK((m.words.mr3 & known) == status);
}

}  // namespace

void boot_info_describes_the_initial_state() {
  CHECK(info->num_nodes >= 1 && info->node_id == 0);
  CHECK(info->node_id == 0);
  CHECK(info->ipc_buffer != nullptr);
  CHECK(info->sched_control.end == info->sched_control.start + info->num_nodes);
  CHECK(info->user_image_frames.end > info->user_image_frames.start);
  CHECK(info->user_image_paging.end >= info->user_image_paging.start + 3);
  CHECK(info->untyped.end > info->untyped.start);
  CHECK(info->empty.end == Word{1} << info->init_cnode_size_bits);
  CHECK(info->extra_len > 0);
  CHECK(info->extra_bi_pages.end > info->extra_bi_pages.start);
  CHECK(ticks_per_ms() > 100'000);
  // The first frame of the image is readable through its capability, too.
  CHECK(abi::page_get_address(info->user_image_frames.start).error == Error::kNone);
}

void untypeds_are_aligned_and_disjoint() {
  const CPtr count = info->untyped.end - info->untyped.start;
  for (CPtr i = 0; i < count; ++i) {
    const abi::UntypedDesc& a = info->untyped_list[i];
    const Word size = Word{1} << a.size_bits;
    CHECK(a.paddr % size == 0);
    for (CPtr j = 0; j < i; ++j) {
      const abi::UntypedDesc& b = info->untyped_list[j];
      CHECK(a.paddr + size <= b.paddr || b.paddr + (Word{1} << b.size_bits) <= a.paddr);
    }
  }
}

void every_object_type_can_be_made() {
  using enum ObjectType;
  constexpr struct {
    ObjectType type;
    Word size_bits;
  } kObjects[] = {
      {kUntyped, 4},      {kTcb, 0},       {kEndpoint, 0},      {kNotification, 0}, {kCNode, 4},
      {kSchedContext, 8}, {kReply, 0},     {kPdpt, 0},          {kPml4, 0},         {kPage4K, 0},
      {kLargePage, 0},    {kPageTable, 0}, {kPageDirectory, 0},
  };
  for (const auto& object : kObjects) {
    const CPtr slot = make(object.type, object.size_bits);
    if (slot != 0) remove(slot);
  }
}

void retype_refuses_bad_requests() {
  const abi::SlotAddress root{abi::kSlotInitCNode, 0, 0};
  const CPtr slot = new_slot();
  const auto retype = [&](CPtr from, Word type, Word bits, Word offset, Word count) {
    return abi::untyped_retype(from, static_cast<ObjectType>(type), bits, root, offset, count);
  };
  const CPtr page = make(ObjectType::kUntyped, 12);
  CHECK(retype(page, abi::kObjectTypeCount, 0, slot, 1) == Error::kInvalidArgument);
  CHECK(retype(page, static_cast<Word>(ObjectType::kTcb), 0, slot, 0) == Error::kRangeError);
  CHECK(retype(page, static_cast<Word>(ObjectType::kTcb), 0, slot, 257) == Error::kRangeError);
  CHECK(retype(page, static_cast<Word>(ObjectType::kUntyped), 63, slot, 1) == Error::kRangeError);
  CHECK(retype(page, static_cast<Word>(ObjectType::kTcb), 0, page, 1) == Error::kDeleteFirst);
  CHECK(retype(page, static_cast<Word>(ObjectType::kLargePage), 0, slot, 1) ==
        Error::kNotEnoughMemory);
  CHECK(retype(slot, static_cast<Word>(ObjectType::kTcb), 0, slot, 1) == Error::kInvalidCapability);
  remove(page);
}

void two_mappings_of_a_frame_show_the_same_bytes() {
  const Word address = unused_address();
  map_tables_at(kVSpace, address);
  const CPtr page = make(ObjectType::kPage4K), copy = new_slot();
  CHECK_OK(abi::cnode_copy(slot_address(copy), slot_address(page), abi::kAllRights));
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
  CHECK_OK(abi::page_map(copy, kVSpace, address + 4096, abi::kCanRead));
  CHECK(word_at(address) == 0);
  word_at(address + 8) = 42;
  CHECK(word_at(address + 4096 + 8) == 42);
  CHECK(abi::page_get_address(page).value == abi::page_get_address(copy).value);
  // The same place again changes the rights only.
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kCanRead));
  CHECK(abi::page_map(page, kVSpace, address + 8192, abi::kCanRead) == Error::kInvalidArgument);
  remove(copy);
  remove(page);
}

void a_page_takes_the_place_of_another() {
  const Word address = unused_address();
  const CPtr first = make(ObjectType::kPage4K), second = make(ObjectType::kPage4K);
  map_tables_at(kVSpace, address);
  CHECK_OK(abi::page_map(first, kVSpace, address, abi::kReadWrite));
  word_at(address) = 1;
  CHECK_OK(abi::page_map(second, kVSpace, address, abi::kReadWrite));
  CHECK(word_at(address) == 0);
  word_at(address) = 2;
  // The first one's mapping is gone: taking it back changes nothing, elsewhere it is refused.
  CHECK(abi::page_map(first, kVSpace, address + 4096, abi::kReadWrite) == Error::kInvalidArgument);
  CHECK_OK(abi::page_unmap(first));
  CHECK(word_at(address) == 2);
  CHECK_OK(abi::page_map(first, kVSpace, address, abi::kReadWrite));
  CHECK(word_at(address) == 1);
  remove(second);
  CHECK(word_at(address) == 1);
  // A copy of the same page, too, and with its own rights.
  const CPtr copy = new_slot();
  CHECK_OK(abi::cnode_copy(slot_address(copy), slot_address(first), abi::kCanRead));
  CHECK_OK(abi::page_map(copy, kVSpace, address, abi::kReadWrite));
  CHECK(word_at(address) == 1);
  remove(copy);
  remove(first);
}

void mapping_reports_the_missing_level() {
  const Word address = unused_address();
  const CPtr page = make(ObjectType::kPage4K);
  const auto missing = [&] {
    const auto result = abi::page_map_or_level(page, kVSpace, address, abi::kReadWrite);
    CHECK(result.error == Error::kFailedLookup);
    return result.lookup_bits;
  };
  CHECK(missing() == abi::kLookupNoPdpt);
  CHECK(abi::page_table_map(make(ObjectType::kPageTable), kVSpace, address) ==
        Error::kFailedLookup);
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), kVSpace, address));
  CHECK(missing() == abi::kLookupNoPageDirectory);
  CHECK_OK(abi::page_directory_map(make(ObjectType::kPageDirectory), kVSpace, address));
  CHECK(missing() == abi::kLookupNoPageTable);
  CHECK_OK(abi::page_table_map(make(ObjectType::kPageTable), kVSpace, address));
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
  CHECK(abi::page_table_map(make(ObjectType::kPageTable), kVSpace, address) == Error::kDeleteFirst);
}

void mapping_refuses_bad_addresses() {
  const CPtr page = make(ObjectType::kPage4K);
  const auto map = [&](Word address) {
    return abi::page_map(page, kVSpace, address, abi::kReadWrite);
  };
  CHECK(map(0x1001) == Error::kAlignmentError);
  CHECK(map(abi::kUserTop) == Error::kInvalidArgument);
  CHECK(map(0xffff'ffff'8010'0000) == Error::kInvalidArgument);
  CHECK(map(0xffff'ff00'0000'0000) == Error::kInvalidArgument);
  CHECK(map(0x0001'0000'0000'0000) == Error::kInvalidArgument);
  CHECK(abi::pdpt_map(make(ObjectType::kPdpt), kVSpace, 0xffff'ff00'0000'0000) ==
        Error::kInvalidArgument);
  CHECK(abi::page_map(page, make(ObjectType::kPml4), 0x1000, abi::kReadWrite) ==
        Error::kInvalidCapability);
  CHECK(abi::page_map(page, page, 0x1000, abi::kReadWrite) == Error::kInvalidCapability);
}

void a_table_cannot_be_mapped_twice() {
  const Word address = unused_address();
  const CPtr table = make(ObjectType::kPdpt), copy = new_slot();
  CHECK(abi::cnode_copy(slot_address(copy), slot_address(table), abi::kAllRights) ==
        Error::kIllegalOperation);
  CHECK_OK(abi::pdpt_map(table, kVSpace, address));
  CHECK(abi::pdpt_map(table, kVSpace, address + (Word{1} << 39)) == Error::kInvalidCapability);
  CHECK_OK(abi::cnode_copy(slot_address(copy), slot_address(table), abi::kAllRights));
  CHECK(abi::pdpt_unmap(table) == Error::kRevokeFirst);
  remove(copy);
  CHECK_OK(abi::pdpt_unmap(table));
  CHECK_OK(abi::pdpt_map(table, kVSpace, address));
  remove(table);
}

void large_pages_can_be_mapped() {
  const Word address = unused_address();
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), kVSpace, address));
  CHECK_OK(abi::page_directory_map(make(ObjectType::kPageDirectory), kVSpace, address));
  const CPtr page = make(ObjectType::kLargePage);
  CHECK(abi::page_map(page, kVSpace, address + 4096, abi::kReadWrite) == Error::kAlignmentError);
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
  constexpr Word kLast = (1 << 21) - 8;
  word_at(address + kLast) = 7;
  CHECK(word_at(address + kLast) == 7);
  // A small page does not fit below it.
  CHECK(abi::page_map(make(ObjectType::kPage4K), kVSpace, address, abi::kReadWrite) ==
        Error::kFailedLookup);
  CHECK_OK(abi::page_unmap(page));
  expect_fault(read_word, address + kLast, abi::vm_fault::kStatusUser);
  remove(page);
}

namespace {

bool processor_has_huge_pages() {
  unsigned eax = 0x80000001, ebx = 0, ecx = 0, edx = 0;
  asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return (edx >> 26 & 1) != 0;
}

// RAM if there is enough, otherwise addresses of devices; 0 for none.
CPtr huge_page(bool& is_ram) {
  const abi::SlotAddress root{abi::kSlotInitCNode, 0, 0};
  for (const bool device : {false, true}) {
    for (CPtr i = 0; i < info->untyped.end - info->untyped.start; ++i) {
      const abi::UntypedDesc& untyped = info->untyped_list[i];
      if (untyped.size_bits < abi::kHugePageBits || (untyped.is_device != 0) != device) continue;
      if (info->untyped.start + i == memory_untyped()) continue;  // all else comes from there
      const CPtr slot = new_slot();
      is_ram = !device;
      if (abi::untyped_retype(info->untyped.start + i, ObjectType::kHugePage, 0, root, slot, 1) ==
          Error::kNone) {
        return slot;
      }
    }
  }
  return 0;
}

}  // namespace

void huge_pages_can_be_mapped_where_the_processor_has_them() {
  const Word address = unused_address();
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), kVSpace, address));
  bool is_ram = false;
  const CPtr page = huge_page(is_ram);
  CHECK(page != 0);
  if (page == 0) return;
  if (!processor_has_huge_pages()) {
    CHECK(abi::page_map(page, kVSpace, address, abi::kReadWrite) == Error::kIllegalOperation);
    return remove(page);
  }
  CHECK(abi::page_map(page, kVSpace, address + (1 << 21), abi::kReadWrite) ==
        Error::kAlignmentError);
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
  constexpr Word kLast = (1 << 30) - 8;
  if (is_ram) {
    CHECK(word_at(address + kLast) == 0);
    word_at(address + kLast) = 7;
    CHECK(word_at(address + kLast) == 7);
  }
  CHECK_OK(abi::page_unmap(page));
  expect_fault(read_word, address + kLast, abi::vm_fault::kStatusUser);
  remove(page);
}

void an_unmapped_page_faults() {
  const Word address = unused_address();
  expect_fault(read_word, address, abi::vm_fault::kStatusUser);
  map_tables_at(kVSpace, address);
  const CPtr page = make(ObjectType::kPage4K);
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
  word_at(address) = 1;
  CHECK_OK(abi::page_unmap(page));
  expect_fault(write_word, address, abi::vm_fault::kStatusUser | abi::vm_fault::kStatusWrite);
  // The kernel's own memory is beyond reach, mapped or not.
  for (const Word kernel : {0xffff'ffff'8010'2000, 0xffff'ff00'0010'0000, ~Word{0} & ~Word{4095}}) {
    expect_fault(read_word, kernel, abi::vm_fault::kStatusUser, abi::vm_fault::kStatusUser);
  }
}

void a_read_only_page_refuses_writes() {
  const Word address = unused_address();
  map_tables_at(kVSpace, address);
  const CPtr page = make(ObjectType::kPage4K), weak = new_slot();
  CHECK_OK(abi::cnode_copy(slot_address(weak), slot_address(page), abi::kCanRead));
  // Asking for more than the capability allows gives what it allows.
  CHECK_OK(abi::page_map(weak, kVSpace, address, abi::kReadWrite));
  CHECK(word_at(address) == 0);
  expect_fault(
      write_word, address,
      abi::vm_fault::kStatusUser | abi::vm_fault::kStatusWrite | abi::vm_fault::kStatusPresent);
}

void a_deleted_frame_is_unmapped() {
  const Word address = unused_address();
  map_tables_at(kVSpace, address);
  const CPtr page = make(ObjectType::kPage4K);
  CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
  word_at(address) = 1;
  remove(page);
  expect_fault(read_word, address, abi::vm_fault::kStatusUser);
}

void revoking_memory_gives_it_back_zeroed() {
  const Word address = unused_address();
  map_tables_at(kVSpace, address);
  const CPtr memory = make(ObjectType::kUntyped, 12);
  const abi::SlotAddress root{abi::kSlotInitCNode, 0, 0};
  for (unsigned round = 0; round < 3; ++round) {
    const CPtr page = new_slot();
    CHECK_OK(abi::untyped_retype(memory, ObjectType::kPage4K, 0, root, page, 1));
    CHECK_OK(abi::page_map(page, kVSpace, address, abi::kReadWrite));
    CHECK(word_at(address + 128) == 0);
    word_at(address + 128) = 99;
    CHECK_OK(abi::cnode_revoke(slot_address(memory)));
    CHECK(abi::page_get_address(page).error == Error::kInvalidCapability);
  }
}

void address_spaces_come_from_asid_pools() {
  const CPtr space = make(ObjectType::kPml4), pool = new_slot(),
             memory = make(ObjectType::kUntyped, 12);
  CHECK_OK(abi::asid_control_make_pool(abi::kSlotAsidControl, memory, slot_address(pool)));
  CHECK(abi::asid_control_make_pool(abi::kSlotAsidControl, memory, slot_address(new_slot())) ==
        Error::kRevokeFirst);
  CHECK_OK(abi::asid_pool_assign(pool, space));
  CHECK(abi::asid_pool_assign(pool, space) == Error::kInvalidCapability);
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), space, 0x1000));
  // With the pool goes what depends on it.
  CHECK_OK(abi::cnode_revoke(slot_address(memory)));
  CHECK(abi::pdpt_map(make(ObjectType::kPdpt), space, 0x1000) == Error::kFailedLookup);
  remove(space);
  // Seven pools are free besides the first one; the next request fails, and a freed one is reused.
  CPtr memories[8];
  unsigned made = 0;
  for (CPtr& m : memories) {
    m = make(ObjectType::kUntyped, 12);
    made += abi::asid_control_make_pool(abi::kSlotAsidControl, m, slot_address(new_slot())) ==
            Error::kNone;
  }
  CHECK(made == 7);
  for (const CPtr m : memories) CHECK_OK(abi::cnode_revoke(slot_address(m)));
}

void a_thread_without_address_space_does_not_run_away() {
  const CPtr space = make(ObjectType::kPml4);
  CHECK_OK(abi::asid_pool_assign(abi::kSlotInitAsidPool, space));
  Thread thread(read_word, 0);
  const CPtr handler = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(handler), slot_address(thread.fault_endpoint()),
                           abi::kAllRights, kFaultBadge));
  CHECK_OK(
      abi::tcb_set_space(thread.tcb(), handler, abi::kSlotInitCNode, abi::CNodeData{0}, space));
  remove(space);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kVm));
  CHECK(m.words.mr2 == 1);
}

}  // namespace lona::test

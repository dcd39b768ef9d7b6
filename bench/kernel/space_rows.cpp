// SPDX-License-Identifier: BSD-2-Clause
// Pages, page tables and whole address spaces.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

constexpr unsigned kRepetitions = 9;
constexpr CPtr kSpace = abi::kSlotInitVSpace;
constexpr Word kPage = 4096;

Op map_table(Label label, CPtr table, CPtr space, Word address) {
  return invocation(table, label, {space}, {address, 0});
}
Op map_page(CPtr page, CPtr space, Word address, abi::CapRights rights = abi::kReadWrite) {
  return invocation(page, Label::kX86PageMap, {space}, {address, rights.raw(), 0});
}
Op unmap_page(CPtr page) {
  return invocation(page, Label::kX86PageUnmap);
}

void table_rows() {
  Row pdpt, directory, table, error;
  const CPtr page = make(ObjectType::kPage4K);
  for (unsigned i = 0; i < kRepetitions; ++i) {
    const Word address = test::unused_address();
    pdpt.run(map_table(Label::kX86PdptMap, make(ObjectType::kPdpt), kSpace, address));
    directory.run(
        map_table(Label::kX86PageDirectoryMap, make(ObjectType::kPageDirectory), kSpace, address));
    error.run(map_page(page, kSpace, address), Error::kFailedLookup);
    table.run(map_table(Label::kX86PageTableMap, make(ObjectType::kPageTable), kSpace, address));
  }
  pdpt.print("map: PDPT");
  directory.print("map: page directory");
  table.print("map: page table");
  error.print("map: 4K frame, error path (no page table)");
}

void page_rows() {
  const Word address = test::unused_address();
  test::map_tables_at(kSpace, address);
  const CPtr page = make(ObjectType::kPage4K), memory = make(ObjectType::kUntyped, 12),
             slot = new_slot();
  Row fresh, again, mapped, unmapped, deletion;
  for (unsigned i = 0; i < kRepetitions; ++i) {
    fresh.run(map_page(page, kSpace, address));
    again.run(map_page(page, kSpace, address, abi::kCanRead));
    mapped.run(unmap_page(page));
    unmapped.run(unmap_page(page));
    CHECK_OK(
        abi::untyped_retype(memory, ObjectType::kPage4K, 0, {abi::kSlotInitCNode, 0, 0}, slot, 1));
    CHECK_OK(abi::page_map(slot, kSpace, address, abi::kReadWrite));
    deletion.run(invocation(abi::kSlotInitCNode, Label::kCNodeDelete, {}, {slot, abi::kWordBits}));
  }
  fresh.print("map: 4K frame, fresh");
  again.print("map: 4K frame, remap same vaddr with new rights");
  mapped.print("unmap: 4K frame, mapped in current AS");
  unmapped.print("unmap: 4K frame cap that is not mapped");
  deletion.print("delete: final 4K frame cap, mapped (implicit unmap)");
}

void full_table_row() {
  constexpr unsigned kPages = 128;
  const Word address = test::unused_address();
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), kSpace, address));
  CHECK_OK(abi::page_directory_map(make(ObjectType::kPageDirectory), kSpace, address));
  const CPtr table = make(ObjectType::kPageTable);
  CPtr pages[kPages];
  for (CPtr& page : pages) page = make(ObjectType::kPage4K);
  Row row;
  for (unsigned i = 0; i < 3; ++i) {
    CHECK_OK(abi::page_table_map(table, kSpace, address));
    for (unsigned p = 0; p < kPages; ++p) {
      // After the table is gone a cap still says where it was mapped.
      CHECK_OK(abi::page_unmap(pages[p]));
      CHECK_OK(abi::page_map(pages[p], kSpace, address + p * kPage, abi::kReadWrite));
    }
    row.run(invocation(table, Label::kX86PageTableUnmap));
  }
  row.print("unmap: page table with 128 live PTEs");
}

void large_page_rows() {
  const Word address = test::unused_address();
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), kSpace, address));
  CHECK_OK(abi::page_directory_map(make(ObjectType::kPageDirectory), kSpace, address));
  const CPtr page = make(ObjectType::kLargePage);
  Row map, unmap;
  for (unsigned i = 0; i < kRepetitions; ++i) {
    map.run(map_page(page, kSpace, address));
    unmap.run(unmap_page(page));
  }
  map.print("map: 2M frame");
  unmap.print("unmap: 2M frame");
}

struct SpaceRows {
  Row assign, create, deletion, rest;
};

void life_of_a_space(SpaceRows& rows, CPtr memory, CPtr first) {
  constexpr ObjectType kTypes[] = {ObjectType::kPml4, ObjectType::kPdpt, ObjectType::kPageDirectory,
                                   ObjectType::kPageTable, ObjectType::kPage4K};
  constexpr Word kAddress = 0x40'0000;
  const CPtr pml4 = first;
  Word sum = 0;
  const auto step = [&](Op op) {
    timed(&op);
    CHECK_OK(op.error());
    sum += own(op);
    return own(op);
  };
  for (unsigned i = 0; i < std::size(kTypes); ++i) {
    step(invocation(memory, Label::kUntypedRetype, {abi::kSlotInitCNode},
                    {static_cast<Word>(kTypes[i]), 0, 0, 0, first + i, 1}));
  }
  rows.assign.add(step(invocation(abi::kSlotInitAsidPool, Label::kX86AsidPoolAssign, {pml4}, {})));
  step(map_table(Label::kX86PdptMap, first + 1, pml4, kAddress));
  step(map_table(Label::kX86PageDirectoryMap, first + 2, pml4, kAddress));
  step(map_table(Label::kX86PageTableMap, first + 3, pml4, kAddress));
  step(map_page(first + 4, pml4, kAddress));
  rows.create.add(sum);
  rows.deletion.run(
      invocation(abi::kSlotInitCNode, Label::kCNodeDelete, {}, {pml4, abi::kWordBits}));
  rows.rest.run(invocation(abi::kSlotInitCNode, Label::kCNodeRevoke, {}, {memory, abi::kWordBits}));
}

}  // namespace

void mapping_rows() {
  table_rows();
  page_rows();
  full_table_row();
  large_page_rows();
}

void space_rows() {
  const CPtr memory = make(ObjectType::kUntyped, 15), first = new_slot();
  for (unsigned i = 1; i < 5; ++i) (void)new_slot();
  SpaceRows rows;
  for (unsigned i = 0; i < 5; ++i) life_of_a_space(rows, memory, first);
  rows.assign.print("vspace: ASIDPool_Assign");
  rows.create.print("vspace: create minimal (PML4+ASID+PDPT+PD+PT+1 frame, map all)");
  rows.deletion.print("vspace: delete final PML4 cap with live tree");
  rows.rest.print("vspace: revoke the rest (5 objects)");
}

}  // namespace lona::bench

// SPDX-License-Identifier: BSD-2-Clause
// Methods that map into the address spaces of devices (manual, "I/O Space").
#include "kernel/arch/x86_64/vtd.hpp"

namespace lona::kernel {

namespace {

using abi::Label;

struct Space {
  unsigned device;
  unsigned domain;
};

// The I/O space named by the first extra cap; the initial one belongs to no device.
Result<Space> decode_io_space(const Invocation& invocation) {
  const Cap& cap = invocation.extra[0]->cap;
  if (!cap.is(CapType::kIoSpace) || cap.io_device() == 0 || vtd_levels() == 0) {
    return fail(Failure::invalid_capability(1));
  }
  // A device has one address space, whatever domains its capabilities name.
  const IoRoot root = io_root_of(cap.io_device());
  if (root.table != nullptr && root.domain != cap.io_domain()) {
    return fail(Failure::invalid_capability(1));
  }
  return Space{cap.io_device(), cap.io_domain()};
}

Result<Word> decode_address(const Invocation& invocation, unsigned word) {
  const Word address = invocation.arg(word);
  if (address >> io_bits_at(0, vtd_levels()) != 0) return fail(Failure::invalid_argument(word));
  return address & ~Word{4095};
}

// --- Tables --------------------------------------------------------------------------------------

struct TableMapRequest {
  Space space;
  Word address;
  unsigned level;
  IoEntry* entry;  // null: the table becomes the root
};

Result<TableMapRequest> decode_table_map(const Invocation& invocation) {
  if (invocation.too_short<Label::kX86IoPageTableMap>()) return fail(Failure::truncated());
  if (invocation.cap.is_mapped()) return fail(Failure::invalid_capability(0));
  const Space space = TRY(decode_io_space(invocation));
  const Word address = TRY(decode_address(invocation, 0));
  const IoRoot root = io_root_of(space.device);
  if (root.table == nullptr) return TableMapRequest{space, address, 0, nullptr};
  const unsigned levels = vtd_levels();
  const auto last = find_io_entry(*root.table, address, levels - 1, levels);
  if (last) return fail(Failure::delete_first());
  const unsigned level = last.error().level;
  return TableMapRequest{space, address, level,
                         *find_io_entry(*root.table, address, level - 1, levels)};
}

Done invoke_table_map(const TableMapRequest& request, Slot& slot) {
  auto& table = *slot.cap.object<IoTable>();
  io_flush_table(table);
  slot.cap.set_io_mapping(request.space.device, request.address);
  slot.cap.set_io_level(request.level);
  if (request.entry == nullptr) {
    io_set_root(request.space.device, request.space.domain, table);
  } else {
    io_set_entry(*request.entry, io_entry::make(to_phys(&table), true, true));
  }
  return {};
}

Done invoke_table_unmap(Slot& slot) {
  const Cap& cap = slot.cap;
  if (cap.is_mapped()) {
    io_unmap_table(cap.mapped_device(), cap.mapped_vaddr(), cap.io_level(), cap.paddr());
    cap.object<IoTable>()->fill(0);
    slot.cap.clear_mapping();
    slot.cap.set_io_level(0);
  }
  return {};
}

// --- Pages ---------------------------------------------------------------------------------------

struct PageMapRequest {
  Space space;
  Word address;
  IoEntry* entry;
  IoEntry value;
};

Result<PageMapRequest> decode_page_map(const Invocation& invocation) {
  if (invocation.too_short<Label::kX86PageMapIo>()) return fail(Failure::truncated());
  const Cap& cap = invocation.cap;
  if (cap.page_size() != PageSize::k4K || cap.is_mapped()) {
    return fail(Failure::invalid_capability(0));
  }
  const Space space = TRY(decode_io_space(invocation));
  const Word address = TRY(decode_address(invocation, 1));
  const abi::CapRights rights = cap.rights() & abi::CapRights(invocation.arg(0));
  if (!rights.read() && !rights.write()) return fail(Failure::invalid_argument(0));
  const unsigned levels = vtd_levels();
  const IoRoot root = io_root_of(space.device);
  const auto missing = [&](unsigned level) {
    return fail(Failure::failed_lookup(false, LookupFault::missing(io_bits_at(level, levels))));
  };
  if (root.table == nullptr) return missing(0);
  const auto entry = find_io_entry(*root.table, address, levels - 1, levels);
  if (!entry) return missing(entry.error().level);
  if (io_entry::present(**entry)) return fail(Failure::delete_first());
  return PageMapRequest{space, address, *entry,
                        io_entry::make(cap.paddr(), rights.read(), rights.write())};
}

Done invoke_page_map(const PageMapRequest& request, Slot& slot) {
  slot.cap.set_io_mapping(request.space.device, request.address);
  io_set_entry(*request.entry, request.value);
  return {};
}

}  // namespace

Result<Done> decode_io_page_table(Invocation& invocation) {
  switch (invocation.label) {
    case Label::kX86IoPageTableMap:
      return invoke_table_map(TRY(decode_table_map(invocation)), *invocation.slot);
    case Label::kX86IoPageTableUnmap:
      return invoke_table_unmap(*invocation.slot);
    default:
      return fail(Failure::illegal_operation());
  }
}

Result<Done> decode_page_map_io(Invocation& invocation) {
  return invoke_page_map(TRY(decode_page_map(invocation)), *invocation.slot);
}

}  // namespace lona::kernel

// SPDX-License-Identifier: BSD-2-Clause
// Methods of pages, page tables and address space identifiers (manual, chapter "Address Spaces and
// Virtual Memory"). Argument numbers in errors: caps count from the invoked one.
#include "abi/sel4/types.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/io_ports.hpp"
#include "kernel/arch/x86_64/vspace.hpp"
#include "kernel/arch/x86_64/vtd.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

namespace {

using abi::Label;

constexpr Word kAttributeMask = 7;

struct Space {
  unsigned asid;
  PageTable* root;
};

// The address space named by the first extra cap.
Result<Space> decode_space(const Invocation& invocation) {
  const Cap& cap = invocation.extra[0]->cap;
  if (!cap.is(CapType::kPml4) || !cap.is_mapped()) return fail(Failure::invalid_capability(1));
  PageTable* root = vspace_of(cap.mapped_asid());
  if (root == nullptr) return fail(Failure::failed_lookup(false, LookupFault::invalid_root()));
  if (to_phys(root) != cap.paddr()) return fail(Failure::invalid_capability(1));
  return Space{cap.mapped_asid(), root};
}

// The entry at `level`, with all tables above it in place.
Result<PageEntry*> decode_entry(const Space& space, Word address, PageLevel level) {
  const auto entry = find_entry(*space.root, address, level);
  if (!entry) {
    return fail(Failure::failed_lookup(
        false, LookupFault::missing(static_cast<unsigned>(entry.error().level))));
  }
  return *entry;
}

// --- Pages ---------------------------------------------------------------------------------------

struct PageMapRequest {
  Space space;
  Word address;
  PageEntry* entry;
  PageEntry value;
};

Result<void> check_new_page_address(Word address, Word bytes) {
  if (address % bytes != 0) return fail(Failure::alignment());
  if (address >= kUserTop || bytes > kUserTop - address) return fail(Failure::invalid_argument(0));
  return {};
}

Result<PageMapRequest> decode_page_map(const Invocation& invocation) {
  if (invocation.too_short<Label::kX86PageMap>()) return fail(Failure::truncated());
  const Cap& cap = invocation.cap;
  const Word address = invocation.arg(0);
  const abi::CapRights rights = cap.rights() & abi::CapRights(invocation.arg(1));
  const Word attributes = invocation.arg(2) & kAttributeMask;
  const PageLevel level = level_of(cap.page_size());
  if (level == PageLevel::kPdpt && !cpu_features.huge_pages) {
    return fail(Failure::illegal_operation());
  }

  PageMapRequest request{TRY(decode_space(invocation)), address, nullptr, 0};
  if (cap.map_kind() == MapKind::kIoSpace) return fail(Failure::illegal_operation());
  if (cap.is_mapped()) {
    // The same place again: rights or attributes change.
    if (cap.mapped_asid() != request.space.asid) return fail(Failure::invalid_capability(1));
    if (cap.mapped_vaddr() != address) return fail(Failure::invalid_argument(0));
  } else {
    TRY(check_new_page_address(address, Word{1} << page_size_bits(cap.page_size())));
  }
  request.entry = TRY(decode_entry(request.space, address, level));
  // The manual leaves open what happens to another page that is mapped there. Programs count on
  // seL4's answer: this one takes its place, and its capability still says where it was.
  if (entry_present(*request.entry) && !entry_is_page(*request.entry, level)) {
    return fail(Failure::delete_first());
  }
  request.value = make_page_entry(cap.paddr(), level, rights, attributes);
  return request;
}

Done invoke_page_map(const PageMapRequest& request, Slot& slot) {
  slot.cap.set_mapping(request.space.asid, request.address);
  const bool replaces = entry_present(*request.entry);
  *request.entry = request.value;
  if (replaces) forget_page(*request.space.root, request.address);
  return {};
}

Done invoke_page_unmap(Slot& slot) {
  forget_mapping(slot.cap);
  slot.cap.clear_mapping();
  return {};
}

Result<Done> decode_page(Invocation& invocation) {
  switch (invocation.label) {
    case Label::kX86PageMap:
      return invoke_page_map(TRY(decode_page_map(invocation)), *invocation.slot);
    case Label::kX86PageUnmap:
      return invoke_page_unmap(*invocation.slot);
    case Label::kX86PageGetAddress:
      set_reply_word(invocation.caller, 0, invocation.cap.paddr());
      return Done{Done::kReply, 1};
    case Label::kX86PageMapIo:
      if constexpr (abi::kConfiguration.iommu) return decode_page_map_io(invocation);
      return fail(Failure::illegal_operation());
    default:
      return fail(Failure::illegal_operation());
  }
}

// --- Tables --------------------------------------------------------------------------------------

struct TableKind {
  CapType type;
  PageLevel parent;
  Label map;
  Label unmap;
};
constexpr TableKind kTableKinds[] = {
    {CapType::kPageTable, PageLevel::kDirectory, Label::kX86PageTableMap,
     Label::kX86PageTableUnmap},
    {CapType::kPageDirectory, PageLevel::kPdpt, Label::kX86PageDirectoryMap,
     Label::kX86PageDirectoryUnmap},
    {CapType::kPdpt, PageLevel::kPml4, Label::kX86PdptMap, Label::kX86PdptUnmap},
};

struct TableMapRequest {
  Space space;
  Word address;
  PageEntry* entry;
};

Result<TableMapRequest> decode_table_map(const Invocation& invocation, const TableKind& kind) {
  if (invocation.too_short<Label::kX86PageTableMap>()) return fail(Failure::truncated());
  if (invocation.cap.is_mapped()) return fail(Failure::invalid_capability(0));
  // Bits inside the table's reach do not matter.
  const Word reach = Word{1} << static_cast<unsigned>(kind.parent);
  const Word address = invocation.arg(0) & ~(reach - 1);
  TableMapRequest request{TRY(decode_space(invocation)), address, nullptr};
  if (invocation.arg(0) >= kUserTop) return fail(Failure::invalid_argument(0));
  request.entry = TRY(decode_entry(request.space, address, kind.parent));
  if (entry_present(*request.entry)) return fail(Failure::delete_first());
  return request;
}

Done invoke_table_map(const TableMapRequest& request, Slot& slot) {
  slot.cap.set_mapping(request.space.asid, request.address);
  *request.entry = make_table_entry(slot.cap.paddr());
  return {};
}

Done invoke_table_unmap(Slot& slot, const TableKind& kind) {
  const Cap& cap = slot.cap;
  if (cap.is_mapped()) {
    unmap_table(cap.mapped_asid(), cap.mapped_vaddr(), kind.parent, cap.paddr());
    cap.object<PageTable>()->fill(0);
    slot.cap.clear_mapping();
  }
  return {};
}

Result<Done> decode_table(Invocation& invocation, const TableKind& kind) {
  if (invocation.label == kind.map) {
    return invoke_table_map(TRY(decode_table_map(invocation, kind)), *invocation.slot);
  }
  if (invocation.label == kind.unmap) {
    if (!is_final(*invocation.slot)) return fail(Failure::revoke_first());
    return invoke_table_unmap(*invocation.slot, kind);
  }
  return fail(Failure::illegal_operation());
}

// --- Address space identifiers -------------------------------------------------------------------

struct MakePoolRequest {
  Slot* untyped;
  Slot* target;
  unsigned base;
};

Result<MakePoolRequest> decode_make_pool(const Invocation& invocation) {
  if (invocation.too_short<Label::kX86AsidControlMakePool>()) return fail(Failure::truncated());
  const FreeAsids free = find_free_asids();
  if (!free.found) return fail(Failure::delete_first());
  Slot& untyped = *invocation.extra[0];
  if (!untyped.cap.is(CapType::kUntyped) || untyped.cap.untyped_size_bits() != abi::kAsidPoolBits ||
      untyped.cap.untyped_is_device()) {
    return fail(Failure::invalid_capability(1));
  }
  if (has_children(untyped)) return fail(Failure::revoke_first());
  Slot* target =
      TRY(lookup_target_slot(invocation.extra[1]->cap, invocation.arg(0), invocation.arg(1)));
  TRY(ensure_empty(*target));
  return MakePoolRequest{&untyped, target, free.base};
}

Done invoke_make_pool(const MakePoolRequest& request) {
  auto& pool = *request.untyped->cap.object<AsidPool>();
  request.untyped->cap.set_untyped(sizeof(AsidPool), 0);
  pool.roots.fill(nullptr);
  asid_add_pool(request.base, pool);
  insert_child(*request.untyped, *request.target, Cap::asid_pool(to_phys(&pool), request.base));
  return {};
}

struct AssignRequest {
  Slot* root;
  unsigned asid;
};

Result<AssignRequest> decode_assign(const Invocation& invocation) {
  if (invocation.too_short<Label::kX86AsidPoolAssign>()) return fail(Failure::truncated());
  Slot& root = *invocation.extra[0];
  if (!root.cap.is(CapType::kPml4) || root.cap.is_mapped()) {
    return fail(Failure::invalid_capability(1));
  }
  const unsigned base = invocation.cap.asid_base();
  const AsidPool* pool = asid_pool_at(base);
  if (pool == nullptr) {
    return fail(Failure::failed_lookup(false, LookupFault::invalid_root()));
  }
  if (pool != invocation.cap.object<AsidPool>()) return fail(Failure::invalid_capability(0));
  // Number 0 names no address space.
  for (unsigned i = base == 0 ? 1 : 0; i < kAsidsPerPool; ++i) {
    if (pool->roots[i] == nullptr) return AssignRequest{&root, base + i};
  }
  return fail(Failure::delete_first());
}

Done invoke_assign(const AssignRequest& request) {
  request.root->cap.set_mapping(request.asid, 0);
  asid_assign(request.asid, *request.root->cap.object<PageTable>());
  return {};
}

}  // namespace

Result<Done> arch::decode_invocation(Invocation& invocation) {
  const CapType type = invocation.cap.type();
  for (const TableKind& kind : kTableKinds) {
    if (kind.type == type) return decode_table(invocation, kind);
  }
  switch (type) {
    case CapType::kPage:
      return decode_page(invocation);
    case CapType::kAsidControl:
      if (invocation.label != Label::kX86AsidControlMakePool) break;
      return invoke_make_pool(TRY(decode_make_pool(invocation)));
    case CapType::kAsidPool:
      if (invocation.label != Label::kX86AsidPoolAssign) break;
      return invoke_assign(TRY(decode_assign(invocation)));
    case CapType::kIoPageTable:
      if constexpr (abi::kConfiguration.iommu) return decode_io_page_table(invocation);
      break;
    case CapType::kIoPortControl:
      return decode_io_port_control(invocation);
    case CapType::kIoPort:
      return decode_io_port(invocation);
    default:
      break;
  }
  return fail(Failure::illegal_operation());
}

}  // namespace lona::kernel

// SPDX-License-Identifier: BSD-2-Clause
// Object types of the architecture: sizes, creation, copying and deletion of their capabilities.
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/io_ports.hpp"
#include "kernel/arch/x86_64/vspace.hpp"
#include "kernel/arch/x86_64/vtd.hpp"
#include "kernel/arch/x86_64/window.hpp"

namespace lona::kernel::arch {

using abi::ObjectType;

unsigned object_size_bits(ObjectType type) {
  switch (type) {
    case ObjectType::kPage4K:
      return abi::kPageBits;
    case ObjectType::kLargePage:
      return abi::kLargePageBits;
    case ObjectType::kHugePage:
      return abi::kHugePageBits;
    case ObjectType::kPageTable:
    case ObjectType::kPageDirectory:
    case ObjectType::kPdpt:
    case ObjectType::kPml4:
    case ObjectType::kIoPageTable:
      return abi::kPageTableBits;
    default:
      return 0;
  }
}

bool is_frame_type(ObjectType type) {
  return type == ObjectType::kPage4K || type == ObjectType::kLargePage ||
         type == ObjectType::kHugePage;
}

Cap cap_of_object(ObjectType type, PhysAddr address, bool device) {
  switch (type) {
    case ObjectType::kPage4K:
      return Cap::page(address, PageSize::k4K, device, abi::kReadWrite);
    case ObjectType::kLargePage:
      return Cap::page(address, PageSize::k2M, device, abi::kReadWrite);
    case ObjectType::kHugePage:
      return Cap::page(address, PageSize::k1G, device, abi::kReadWrite);
    case ObjectType::kPageTable:
      return Cap::table(CapType::kPageTable, address);
    case ObjectType::kPageDirectory:
      return Cap::table(CapType::kPageDirectory, address);
    case ObjectType::kPdpt:
      return Cap::table(CapType::kPdpt, address);
    case ObjectType::kPml4:
      return Cap::table(CapType::kPml4, address);
    case ObjectType::kIoPageTable:
      return Cap::table(CapType::kIoPageTable, address);
    default:
      return {};
  }
}

void prepare_object(ObjectType type, const Cap& cap) {
  if (type == ObjectType::kPml4) copy_kernel_window(*cap.object<PageTable>());
}

Result<Cap> derive(const Cap& cap) {
  Cap copy = cap;
  switch (cap.type()) {
    case CapType::kPage:
      // Each capability remembers one mapping; the copy has none yet.
      copy.clear_mapping();
      return copy;
    case CapType::kPageTable:
    case CapType::kPageDirectory:
    case CapType::kPdpt:
    case CapType::kPml4:
    case CapType::kIoPageTable:
      // Two unmapped capabilities could map one table twice.
      if (!cap.is_mapped()) return fail(Failure::illegal_operation());
      return copy;
    default:
      return copy;
  }
}

Cap mask_rights(const Cap& cap, abi::CapRights rights) {
  Cap masked = cap;
  if (cap.is(CapType::kPage)) masked.set_rights(cap.rights() & rights);
  return masked;
}

Cap update_data(const Cap& cap, Word data) {
  if (!cap.is(CapType::kIoSpace)) return cap;
  // Only the initial capability, which belongs to no device, can be given one.
  const Cap space = Cap::io_space(data);
  if (cap.io_device() != 0 || space.io_domain() >= vtd_domain_count()) return Cap();
  return space;
}

void finalise(const Cap& cap, bool final) {
  switch (cap.type()) {
    case CapType::kPage:
      forget_mapping(cap);
      return;
    case CapType::kPageTable:
      if (final && cap.is_mapped()) {
        unmap_table(cap.mapped_asid(), cap.mapped_vaddr(), PageLevel::kDirectory, cap.paddr());
      }
      return;
    case CapType::kPageDirectory:
      if (final && cap.is_mapped()) {
        unmap_table(cap.mapped_asid(), cap.mapped_vaddr(), PageLevel::kPdpt, cap.paddr());
      }
      return;
    case CapType::kPdpt:
      if (final && cap.is_mapped()) {
        unmap_table(cap.mapped_asid(), cap.mapped_vaddr(), PageLevel::kPml4, cap.paddr());
      }
      return;
    case CapType::kPml4:
      if (final && cap.is_mapped()) asid_release(cap.mapped_asid(), *cap.object<PageTable>());
      return;
    case CapType::kIoPageTable:
      if constexpr (abi::kConfiguration.iommu) {
        if (final && cap.is_mapped()) {
          io_unmap_table(cap.mapped_device(), cap.mapped_vaddr(), cap.io_level(), cap.paddr());
        }
      }
      return;
    case CapType::kIoSpace:
      if constexpr (abi::kConfiguration.iommu) {
        if (final && cap.io_device() != 0) io_clear_root(cap.io_device());
      }
      return;
    case CapType::kAsidPool:
      if (final) asid_remove_pool(cap.asid_base(), *cap.object<AsidPool>());
      return;
    case CapType::kIoPort:
      if (final) io_ports_release(cap.first_port(), cap.last_port());
      return;
    default:
      return;
  }
}

namespace {

Word page_bytes(const Cap& cap) {
  return Word{1} << page_size_bits(cap.page_size());
}

}  // namespace

bool same_region(const Cap& parent, const Cap& child) {
  if (parent.is(CapType::kPage) && child.is(CapType::kPage)) {
    return child.paddr() >= parent.paddr() &&
           child.paddr() + page_bytes(child) <= parent.paddr() + page_bytes(parent);
  }
  if (parent.is(CapType::kIoPortControl) && child.is(CapType::kIoPort)) return true;
  if (parent.is(CapType::kIoSpace) && child.is(CapType::kIoSpace) && parent.io_device() == 0) {
    return true;
  }
  return same_object(parent, child);
}

bool same_object(const Cap& a, const Cap& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case CapType::kPage:
      return a.paddr() == b.paddr() && a.page_size() == b.page_size();
    case CapType::kIoSpace:
      return a.io_device() == b.io_device();
    case CapType::kIoPort:
      return a.first_port() == b.first_port() && a.last_port() == b.last_port();
    default:
      return a.paddr() == b.paddr();
  }
}

bool is_vspace_root(const Cap& cap) {
  return cap.is(CapType::kPml4) && cap.is_mapped();
}

Result<void> check_ipc_buffer(Word address, const Cap& frame) {
  if (!frame.is(CapType::kPage) || frame.page_is_device()) {
    return fail(Failure::illegal_operation());
  }
  if (address % (Word{1} << abi::kIpcBufferBits) != 0) return fail(Failure::alignment());
  return {};
}

}  // namespace lona::kernel::arch

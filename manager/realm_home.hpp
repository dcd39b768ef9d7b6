// SPDX-License-Identifier: BSD-2-Clause
// What the manager keeps of a realm besides the tables that all have: in the realm's part of the
// manager's address space, in frames that its parent pays for. For the parts of Realms only.
#pragma once

#include "manager/realms.hpp"
#include "manager/service.hpp"

namespace lona::manager {

struct Realms::Home {
  static constexpr std::size_t kSlotPages = 6;
  static constexpr std::size_t kBlocks = 768;
  static constexpr std::size_t kGrants = 192;
  static constexpr std::size_t kLevelGrants = 96;
  static constexpr std::size_t kPageTables = 96;
  static constexpr std::size_t kCopies = VmImage::kMaxShared;

  Home(Shared& shared, CSpace& cspace, std::uint32_t index)
      : memory(cspace, {slot_pages, blocks}),
        realm(memory, {page_tables, grants, level_grants, copies, objects}),
        service{shared, realm, index} {}

  std::array<SlotAllocator::Page, kSlotPages> slot_pages{};
  std::array<UntypedAllocator::Block, kBlocks> blocks{};
  GrantSpace<kGrants> grants;
  GrantSpace<kLevelGrants> level_grants;
  std::array<KernelObject, kPageTables> page_tables{};
  std::array<abi::CPtr, kCopies> copies{};
  std::array<BlockId, 1 << abi::object_bits(abi::kChildCSpaceBits)> objects{};
  Memory memory;
  Realm realm;
  OwnThread thread;
  Service service;
  abi::CPtr stop = 0;           // calls the service thread to stop
  abi::CPtr ended_signal = 0;   // tells the parent
  abi::CPtr memory_signal = 0;  // tells the realm that the parent has none left
  bool serving = false;
  std::size_t text_length = 0;
  char text[abi::kEndTextMax];
};

}  // namespace lona::manager

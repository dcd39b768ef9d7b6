// SPDX-License-Identifier: BSD-2-Clause
// What the kernel hands to the root task: the boot info page, the caps in the first slots of its
// CNode, and the additional chunks that follow the page (each with a BootInfoHeader).
#pragma once

#include "abi/sel4/object_types.hpp"
#include "abi/sel4/types.hpp"

namespace lona::abi {

enum InitSlot : Word {
  kSlotNull = 0,
  kSlotInitTcb = 1,
  kSlotInitCNode = 2,
  kSlotInitVSpace = 3,
  kSlotIrqControl = 4,
  kSlotAsidControl = 5,
  kSlotInitAsidPool = 6,
  kSlotIoPortControl = 7,
  kSlotIoSpace = 8,  // null cap without IOMMU
  kSlotBootInfoFrame = 9,
  kSlotInitIpcBuffer = 10,
  kSlotDomain = 11,
  kSlotSmmuSidControl = 12,  // null on x86
  kSlotSmmuCbControl = 13,   // null on x86
  kSlotInitSchedContext = 14,
  kSlotSmc = 15,  // null on x86
  kNumInitialSlots = 16,
};

inline constexpr unsigned kMaxBootInfoUntypeds = 230;
inline constexpr unsigned kBootInfoFrameBits = kPageBits;

struct SlotRegion {
  Word start;  // first slot
  Word end;    // first slot after the region
};

struct UntypedDesc {
  Word paddr;
  std::uint8_t size_bits;
  std::uint8_t is_device;
  std::uint8_t padding[6];
};
static_assert(sizeof(UntypedDesc) == 16);

struct BootInfo {
  Word extra_len;  // bytes of additional chunks, from the page after this one
  Word node_id;
  Word num_nodes;
  Word num_iopt_levels;  // 0: no IOMMU
  IpcBuffer* ipc_buffer;
  SlotRegion empty;
  SlotRegion shared_frames;
  SlotRegion user_image_frames;
  SlotRegion user_image_paging;
  SlotRegion io_space_caps;
  SlotRegion extra_bi_pages;
  Word init_cnode_size_bits;
  Word init_domain;
  SlotRegion sched_control;
  SlotRegion untyped;
  UntypedDesc untyped_list[kMaxBootInfoUntypeds];
};
static_assert(sizeof(BootInfo) <= 1u << kBootInfoFrameBits);
static_assert(offsetof(BootInfo, empty) == 40);
static_assert(offsetof(BootInfo, init_cnode_size_bits) == 136);
static_assert(offsetof(BootInfo, sched_control) == 152);
static_assert(offsetof(BootInfo, untyped) == 168);
static_assert(offsetof(BootInfo, untyped_list) == 184);

enum class BootInfoId : Word {
  kPadding = 0,
  kX86Vbe = 1,
  kX86MultibootMmap = 2,
  kX86AcpiRsdp = 3,
  kX86Framebuffer = 4,
  kX86TscFreq = 5,  // payload: u32, MHz
  kFdt = 6,
};

struct BootInfoHeader {
  Word id;
  Word len;  // with this header
};
static_assert(sizeof(BootInfoHeader) == 16);

inline constexpr unsigned kMultibootMaxMmapEntries = 50;
inline constexpr std::uint32_t kMultibootRam = 1;

struct [[gnu::packed]] MultibootMmapEntry {
  std::uint32_t size;
  std::uint64_t base;
  std::uint64_t length;
  std::uint32_t type;
};
static_assert(sizeof(MultibootMmapEntry) == 24);

struct [[gnu::packed]] BootInfoMmap {
  BootInfoHeader header;
  std::uint32_t mmap_length;
  MultibootMmapEntry entries[kMultibootMaxMmapEntries];
};
static_assert(sizeof(BootInfoMmap) == 16 + 4 + 50 * 24);

// Payload sizes of the VBE chunk: controller block, mode block, then mode, segment, offset, length.
inline constexpr unsigned kVbeInfoBytes = 512;
inline constexpr unsigned kVbeModeInfoBytes = 256;

struct [[gnu::packed]] BootInfoVbe {
  BootInfoHeader header;
  std::uint8_t info[kVbeInfoBytes];
  std::uint8_t mode_info[kVbeModeInfoBytes];
  std::uint32_t mode;
  std::uint32_t interface_segment;
  std::uint32_t interface_offset;
  std::uint32_t interface_length;
};
static_assert(sizeof(BootInfoVbe) == 16 + 512 + 256 + 16);

}  // namespace lona::abi

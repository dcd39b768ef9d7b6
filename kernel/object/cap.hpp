// SPDX-License-Identifier: BSD-2-Clause
// A capability: two words. Word 0 holds the type (bits 0-4), the address of the object (bits 20-63
// are address bits 4-47; every object is at least 16-byte aligned) and small fields in between;
// word 1 depends on the type. The address is the one at which the kernel sees the object, so that
// an arithmetic shift gives a pointer; of device memory it is where it would be seen.
#pragma once

#include <cassert>
#include <cstdint>

#include "abi/sel4/types.hpp"
#include "base/bits.hpp"
#include "kernel/object/window.hpp"

namespace lona::kernel {

enum class CapType : unsigned {
  kNull = 0,
  kUntyped,
  kEndpoint,
  kNotification,
  kReply,
  kCNode,
  kTcb,
  kSchedContext,
  kSchedControl,
  kIrqControl,
  kIrqHandler,
  kDomain,
  kZombie,
  // x86
  kPage = 16,
  kPageTable,
  kPageDirectory,
  kPdpt,
  kPml4,
  kAsidControl,
  kAsidPool,
  kIoPortControl,
  kIoPort,
  kIoPageTable,
  kIoSpace,
};
constexpr bool is_arch_type(CapType type) {
  return type >= CapType::kPage;
}

// What a Page cap is mapped into.
enum class MapKind : unsigned { kNone = 0, kVSpace = 1, kIoSpace = 2 };
// Sizes of pages; the numbers are only the kernel's.
enum class PageSize : unsigned { k4K = 0, k2M = 1, k1G = 2 };
constexpr unsigned page_size_bits(PageSize size) {
  return 12 + 9 * static_cast<unsigned>(size);
}

class Cap {
  template <unsigned kLow, unsigned kWidth, typename Value = Word>
  using F = base::Bits<Word, kLow, kWidth, Value>;
  using Type = F<0, 5, CapType>;
  using Address = F<20, 44>;
  static constexpr unsigned kAddressShift = 16;
  static constexpr Word kAddressMask = (Word{1} << 48) - 1;

 public:
  constexpr Cap() = default;
  constexpr bool operator==(const Cap&) const = default;

  constexpr CapType type() const { return Type::get(w0_); }
  constexpr bool is_null() const { return type() == CapType::kNull; }
  constexpr bool is(CapType t) const { return type() == t; }
  // Of one type and at one address.
  constexpr bool names_same(const Cap& other) const {
    constexpr Word kMask = Type::make(static_cast<CapType>(31)) | Address::make(Address::kMax);
    return ((w0_ ^ other.w0_) & kMask) == 0;
  }
  constexpr PhysAddr paddr() const {
    return ((Address::get(w0_) << 4) - kPhysWindow) & kAddressMask;
  }
  template <typename T>
  T* object() const {
    return reinterpret_cast<T*>(static_cast<std::int64_t>(w0_) >> kAddressShift & ~Word{15});
  }
  // The same for the object so many bytes behind; a multiple of 16.
  constexpr void move_by(Word bytes) { w0_ += bytes << kAddressShift; }
  constexpr Word raw0() const { return w0_; }
  constexpr Word raw1() const { return w1_; }

  // --- Untyped: size 5-10, device 11, clean 12; word 1: allocated 0-43 (16-byte units), zeroed
  // 44-63.
  static constexpr unsigned kZeroedUnitBits = 13;
  static constexpr Cap untyped(PhysAddr address, unsigned size_bits, bool device) {
    return Cap(CapType::kUntyped, address, F<5, 6>::make(size_bits) | F<11, 1>::make(device), 0);
  }
  constexpr unsigned untyped_size_bits() const { return static_cast<unsigned>(F<5, 6>::get(w0_)); }
  constexpr bool untyped_is_device() const { return F<11, 1>::get(w0_); }
  // Bytes from the start that are handed out.
  constexpr Word untyped_allocated() const { return F<0, 44>::get(w1_) << 4; }
  // Bytes behind these that are known to be zero, left by an interrupted retype.
  constexpr Word untyped_zeroed() const { return F<44, 20>::get(w1_) << kZeroedUnitBits; }
  constexpr void set_untyped(Word allocated, Word zeroed) {
    w1_ = F<0, 44>::make(allocated >> 4) | F<44, 20>::make(zeroed >> kZeroedUnitBits);
  }
  // All memory behind the allocated part is known to be zero.
  constexpr bool untyped_is_clean() const { return F<12, 1>::get(w0_); }
  constexpr void set_untyped_clean(bool clean) { w0_ = F<12, 1>::set(w0_, clean); }
  static constexpr Word kMaxZeroed = F<44, 20>::kMax << kZeroedUnitBits;

  // --- Endpoint, Notification: rights 5-8; word 1: badge.
  static constexpr Cap endpoint(PhysAddr address, abi::CapRights rights, Word badge) {
    return Cap(CapType::kEndpoint, address, F<5, 4>::make(rights.raw()), badge);
  }
  static constexpr Cap notification(PhysAddr address, abi::CapRights rights, Word badge) {
    return Cap(CapType::kNotification, address, F<5, 4>::make(rights.raw()), badge);
  }
  // Also of Page (read, write) and Reply (grant).
  constexpr abi::CapRights rights() const { return abi::CapRights(F<5, 4>::get(w0_)); }
  constexpr void set_rights(abi::CapRights rights) { w0_ = F<5, 4>::set(w0_, rights.raw()); }
  constexpr Word badge() const { return w1_; }
  constexpr void set_badge(Word badge) { w1_ = badge; }

  // --- Reply: rights 5-8.
  static constexpr Cap reply(PhysAddr address) {
    return Cap(CapType::kReply, address, F<5, 4>::make(abi::kAllRights.raw()), 0);
  }

  // --- CNode: radix 5-10, guard size 11-16, whole 17; word 1: guard.
  static constexpr Cap cnode(PhysAddr address, unsigned radix, Word guard, unsigned guard_size) {
    return Cap(CapType::kCNode, address,
               F<5, 6>::make(radix) | F<11, 6>::make(guard_size) |
                   F<17, 1>::make(is_whole(radix, guard_size)),
               guard);
  }
  // Guard and radix take all bits of a capability pointer: the usual CSpace of one CNode.
  constexpr bool is_whole_cspace() const {
    constexpr Word kMask = Type::make(static_cast<CapType>(31)) | F<17, 1>::make(1);
    return (w0_ & kMask) == (Type::make(CapType::kCNode) | F<17, 1>::make(1));
  }
  constexpr unsigned radix() const { return static_cast<unsigned>(F<5, 6>::get(w0_)); }
  constexpr unsigned guard_size() const { return static_cast<unsigned>(F<11, 6>::get(w0_)); }
  constexpr Word guard() const { return w1_; }
  constexpr void set_guard(Word guard, unsigned size) {
    w0_ = F<17, 1>::set(F<11, 6>::set(w0_, size), is_whole(radix(), size));
    w1_ = guard;
  }

  // --- TCB, SchedContext (size 5-10), SchedControl (word 1: core), single caps.
  static constexpr Cap tcb(PhysAddr address) { return Cap(CapType::kTcb, address, 0, 0); }
  static constexpr Cap sched_context(PhysAddr address, unsigned size_bits) {
    return Cap(CapType::kSchedContext, address, F<5, 6>::make(size_bits), 0);
  }
  constexpr unsigned sched_context_size_bits() const {
    return static_cast<unsigned>(F<5, 6>::get(w0_));
  }
  static constexpr Cap sched_control(Word core) { return Cap(CapType::kSchedControl, 0, 0, core); }
  constexpr Word core() const { return w1_; }
  static constexpr Cap irq_control() { return Cap(CapType::kIrqControl, 0, 0, 0); }
  static constexpr Cap domain() { return Cap(CapType::kDomain, 0, 0, 0); }
  static constexpr Cap irq_handler(Word irq) { return Cap(CapType::kIrqHandler, 0, 0, irq); }
  constexpr Word irq() const { return w1_; }

  // --- Zombie: what is left of the last cap to a CNode or TCB while its slots are emptied.
  // Radix 5-10, 63 for a TCB; word 1: number of slots that may still be full.
  static constexpr unsigned kZombieTcb = 63;
  static constexpr Cap zombie(PhysAddr address, unsigned radix, Word slots) {
    return Cap(CapType::kZombie, address, F<5, 6>::make(radix), slots);
  }
  constexpr bool zombie_is_tcb() const { return radix() == kZombieTcb; }
  constexpr Word zombie_slots() const { return w1_; }
  constexpr void set_zombie_slots(Word slots) { w1_ = slots; }

  // --- Page: rights 5-8, size 9-10, device 11, map kind 12-13; word 1: address 0-47, ASID 48-59 or
  // PCI identifier 48-63.
  static constexpr Cap page(PhysAddr address, PageSize size, bool device, abi::CapRights rights) {
    return Cap(CapType::kPage, address,
               F<5, 4>::make(rights.raw()) | F<9, 2>::make(static_cast<Word>(size)) |
                   F<11, 1>::make(device),
               0);
  }
  constexpr PageSize page_size() const { return static_cast<PageSize>(F<9, 2>::get(w0_)); }
  constexpr bool page_is_device() const { return F<11, 1>::get(w0_); }
  constexpr MapKind map_kind() const { return static_cast<MapKind>(F<12, 2>::get(w0_)); }

  // --- Page, tables, PML4: where mapped. ASID 0 is no address space, PCI identifier 0 no device.
  constexpr Word mapped_vaddr() const { return F<0, 48>::get(w1_); }
  constexpr unsigned mapped_asid() const { return static_cast<unsigned>(F<48, 12>::get(w1_)); }
  constexpr bool is_mapped() const { return map_kind() != MapKind::kNone; }
  constexpr void set_mapping(unsigned asid, Word vaddr) {
    w0_ = F<12, 2>::set(w0_, static_cast<Word>(asid != 0 ? MapKind::kVSpace : MapKind::kNone));
    w1_ = F<0, 48>::make(vaddr) | F<48, 12>::make(asid);
  }
  constexpr void clear_mapping() { set_mapping(0, 0); }
  constexpr unsigned mapped_device() const { return static_cast<unsigned>(F<48, 16>::get(w1_)); }
  constexpr void set_io_mapping(unsigned device, Word address) {
    w0_ = F<12, 2>::set(w0_, static_cast<Word>(MapKind::kIoSpace));
    w1_ = F<0, 48>::make(address) | F<48, 16>::make(device);
  }

  // --- PageTable, PageDirectory, Pdpt, Pml4, IoPageTable.
  static constexpr Cap table(CapType type, PhysAddr address) { return Cap(type, address, 0, 0); }

  // --- IoPageTable: level 14-16, the top one is 0.
  constexpr unsigned io_level() const { return static_cast<unsigned>(F<14, 3>::get(w0_)); }
  constexpr void set_io_level(unsigned level) { w0_ = F<14, 3>::set(w0_, level); }

  // --- IoSpace; word 1: PCI identifier 0-15, domain 16-31, as in the data word of Mint.
  static constexpr Cap io_space(Word device_and_domain) {
    return Cap(CapType::kIoSpace, 0, 0, device_and_domain & 0xffff'ffff);
  }
  constexpr unsigned io_device() const { return static_cast<unsigned>(F<0, 16>::get(w1_)); }
  constexpr unsigned io_domain() const { return static_cast<unsigned>(F<16, 16>::get(w1_)); }

  // --- ASID control and pools; word 1: first ASID of the pool.
  static constexpr Cap asid_control() { return Cap(CapType::kAsidControl, 0, 0, 0); }
  static constexpr Cap asid_pool(PhysAddr address, unsigned base) {
    return Cap(CapType::kAsidPool, address, 0, base);
  }
  constexpr unsigned asid_base() const { return static_cast<unsigned>(w1_); }

  // --- I/O ports; word 1: first 0-15, last 16-31.
  static constexpr Cap io_port_control() { return Cap(CapType::kIoPortControl, 0, 0, 0); }
  static constexpr Cap io_port(unsigned first, unsigned last) {
    return Cap(CapType::kIoPort, 0, 0, F<0, 16>::make(first) | F<16, 16>::make(last));
  }
  constexpr unsigned first_port() const { return static_cast<unsigned>(F<0, 16>::get(w1_)); }
  constexpr unsigned last_port() const { return static_cast<unsigned>(F<16, 16>::get(w1_)); }

 private:
  constexpr Cap(CapType type, PhysAddr address, Word fields, Word w1)
      : w0_(Type::make(type) | Address::make(((address + kPhysWindow) & kAddressMask) >> 4) |
            fields),
        w1_(w1) {
    assert((address & 15) == 0 && address >> 48 == 0);
  }

  static constexpr bool is_whole(unsigned radix, unsigned guard_size) {
    return radix + guard_size == abi::kWordBits;
  }

  Word w0_ = 0;
  Word w1_ = 0;
};
static_assert(sizeof(Cap) == 16);
static_assert(Cap::endpoint(0x1230, abi::kAllRights, 7).raw0() << 44 >> 44 == 0x001e2);
static_assert(Cap::endpoint(0x1230, abi::kAllRights, 7).paddr() == 0x1230);
static_assert(Cap::page(0xfdff'ffff'f000, PageSize::k4K, true, abi::kReadWrite).paddr() ==
              0xfdff'ffff'f000);
static_assert(Cap::cnode(0x4000, 6, 5, 52).guard_size() == 52);
static_assert(Cap::page(0x200000, PageSize::k2M, true, abi::kReadWrite).paddr() == 0x200000);

}  // namespace lona::kernel

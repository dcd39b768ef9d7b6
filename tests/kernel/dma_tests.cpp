// SPDX-License-Identifier: BSD-2-Clause
// I/O spaces, with QEMU's "edu" device, which copies memory in and out of a buffer of its own.
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

constexpr Word kConfigAddress = 0xcf8, kConfigData = 0xcfc;
constexpr Word kEduIdentity = 0x11e8'1234;

class Pci {
 public:
  Pci() : ports_(new_slot()) {
    CHECK_OK(abi::io_port_control_issue(abi::kSlotIoPortControl, kConfigAddress, kConfigData + 3,
                                        slot_address(ports_)));
  }
  ~Pci() { remove(ports_); }

  Word read(Word device, Word offset) const {
    select(device, offset);
    return abi::io_port_in32(ports_, kConfigData).value;
  }
  void write(Word device, Word offset, Word value) const {
    select(device, offset);
    CHECK_OK(abi::io_port_out32(ports_, kConfigData, value));
  }
  // PCI identifier on bus 0; 0: not there.
  Word find(Word identity) const {
    for (Word device = 1; device < 256; ++device) {
      if (read(device, 0) == identity) return device;
    }
    return 0;
  }

 private:
  void select(Word device, Word offset) const {
    CHECK_OK(abi::io_port_out32(ports_, kConfigAddress, 0x8000'0000 | device << 8 | offset));
  }
  CPtr ports_;
};

// A page of device memory: halves untyped memory until one half is the page.
CPtr device_page(Word address) {
  const abi::SlotAddress root{abi::kSlotInitCNode, 0, 0};
  for (CPtr i = 0; i < info->untyped.end - info->untyped.start; ++i) {
    const abi::UntypedDesc& desc = info->untyped_list[i];
    const Word end = desc.paddr + (Word{1} << desc.size_bits);
    if (desc.is_device == 0 || address < desc.paddr || address >= end) continue;
    CPtr memory = info->untyped.start + i;
    for (unsigned bits = desc.size_bits; bits > abi::kPageBits; --bits) {
      const CPtr low = new_slot(), high = new_slot();
      CHECK_OK(abi::untyped_retype(memory, ObjectType::kUntyped, bits - 1, root, low, 2));
      memory = (address >> (bits - 1) & 1) != 0 ? high : low;
    }
    const CPtr page = new_slot();
    CHECK_OK(abi::untyped_retype(memory, ObjectType::kPage4K, 0, root, page, 1));
    return page;
  }
  return 0;
}

// The device's registers and buffer (QEMU, docs/specs/edu).
class Edu {
 public:
  static constexpr Word kBuffer = 0x40000;
  static constexpr Word kToDevice = 1, kToMemory = 3;

  explicit Edu(Word registers) : registers_(registers) {}

  void copy(Word from, Word to, Word bytes, Word command) const {
    reg(0x80) = from;
    reg(0x88) = to;
    reg(0x90) = bytes;
    reg(0x98) = command;
    const Word begin = read_tsc();
    while ((reg(0x98) & 1) != 0 && read_tsc() - begin < 2000 * ticks_per_ms()) {
    }
    CHECK((reg(0x98) & 1) == 0);
  }
  void read_memory(Word address) const { copy(address, kBuffer, 64, kToDevice); }
  void write_memory(Word address) const { copy(kBuffer, address, 64, kToMemory); }

 private:
  volatile Word& reg(Word offset) const {
    return *reinterpret_cast<volatile Word*>(registers_ + offset);
  }
  Word registers_;
};

// A page that this program and a device see.
struct SharedPage {
  CPtr own, io;
  volatile Word* words;
};

SharedPage shared_page(Word address) {
  SharedPage page{make(ObjectType::kPage4K), new_slot(), reinterpret_cast<volatile Word*>(address)};
  CHECK_OK(abi::cnode_copy(slot_address(page.io), slot_address(page.own), abi::kAllRights));
  CHECK_OK(abi::page_map(page.own, abi::kSlotInitVSpace, address, abi::kReadWrite));
  return page;
}

constexpr Word kSourceAt = 0x10'0000, kTargetAt = 0x10'1000, kOtherAt = 0x10'2000;

void check_tables(CPtr space, CPtr page) {
  const CPtr spare = make(ObjectType::kIoPageTable);
  const CPtr initial = abi::kSlotIoSpace;
  CHECK(abi::page_map_io(page, initial, abi::kReadWrite, kSourceAt) == Error::kInvalidCapability);
  CHECK(abi::io_page_table_map(spare, initial, kSourceAt) == Error::kInvalidCapability);
  for (unsigned level = 0; level < info->num_iopt_levels; ++level) {
    CHECK(abi::page_map_io(page, space, abi::kReadWrite, kSourceAt) == Error::kFailedLookup);
    const CPtr table = make(ObjectType::kIoPageTable);
    CHECK_OK(abi::io_page_table_map(table, space, kSourceAt));
    CHECK(abi::io_page_table_map(table, space, kSourceAt) == Error::kInvalidCapability);
  }
  CHECK(abi::io_page_table_map(spare, space, kSourceAt) == Error::kDeleteFirst);
}

void check_dma(const Edu& edu, CPtr space, const SharedPage& source, const SharedPage& target) {
  source.words[0] = 0x1234;
  source.words[7] = 0x5678;
  CHECK_OK(abi::page_map_io(source.io, space, abi::kCanRead, kSourceAt));
  CHECK(abi::page_map_io(target.io, space, abi::kReadWrite, kSourceAt) == Error::kDeleteFirst);
  CHECK(abi::page_map_io(target.io, space, abi::kNoRights, kTargetAt) == Error::kInvalidArgument);
  CHECK_OK(abi::page_map_io(target.io, space, abi::kReadWrite, kTargetAt));
  CHECK(abi::page_map(target.io, abi::kSlotInitVSpace, 0x1000, abi::kReadWrite) ==
        Error::kIllegalOperation);
  edu.read_memory(kSourceAt);
  edu.write_memory(kTargetAt);
  CHECK(target.words[0] == 0x1234 && target.words[7] == 0x5678);

  // What is mapped for reading cannot be written, and nothing else is reached at all.
  source.words[0] = 1;
  edu.write_memory(kSourceAt);
  edu.write_memory(abi::page_get_address(source.own).value);
  CHECK(source.words[0] == 1);

  CHECK_OK(abi::page_unmap(target.io));
  target.words[0] = 2;
  edu.write_memory(kTargetAt);
  CHECK(target.words[0] == 2);
  CHECK_OK(abi::page_map_io(target.io, space, abi::kReadWrite, kOtherAt));
  edu.write_memory(kOtherAt);
  CHECK(target.words[0] == 0x1234);

  // With its last capability the device's space is gone.
  remove(space);
  target.words[0] = 3;
  edu.write_memory(kOtherAt);
  CHECK(target.words[0] == 3);
}

}  // namespace

void devices_reach_only_what_is_mapped() {
  if constexpr (!abi::kConfiguration.iommu) {
    CHECK(info->num_iopt_levels == 0);
    CHECK(abi::io_page_table_unmap(abi::kSlotIoSpace) == Error::kInvalidCapability);
    return;
  }
  CHECK(info->num_iopt_levels >= 3);
  const Pci pci;
  const Word device = pci.find(kEduIdentity);
  CHECK(device != 0);
  if (device == 0) return;
  constexpr Word kCommand = 4, kBar0 = 16, kMemoryAndMaster = 6;
  pci.write(device, kCommand, pci.read(device, kCommand) | kMemoryAndMaster);

  const Word address = unused_address();
  map_tables_at(abi::kSlotInitVSpace, address);
  CHECK_OK(abi::page_map(device_page(pci.read(device, kBar0) & ~Word{15}), abi::kSlotInitVSpace,
                         address, abi::kReadWrite, abi::PageAttribute::kUncacheable));
  const SharedPage source = shared_page(address + 0x1000), target = shared_page(address + 0x2000);

  constexpr Word kDomain = 15;
  const CPtr space = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(space), slot_address(abi::kSlotIoSpace), abi::kAllRights,
                           kDomain << 16 | device));
  CHECK(abi::cnode_mint(slot_address(new_slot()), slot_address(space), abi::kAllRights,
                        kDomain << 16 | device) == Error::kIllegalOperation);
  check_tables(space, source.io);
  check_dma(Edu(address), space, source, target);
}

}  // namespace lona::test

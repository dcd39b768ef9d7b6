// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/boot/root_task.hpp"

#include <algorithm>
#include <cstring>

#include "abi/sel4/boot_info.hpp"
#include "base/elf.hpp"
#include "base/format.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/panic.hpp"
#include "kernel/arch/x86_64/vspace.hpp"
#include "kernel/arch/x86_64/vtd.hpp"
#include "kernel/arch/x86_64/window.hpp"
#include "kernel/boot/extra_boot_info.hpp"
#include "kernel/config.hpp"
#include "kernel/memory/untyped_split.hpp"

namespace lona::kernel {

namespace {

using abi::ObjectType;
using base::ByteSize;
using base::FixedText;

constexpr Word kPage = 4096;
constexpr unsigned kRootAsid = 1;
constexpr unsigned kRootCNodeBytesBits = config::kRootCNodeBits + abi::kSlotBits;
constexpr unsigned kRootSchedContextBits = abi::kMinSchedContextBits;
// Untyped objects smaller than a page would only clutter the list.
constexpr unsigned kMinUntypedBits = 12;

constexpr Word page_down(Word address) {
  return address & ~(kPage - 1);
}
constexpr Word page_up(Word address) {
  return page_down(address + kPage - 1);
}

// Where everything lies in the root task's address space: the image, then one page each for the
// IPC buffer and the boot info, then the additional boot info.
struct Layout {
  Word image_begin, image_end;
  Word ipc_buffer, boot_info, extra, end;
  Word image_pages() const { return (image_end - image_begin) / kPage; }
  Word extra_pages() const { return (end - extra) / kPage; }
};

bool lies_in(const RegionList& ram, PhysicalRange wanted) {
  for (const PhysicalRange& range : ram.ranges()) {
    if (range.begin <= wanted.begin && wanted.end <= range.end) return true;
  }
  return false;
}

class RootTaskBuilder {
 public:
  RootTaskBuilder(const BootFacts& facts, MemoryPlan& plan) : facts_(facts), plan_(plan) {}
  void build();

 private:
  void open_image();
  void check_memory() const;
  [[noreturn]] void refuse_memory(Word needed) const;
  PhysAddr take(unsigned size_bits);
  void put(Word slot, const Cap& cap);
  Word put_next(const Cap& cap);
  void create_cspace();
  void create_vspace();
  void map_tables(CapType type, PageLevel parent);
  Cap map_page(Word address, bool writable);
  bool page_is_writable(Word address) const;
  void map_image();
  void load_segment(const base::ElfSegment& segment);
  void create_boot_info();
  void create_thread();
  void create_untypeds();
  void add_untypeds(const RegionList& regions, bool device);

  const BootFacts& facts_;
  MemoryPlan& plan_;
  base::ElfFile elf_ = {};
  Layout layout_{};
  Slot* cnode_ = nullptr;
  PageTable* vspace_ = nullptr;
  Word next_slot_ = abi::kNumInitialSlots;
  abi::BootInfo* info_ = nullptr;
  Tcb* tcb_ = nullptr;
};

void RootTaskBuilder::open_image() {
  const PhysicalRange module = facts_.source.modules[0];
  if (!lies_in(plan_.ram, module)) {
    // Some loaders do not notice that memory has ended. The loaded image takes about the same
    // again, and the kernel's objects less than a megabyte.
    if (module.end > plan_.ram.ranges().back().end) refuse_memory(module.end + module.size());
    refuse_to_boot("the root task's module does not lie in memory");
  }
  const auto* bytes = physical_to<const std::byte>(module.begin);
  const auto opened = base::ElfFile::open({bytes, static_cast<std::size_t>(module.size())});
  if (!opened) {
    FixedText<160> text;
    text << "the module is no usable root task: " << base::describe(opened.error());
    refuse_to_boot(text.text());
  }
  elf_ = *opened;

  layout_.image_begin = page_down(elf_.low());
  if (elf_.high() >= kUserTop - kPage) refuse_to_boot("the root task does not lie in user space");
  layout_.image_end = page_up(elf_.high());
  layout_.ipc_buffer = layout_.image_end;
  layout_.boot_info = layout_.ipc_buffer + kPage;
  layout_.extra = layout_.boot_info + kPage;
  layout_.end = layout_.extra + page_up(extra_boot_info_bytes(facts_));
  if (layout_.end >= kUserTop) refuse_to_boot("the root task does not lie in user space");
}

// One table of each level for every step of its reach; the top table and some slack included.
void RootTaskBuilder::check_memory() const {
  const Word pages = (layout_.end - layout_.image_begin) / kPage;
  const Word tables = 4 + pages / kEntriesPerTable + 3;
  const Word needed = (pages + tables) * kPage + (Word{1} << kRootCNodeBytesBits) * 2 + 8 * kPage;
  constexpr Word kFixedSlots = 64;
  if (pages + tables + kFixedSlots + abi::kMaxBootInfoUntypeds > Word{1}
                                                                     << config::kRootCNodeBits) {
    refuse_to_boot("the root task's image has more pages than its CNode has slots");
  }
  if (needed <= plan_.free.total()) return;
  // What the boot loader put into memory counts, too.
  const Word used = plan_.ram.total() - plan_.free.total() + kLowMemoryEnd;
  refuse_memory(needed + used);
}

void RootTaskBuilder::refuse_memory(Word needed) const {
  constexpr Word kRounding = 1 << 20;
  FixedText<160> text;
  text << "too little memory: this boot image needs " << ByteSize{needed + kRounding}
       << ", the machine has " << ByteSize{plan_.ram.total() + kLowMemoryEnd};
  refuse_to_boot(text.text());
}

PhysAddr RootTaskBuilder::take(unsigned size_bits) {
  const Word bytes = Word{1} << size_bits;
  const auto address = plan_.free.take(bytes, bytes);
  if (!address) refuse_to_boot("too little memory for the root task");
  std::memset(from_phys(*address), 0, bytes);
  return *address;
}

void RootTaskBuilder::put(Word slot, const Cap& cap) {
  place_cap(cnode_[slot], cap);
}

Word RootTaskBuilder::put_next(const Cap& cap) {
  put(next_slot_, cap);
  return next_slot_++;
}

void RootTaskBuilder::create_cspace() {
  const PhysAddr address = take(kRootCNodeBytesBits);
  cnode_ = from_phys<Slot>(address);
  put(abi::kSlotInitCNode,
      Cap::cnode(address, config::kRootCNodeBits, 0, abi::kWordBits - config::kRootCNodeBits));
  put(abi::kSlotIrqControl, Cap::irq_control());
  put(abi::kSlotAsidControl, Cap::asid_control());
  put(abi::kSlotIoPortControl, Cap::io_port_control());
  put(abi::kSlotDomain, Cap::domain());
  if (vtd_levels() != 0) put(abi::kSlotIoSpace, Cap::io_space(0));
}

// Tables of one level, in order of address, for all that will be mapped.
void RootTaskBuilder::map_tables(CapType type, PageLevel parent) {
  const Word reach = Word{1} << static_cast<unsigned>(parent);
  for (Word at = layout_.image_begin & ~(reach - 1); at < layout_.end; at += reach) {
    const PhysAddr table = take(abi::kPageTableBits);
    **find_entry(*vspace_, at, parent) = make_table_entry(table);
    Cap cap = Cap::table(type, table);
    cap.set_mapping(kRootAsid, at);
    put_next(cap);
  }
}

void RootTaskBuilder::create_vspace() {
  auto& pool = *from_phys<AsidPool>(take(abi::kAsidPoolBits));
  asid_add_pool(0, pool);
  put(abi::kSlotInitAsidPool, Cap::asid_pool(to_phys(&pool), 0));

  const PhysAddr root = take(abi::kPml4Bits);
  Cap cap = arch::cap_of_object(ObjectType::kPml4, root, false);
  arch::prepare_object(ObjectType::kPml4, cap);
  cap.set_mapping(kRootAsid, 0);
  put(abi::kSlotInitVSpace, cap);
  vspace_ = from_phys<PageTable>(root);
  asid_assign(kRootAsid, *vspace_);

  info_->user_image_paging.start = next_slot_;
  map_tables(CapType::kPdpt, PageLevel::kPml4);
  map_tables(CapType::kPageDirectory, PageLevel::kPdpt);
  map_tables(CapType::kPageTable, PageLevel::kDirectory);
  info_->user_image_paging.end = next_slot_;
}

Cap RootTaskBuilder::map_page(Word address, bool writable) {
  const PhysAddr frame = take(abi::kPageBits);
  const abi::CapRights rights = writable ? abi::kReadWrite : abi::kCanRead;
  **find_entry(*vspace_, address, PageLevel::kPageTable) =
      make_page_entry(frame, PageLevel::kPageTable, rights, 0);
  Cap cap = Cap::page(frame, PageSize::k4K, false, abi::kReadWrite);
  cap.set_mapping(kRootAsid, address);
  return cap;
}

// A page that no segment touches is writable: a root task may use the gaps of its image.
bool RootTaskBuilder::page_is_writable(Word address) const {
  bool touched = false;
  std::uint32_t cursor = 0;
  while (const auto segment = elf_.next_segment(cursor)) {
    if (segment->address >= address + kPage || segment->address + segment->memory_size <= address) {
      continue;
    }
    if (segment->writable) return true;
    touched = true;
  }
  return !touched;
}

void RootTaskBuilder::load_segment(const base::ElfSegment& segment) {
  for (Word done = 0; done < segment.file.size();) {
    const Word address = segment.address + done;
    const Word chunk = std::min<Word>(kPage - address % kPage, segment.file.size() - done);
    const PageEntry entry = **find_entry(*vspace_, address, PageLevel::kPageTable);
    std::memcpy(from_phys<std::byte>(page_entry::table_address(entry)) + address % kPage,
                segment.file.data() + done, chunk);
    done += chunk;
  }
}

void RootTaskBuilder::map_image() {
  info_->user_image_frames.start = next_slot_;
  for (Word at = layout_.image_begin; at < layout_.image_end; at += kPage) {
    put_next(map_page(at, page_is_writable(at)));
  }
  info_->user_image_frames.end = next_slot_;
  std::uint32_t cursor = 0;
  while (const auto segment = elf_.next_segment(cursor)) load_segment(*segment);
}

void RootTaskBuilder::create_boot_info() {
  put(abi::kSlotInitIpcBuffer, map_page(layout_.ipc_buffer, true));
  const Cap info_page = map_page(layout_.boot_info, true);
  put(abi::kSlotBootInfoFrame, info_page);
  auto& page = *info_page.object<abi::BootInfo>();

  info_->extra_bi_pages.start = next_slot_;
  for (Word at = layout_.extra; at < layout_.end; at += kPage) put_next(map_page(at, true));
  info_->extra_bi_pages.end = next_slot_;

  alignas(8) static std::byte chunks[2 * kPage];
  const std::size_t bytes = write_extra_boot_info(facts_, chunks);
  for (std::size_t done = 0; done < bytes; done += kPage) {
    const PageEntry entry = **find_entry(*vspace_, layout_.extra + done, PageLevel::kPageTable);
    std::memcpy(from_phys(page_entry::table_address(entry)), chunks + done,
                std::min<std::size_t>(kPage, bytes - done));
  }

  info_->extra_len = bytes;
  info_->num_iopt_levels = vtd_levels();
  info_->num_nodes = facts_.cores;
  info_->ipc_buffer = reinterpret_cast<abi::IpcBuffer*>(layout_.ipc_buffer);
  info_->init_cnode_size_bits = config::kRootCNodeBits;
  info_->sched_control.start = next_slot_;
  for (unsigned core = 0; core < facts_.cores; ++core) put_next(Cap::sched_control(core));
  info_->sched_control.end = next_slot_;
  std::memcpy(&page, info_, sizeof(page));
  info_ = &page;
}

void RootTaskBuilder::create_thread() {
  const PhysAddr context = take(kRootSchedContextBits);
  put(abi::kSlotInitSchedContext, Cap::sched_context(context, kRootSchedContextBits));
  const PhysAddr tcb = take(abi::kTcbBits);
  put(abi::kSlotInitTcb, Cap::tcb(tcb));

  tcb_ = from_phys<Tcb>(tcb);
  create_tcb(*tcb_);
  const auto give = [this](Word from, Tcb::CapSlot to) {
    Cap cap = cnode_[from].cap;
    if (cap.is(CapType::kPage)) cap.clear_mapping();
    place_child(cnode_[from], tcb_->slots[to], cap);
  };
  give(abi::kSlotInitCNode, Tcb::kCSpace);
  give(abi::kSlotInitVSpace, Tcb::kVSpace);
  give(abi::kSlotInitIpcBuffer, Tcb::kIpcBuffer);
  tcb_->ipc_buffer = layout_.ipc_buffer;
  tcb_->context.set_ip(elf_.entry());
  tcb_->context.rdi = layout_.boot_info;
  std::memcpy(tcb_->name, "root", 5);
  bind_initial_thread(*tcb_, *from_phys<SchedContext>(context),
                      Ticks{config::kBootThreadTimeSliceMs} * 1000);
}

void RootTaskBuilder::add_untypeds(const RegionList& regions, bool device) {
  for (const PhysicalRange& range : regions.ranges()) {
    UntypedSplitter splitter(range, kMinUntypedBits, abi::kMaxUntypedBits);
    UntypedBlock block{};
    while (splitter.next(block)) {
      const Word index = next_slot_ - info_->untyped.start;
      if (index == abi::kMaxBootInfoUntypeds) return;
      info_->untyped_list[index] = {
          block.base, static_cast<std::uint8_t>(block.size_bits), device, {}};
      put_next(Cap::untyped(block.base, block.size_bits, device));
    }
  }
}

// The loaded module's own memory is free by now. RAM comes first: if the list is full, device
// ranges are what is missing.
void RootTaskBuilder::create_untypeds() {
  for (unsigned i = 0; i < facts_.source.module_count; ++i) {
    const PhysicalRange module = facts_.source.modules[i];
    if (lies_in(plan_.ram, module)) {
      plan_.free.add({page_down(module.begin), page_up(module.end)});
    }
  }
  info_->untyped.start = next_slot_;
  add_untypeds(plan_.free, false);
  add_untypeds(plan_.device, true);
  info_->untyped.end = next_slot_;
  info_->empty = {next_slot_, Word{1} << config::kRootCNodeBits};
}

void RootTaskBuilder::build() {
  static constinit abi::BootInfo early_info{};
  info_ = &early_info;
  open_image();
  check_memory();
  create_cspace();
  create_vspace();
  map_image();
  create_boot_info();
  create_thread();
  create_untypeds();
  set_initial_thread(*tcb_);
}

}  // namespace

void create_root_task(const BootFacts& facts, MemoryPlan& plan) {
  RootTaskBuilder(facts, plan).build();
}

}  // namespace lona::kernel

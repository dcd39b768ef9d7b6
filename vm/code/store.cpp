// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/store.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "vm/code/level.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/heap/arena.hpp"
#include "vm/heap/copy.hpp"
#include "vm/heap/off_heap.hpp"
#include "vm/platform/platform.hpp"
#include "vm/process/process.hpp"

namespace lona::vm {

namespace {

bool is_pointer(Term t) {
  return t.is_pair() || t.is_boxed();
}

}  // namespace

std::size_t CodeStore::Bits::next(std::size_t i) const {
  while (i < kCells) {
    const std::uint64_t word = words_[i / 64] >> (i % 64);
    if (word != 0) return i + static_cast<std::size_t>(std::countr_zero(word));
    i = (i / 64 + 1) * 64;
  }
  return kCells;
}

std::size_t CodeStore::Bits::previous(std::size_t i) const {
  std::size_t at = i / 64;
  std::uint64_t word = words_[at] & (~std::uint64_t{0} >> (63 - i % 64));
  while (word == 0) word = words_[--at];
  return at * 64 + 63 - static_cast<std::size_t>(std::countl_zero(word));
}

CodeStore::~CodeStore() {
  while (count_ != 0) {
    Carrier& c = *carriers_[count_ - 1];
    for (std::size_t at = c.with_blobs.next(0); at < kCells; at = c.with_blobs.next(at + 1)) {
      OffHeapList::release_chain(reinterpret_cast<Word*>(c.cell(at)[0]));
    }
    release(&c);
  }
  if (carriers_ != nullptr) platform::unmap_pages(carriers_, capacity_ * sizeof(Carrier*));
}

// --- Making blocks ------------------------------------------------------------------------------

Word* CodeStore::allocate(std::size_t words) {
  Guard guard(lock_);
  const std::size_t bytes = words * sizeof(Word);
  Word* block = bytes >= kLargeBytes ? take_large(words) : take((bytes + kCell - 1) / kCell);
  if (block == nullptr) return nullptr;
  made_.store(made_.load(std::memory_order_relaxed) + bytes + kCell, std::memory_order_relaxed);
  return block;
}

// The first run of free cells that is long enough; shorter ones wait for the next sweep.
Word* CodeStore::take(std::size_t cells) {
  for (;;) {
    if (open_ == nullptr) {
      Carrier* c = add_carrier(kCarrierBytes);
      if (c == nullptr) return nullptr;
      open_ = c;
      cursor_ = kFirstCell;
    }
    Carrier& c = *open_;
    while (cursor_ + cells <= kCells) {
      const std::size_t end = std::min(c.used.next(cursor_), kCells);
      if (end - cursor_ >= cells) {
        Word* block = c.cell(cursor_);
        c.start.set(cursor_);
        for (std::size_t i = 0; i < cells; ++i) c.used.set(cursor_ + i);
        cursor_ += cells;
        std::memset(static_cast<void*>(block), 0, cells * kCell);
        return block;
      }
      cursor_ = end;
      while (cursor_ < kCells && c.used.get(cursor_)) cursor_++;
    }
    open_ = c.next_open;
    c.next_open = nullptr;
    cursor_ = kFirstCell;
  }
}

Word* CodeStore::take_large(std::size_t words) {
  if (words > ~std::size_t{0} / sizeof(Word) / 2) return nullptr;
  Carrier* c = add_carrier(platform::whole_pages(kFirstCell * kCell + words * sizeof(Word)));
  if (c == nullptr) return nullptr;
  c->large = true;
  c->start.set(kFirstCell);
  c->used.set(kFirstCell);
  return c->cell(kFirstCell);
}

CodeStore::Carrier* CodeStore::add_carrier(std::size_t bytes) {
  auto* c = static_cast<Carrier*>(map_shared_pages(bytes));  // zeroed
  if (c == nullptr) return nullptr;
  c->bytes = bytes;
  if (!list_carrier(c)) {
    platform::unmap_level_pages(c, bytes);
    return nullptr;
  }
  mapped_.fetch_add(bytes, std::memory_order_relaxed);
  return c;
}

bool CodeStore::list_carrier(Carrier* c) {
  if (count_ == capacity_) {
    const std::size_t most =
        capacity_ == 0 ? platform::kPageSize / sizeof(Carrier*) : capacity_ * 2;
    auto* list = static_cast<Carrier**>(platform::map_pages(most * sizeof(Carrier*)));
    if (list == nullptr) return false;
    std::copy(carriers_, carriers_ + count_, list);
    if (carriers_ != nullptr) platform::unmap_pages(carriers_, capacity_ * sizeof(Carrier*));
    carriers_ = list;
    capacity_ = most;
  }
  Carrier** at = std::lower_bound(carriers_, carriers_ + count_, c);
  std::copy_backward(at, carriers_ + count_, carriers_ + count_ + 1);
  *at = c;
  count_++;
  return true;
}

void CodeStore::note_blobs(const Word* block, Word* chain) {
  Guard guard(lock_);
  Carrier* c = find(reinterpret_cast<Word>(block));
  c->with_blobs.set((reinterpret_cast<Word>(block) - reinterpret_cast<Word>(c)) / kCell);
  std::size_t bytes = 0;
  for (Word* blob = chain; blob != nullptr; blob = reinterpret_cast<Word*>(blob[1])) {
    bytes += OffHeapList::block_of(blob)->capacity;
  }
  made_.store(made_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

// The first word of the block is the chain of its Blobs.
template <typename Source>
Term CodeStore::keep_from(const Source& source, Term t) {
  if (!is_pointer(t) || !source.owns(t.is_pair() ? t.cell() : t.box())) return t;
  const std::optional<std::size_t> words = copy_size(source, t);
  if (!words) return Term::absent();
  Word* block = allocate(*words + 1);
  if (block == nullptr) return Term::absent();
  Word* blobs = nullptr;
  const Term copy = copy_into(source, t, {block + 1, *words}, blobs).value;
  bool local = false;
  const bool settled = settle(block + 1, block + 1 + *words, blobs, local);
  block[0] = reinterpret_cast<Word>(blobs);
  if (blobs != nullptr) note_blobs(block, blobs);
  if (local) note_local(block);
  return settled ? copy : Term::absent();
}

// The bytes of strings and binaries come into a block as well, so that realms below can read them;
// the address in the object keeps that block. Then the chain of Blobs is needed for byte buffers
// only, whose bytes stay where all can write them. False without memory.
bool CodeStore::settle(Word* first, const Word* end, Word*& blobs, bool& local) {
  bool buffers = false, settled = true;
  for (Word* at = first; at < end;) {
    const Header h = Header::from_bits(*at);
    if (!h.is_header()) {
      local = local || is_local(Term::from_bits(*at));
      at++;
      continue;
    }
    const Kind kind = h.kind();
    Word* parts = at + 1;
    at = parts + h.words();
    const unsigned raw = kRawWords[static_cast<unsigned>(kind)];
    for (Word* part = raw == kAllRaw ? at : parts + raw; part < at; ++part) {
      local = local || is_local(Term::from_bits(*part));
    }
    local = local || kind == Kind::kRef || kind == Kind::kForeign ||
            (kind == Kind::kMachine &&
             static_cast<MachineType>(parts[0] & 0xff) >= MachineType::kNotification);
    buffers = buffers || kind == Kind::kByteBuffer;
    if (kind != Kind::kText && kind != Kind::kSlice) continue;
    Word& address = parts[kind == Kind::kText ? 2 : 1];
    Word& blob = parts[kind == Kind::kText ? 3 : 2];
    if (Term::from_bits(blob).is_nil()) continue;  // they are in a block already
    Word* bytes = allocate((parts[0] + sizeof(Word) - 1) / sizeof(Word));
    settled = settled && bytes != nullptr;
    if (bytes == nullptr) continue;
    std::memcpy(bytes, reinterpret_cast<const void*>(address), parts[0]);
    address = reinterpret_cast<Word>(bytes);
    blob = Term::nil().bits();
  }
  if (settled && !buffers) {
    OffHeapList::release_chain(blobs);
    blobs = nullptr;
  }
  return settled;
}

void CodeStore::note_local(const Word* block) {
  Guard guard(lock_);
  Carrier* c = find(reinterpret_cast<Word>(block));
  c->local.set((reinterpret_cast<Word>(block) - reinterpret_cast<Word>(c)) / kCell);
}

bool CodeStore::is_local(Term kept) const {
  if (kept.is_pid()) return true;
  if (!is_pointer(kept)) return false;
  Guard guard(lock_);
  const Word address = kept.bits() & ~Term::kTagMask;
  const Carrier* c = find(address);
  if (c == nullptr) return false;
  const std::size_t cell = (address - reinterpret_cast<Word>(c)) / kCell;
  return c->local.get(c->large ? kFirstCell : c->start.previous(cell));
}

Term CodeStore::keep(const Process& source, Term t) {
  return keep_from(source, t);
}
Term CodeStore::keep(const Arena& source, Term t) {
  return keep_from(source, t);
}

// --- Marking ------------------------------------------------------------------------------------

CodeStore::Carrier* CodeStore::find(Word address) const {
  Carrier** end = carriers_ + count_;
  Carrier** at = std::upper_bound(carriers_, end, address, [](Word a, const Carrier* c) {
    return a < reinterpret_cast<Word>(c);
  });
  if (at == carriers_) return nullptr;
  Carrier* c = at[-1];
  return address - reinterpret_cast<Word>(c) < c->bytes ? c : nullptr;
}

void CodeStore::mark_word(Word word) {
  const Word address = word & ~Term::kTagMask;
  Carrier* c = find(address);
  if (c == nullptr) return;
  std::size_t cell = (address - reinterpret_cast<Word>(c)) / kCell;
  if (cell < kFirstCell) return;
  if (c->large) {
    cell = kFirstCell;
  } else {
    if (!c->used.get(cell)) return;
    cell = c->start.previous(cell);
  }
  if (c->marked.get(cell)) return;
  c->marked.set(cell);
  c->to_scan.set(cell);
  c->grey = any_grey_ = true;
}

void CodeStore::mark(std::span<const Word> words) {
  scanned_ += words.size();
  if (count_ == 0) return;
  // Most words are nothing near.
  const Word low = reinterpret_cast<Word>(carriers_[0]);
  const Carrier* last = carriers_[count_ - 1];
  const Word size = reinterpret_cast<Word>(last) + last->bytes - low;
  for (Word word : words) {
    if (word - low < size) mark_word(word);
  }
}

std::size_t CodeStore::block_end(const Carrier& c, std::size_t start) const {
  if (c.large) return c.bytes / kCell;
  std::size_t end = start + 1;
  while (end < kCells && c.used.get(end) && !c.start.get(end)) end++;
  return end;
}

void CodeStore::scan_marked() {
  while (any_grey_) {
    any_grey_ = false;
    for (std::size_t i = 0; i < count_; ++i) {
      Carrier& c = *carriers_[i];
      if (!c.grey) continue;
      c.grey = false;
      for (std::size_t at = c.to_scan.next(kFirstCell); at < kCells; at = c.to_scan.next(at + 1)) {
        c.to_scan.clear(at);
        const std::size_t end = block_end(c, at);
        mark({c.cell(at), (end - at) * kCell / sizeof(Word)});
      }
    }
  }
}

// --- Sweeping -----------------------------------------------------------------------------------

void CodeStore::free_block(Carrier& c, std::size_t start, std::size_t end) {
  if (c.with_blobs.get(start)) {
    OffHeapList::release_chain(reinterpret_cast<Word*>(c.cell(start)[0]));
    c.with_blobs.clear(start);
  }
  c.start.clear(start);
  c.local.clear(start);
  c.retired.clear(start);
  if (c.large) return;
  for (std::size_t i = start; i < end; ++i) c.used.clear(i);
#ifndef NDEBUG
  std::memset(static_cast<void*>(c.cell(start)), 0xdb, (end - start) * kCell);
#endif
}

void CodeStore::sweep_carrier(Carrier& c) {
  for (std::size_t at = c.start.next(kFirstCell); at < kCells; at = c.start.next(at + 1)) {
    const std::size_t end = block_end(c, at);
    const bool asked = is_answered();
    if (c.marked.get(at) || (asked && (all_held_ || !c.retired.get(at)))) {
      c.marked.clear(at);
      live_ += (end - at) * kCell;
    } else {
      free_block(c, at, end);
    }
  }
  c.retired.reset();
}

void CodeStore::release(Carrier* c) {
  Carrier** at = std::lower_bound(carriers_, carriers_ + count_, c);
  std::copy(at + 1, carriers_ + count_, at);
  count_--;
  mapped_.fetch_sub(c->bytes, std::memory_order_relaxed);
  platform::unmap_level_pages(c, c->bytes);
}

void CodeStore::sweep() {
  scan_marked();
  live_ = 0;
  open_ = nullptr;
  cursor_ = kFirstCell;
  bool spare = false;  // one empty carrier is kept
  for (std::size_t i = count_; i-- > 0;) {
    Carrier& c = *carriers_[i];
    sweep_carrier(c);
    const bool empty = c.start.next(kFirstCell) == kCells;
    if (empty && (c.large || spare)) {
      release(&c);
      continue;
    }
    spare = spare || empty;
    if (c.large) continue;
    c.next_open = open_;
    open_ = &c;
  }
  made_.store(0, std::memory_order_relaxed);
  // Looking costs time by what there is to look through: that is to be little beside the making.
  limit_.store(std::max({least_limit_, live_ / 2, scanned_ * sizeof(Word) / 16}),
               std::memory_order_relaxed);
  scanned_ = 0;
  asking_ = Asking::kNobody;
  all_held_ = false;
}

// --- What realms below hold ---------------------------------------------------------------------

void CodeStore::retire() {
  scan_marked();
  for (std::size_t i = 0; i < count_; ++i) {
    Carrier& c = *carriers_[i];
    c.retired.set_difference(c.start, c.marked);
    c.marked.reset();
  }
  asking_ = Asking::kChildren;
  limit_.store(~std::size_t{0}, std::memory_order_relaxed);
}

void CodeStore::hold(Word word) {
  Guard guard(lock_);
  if (asking_ == Asking::kChildren) mark_word(word);
}

void CodeStore::hold_all() {
  Guard guard(lock_);
  all_held_ = asking_ == Asking::kChildren;
}

void CodeStore::all_answered() {
  Guard guard(lock_);
  if (asking_ != Asking::kChildren) return;
  asking_ = Asking::kAnswered;
  limit_.store(0, std::memory_order_relaxed);
}

void CodeStore::drop_retired() {
  Guard guard(lock_);
  for (std::size_t i = 0; i < count_; ++i) carriers_[i]->retired.reset();
  asking_ = Asking::kNobody;
  limit_.store(made_.load(std::memory_order_relaxed) * 2, std::memory_order_relaxed);
}

void CodeStore::set_least_limit(std::size_t bytes) {
  least_limit_ = bytes;
  limit_.store(bytes, std::memory_order_relaxed);
}

}  // namespace lona::vm

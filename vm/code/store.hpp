// SPDX-License-Identifier: BSD-2-Clause
// Memory of code, its constants and the values of vars: shared by all processes, never moved, and
// given back when nothing reaches it any more.
//
// Carriers of pages are cut into cells; a block is a run of cells, known by its first one. What is
// reachable is found by marking (sched/reclaim.cpp): every word that, its tag taken off, is an
// address inside a block keeps that block, whoever holds it and whatever it means. So a return
// address, a closure's function and a term are all the same here, raw words may keep a dead block
// for a while, and nothing that is used goes. Marking needs no memory: marked blocks that are still
// to be looked at have a bit of their own.
//
// Blocks are made by any worker, under a lock. Marking and sweeping are done while all pause; code
// that holds a new block in C++ variables only does not pause meanwhile.
#pragma once

#include <atomic>
#include <span>

#include "vm/sched/lock.hpp"
#include "vm/term/term.hpp"

namespace lona::vm {

class Arena;
class Process;

class CodeStore {
 public:
  static constexpr std::size_t kCell = 32;

  CodeStore() = default;
  ~CodeStore();
  CodeStore(const CodeStore&) = delete;
  CodeStore& operator=(const CodeStore&) = delete;

  // Zeroed; null without memory.
  Word* allocate(std::size_t words);
  // The value, outside of its process or arena; `absent` without memory.
  Term keep(const Process& source, Term t);
  Term keep(const Arena& source, Term t);

  // So much has been made that it is worth while to look for what is not needed any more.
  bool due() const {
    return made_.load(std::memory_order_relaxed) >= limit_.load(std::memory_order_relaxed);
  }
  std::size_t mapped_bytes() const { return mapped_.load(std::memory_order_relaxed); }
  // Whether a value holds pids or references, which mean something else in other realms.
  bool is_local(Term kept) const;
  // For tests: `due` after so many bytes at most.
  void set_least_limit(std::size_t bytes);

  // A round: mark what is reachable from outside, then sweep.
  void mark(std::span<const Word> words);
  void mark(Term t) {
    const Word word = t.bits();
    mark({&word, 1});
  }
  void sweep();

  // Realms below may hold what this one does not reach any more. So with children a round has two
  // halves: after marking, what is not marked is retired, which nobody can come to hold any more;
  // each child says what it holds; when all have answered, the rest is freed. `due` is true again
  // then.
  void retire();
  void hold(Word word);  // a realm below does
  void hold_all();       // it cannot say what
  void all_answered();
  bool is_answered() const { return asking_ == Asking::kAnswered; }
  // Nobody can be asked now: nothing is freed, and it is tried again after twice as much.
  void drop_retired();

  // Calls f(std::span<const Word>) for each block.
  template <typename F>
  void each_block(F f) const {
    for (std::size_t i = 0; i < count_; ++i) {
      Carrier& c = *carriers_[i];
      for (std::size_t at = c.start.next(kFirstCell); at < kCells; at = c.start.next(at + 1)) {
        f(std::span<const Word>(c.cell(at), (block_end(c, at) - at) * kCell / sizeof(Word)));
      }
    }
  }

 private:
  static constexpr std::size_t kCarrierBytes = 24 * 1024;
  static constexpr std::size_t kCells = kCarrierBytes / kCell;
  // Blocks from here on have a carrier of their own.
  static constexpr std::size_t kLargeBytes = kCarrierBytes / 4;

  class Bits {
   public:
    bool get(std::size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
    void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
    void clear(std::size_t i) { words_[i / 64] &= ~(std::uint64_t{1} << (i % 64)); }
    // The first bit from i on that is set, or kCells.
    std::size_t next(std::size_t i) const;
    // The last bit up to i that is set; there is one.
    std::size_t previous(std::size_t i) const;
    void reset() { *this = {}; }
    void set_difference(const Bits& a, const Bits& b) {
      for (std::size_t i = 0; i < kCells / 64; ++i) words_[i] = a.words_[i] & ~b.words_[i];
    }

   private:
    std::uint64_t words_[kCells / 64];
  };

  struct Carrier {
    Carrier* next_open;  // of those with free cells that have not been used up since the last sweep
    std::size_t bytes;
    bool large;  // one block, which may have more than kCells
    bool grey;   // some of its blocks are to be looked at
    Bits used, start, marked, to_scan, with_blobs, local, retired;
    Word* cell(std::size_t i) {
      return reinterpret_cast<Word*>(reinterpret_cast<char*>(this) + i * kCell);
    }
  };
  static constexpr std::size_t kFirstCell = (sizeof(Carrier) + kCell - 1) / kCell;

  Word* take(std::size_t cells);
  Word* take_large(std::size_t words);
  Carrier* add_carrier(std::size_t bytes);
  bool list_carrier(Carrier* c);
  Carrier* find(Word address) const;
  std::size_t block_end(const Carrier& c, std::size_t start) const;
  void mark_word(Word word);
  void scan_marked();
  void sweep_carrier(Carrier& c);
  void free_block(Carrier& c, std::size_t start, std::size_t end);
  void release(Carrier* c);
  void note_blobs(const Word* block, Word* chain);
  bool settle(Word* first, const Word* end, Word*& blobs, bool& local);
  void note_local(const Word* block);
  template <typename Source>
  Term keep_from(const Source& source, Term t);

  mutable SpinLock lock_;
  // Sorted by address.
  Carrier** carriers_ = nullptr;
  std::size_t count_ = 0, capacity_ = 0;
  Carrier* open_ = nullptr;
  std::size_t cursor_ = kFirstCell;  // in the first open one: cells before it are not free
  std::atomic<std::size_t> made_{0};
  std::atomic<std::size_t> limit_{1024 * 1024};
  std::atomic<std::size_t> mapped_{0};
  std::size_t least_limit_ = 1024 * 1024;
  std::size_t scanned_ = 0;  // words that were marked from, this round
  std::size_t live_ = 0;     // bytes after the last sweep
  bool any_grey_ = false;
  enum class Asking : std::uint8_t { kNobody, kChildren, kAnswered } asking_ = Asking::kNobody;
  bool all_held_ = false;
};

}  // namespace lona::vm

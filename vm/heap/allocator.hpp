// SPDX-License-Identifier: BSD-2-Clause
// Memory for processes: control blocks, heap blocks, message fragments. One allocator per worker,
// without locks: a block that another worker releases goes home through an atomic list. Small
// blocks come from carriers (pages cut into blocks of one size), with their carrier's address in
// the word before them; large ones are whole pages, of which some freed ones are kept for the next
// request. Sizes are given again on release.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lona::vm {

class Allocator {
 public:
  Allocator() = default;
  ~Allocator() { trim(); }
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  // 8-byte aligned, uninitialised; null without memory.
  void* allocate(std::size_t bytes);
  void release(void* block, std::size_t bytes);
  // Gives back the end of a block that is larger than `wanted` bytes, if that is worth while; what
  // it has now. Only blocks of many pages can shrink.
  std::size_t shrink(void* block, std::size_t bytes, std::size_t wanted);
  static std::size_t kept_by_shrink(std::size_t bytes, std::size_t wanted);
  // Gives kept pages back.
  void trim();

  // For tests, in builds with the address sanitizer: the n-th request from now on gets nothing.
  static constexpr bool kCanFail = __has_feature(address_sanitizer);
  void fail_request(std::size_t n) { fail_in_ = n; }
  bool has_yet_to_fail() const { return fail_in_ != 0; }

  // May be asked by any worker.
  std::size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  // 16-byte steps to 128, then sixteen classes for each doubling up to kMaxSmall.
  static constexpr std::size_t kMaxSmall = 32 * 1024;
  static constexpr unsigned kClasses = 8 + 8 * 16;
  static constexpr unsigned kKept = 32;
  static constexpr unsigned kKinds = 6;  // sizes of carriers

  struct Carrier {
    Carrier* next;
    Carrier* previous;
    void* free;   // list of released blocks
    char* fresh;  // never used blocks start here
    char* end;
    std::uint32_t used;
    std::uint32_t size_class;
    Allocator* owner;
  };
  struct Kept {
    char* address;
    std::size_t bytes;
  };
  static unsigned class_of(std::size_t bytes);
  static std::size_t class_bytes(unsigned size_class);
  static std::size_t large_bytes(std::size_t bytes);
  void add_used(std::size_t bytes) { used_.store(used_bytes() + bytes, std::memory_order_relaxed); }
  void release_own(Carrier* c, void* block);
  void take_home();
  static std::size_t bytes_of(const Carrier* c);
  Carrier* take_spare(unsigned kind);
  Carrier* add_carrier(unsigned size_class);
  void unlink(Carrier* c);
  void link(Carrier* c);
  void give_up(Carrier* c);
  static std::size_t most_kept();
  void* take_kept(std::size_t bytes);
  void keep(void* pages, std::size_t bytes);
  void drop(Kept& kept);
  void* allocate_large(std::size_t bytes);
  void release_large(void* block, std::size_t bytes);

  Carrier* open_[kClasses] = {};  // carriers with free blocks
  Kept kept_[kKept] = {};
  std::size_t kept_bytes_ = 0;
  unsigned kept_next_ = 0;
  std::size_t fail_in_ = 0;      // 0: never
  Carrier* spare_[kKinds] = {};  // empty ones
  std::size_t spare_bytes_ = 0;
  std::atomic<std::size_t> used_{0};  // only the owner writes
  // Blocks of this allocator that other workers have released, linked by their first words.
  std::atomic<void*> sent_home_{nullptr};
};

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
// Long strings and binaries of one message that are shared instead of being copied
// (vm/heap/shared_block.hpp), on the way out and on the way in. What cannot be shared, for lack of
// memory, room or a quota, is copied.
#pragma once

#include <array>
#include <span>

#include "vm/heap/shared_block.hpp"

namespace lona::vm {

inline constexpr std::size_t kSharedOfAMessage = 16;

// Where the bytes of a value are.
struct SharedPart {
  std::uint64_t number;
  std::uint32_t offset;
};

class OutgoingBinaries {
 public:
  explicit OutgoingBinaries(std::uint32_t realm) : realm_(realm) {}
  // What was given for a message that did not go out is taken back.
  ~OutgoingBinaries();
  OutgoingBinaries(const OutgoingBinaries&) = delete;
  OutgoingBinaries& operator=(const OutgoingBinaries&) = delete;

  // `blob`: of the block that has the bytes, or nil. False: they are to be copied.
  bool share(Term blob, std::span<const std::uint8_t> bytes, SharedPart& part);
  void went_out() { count_ = 0; }

 private:
  bool give(OffHeapBlock* shared);

  std::uint32_t realm_;
  std::array<std::uint64_t, kSharedOfAMessage> given_;
  std::size_t count_ = 0;
};

// Of the peer's frame that is being taken. One that finds no memory is decoded again later: what it
// had got stays here.
class IncomingBinaries {
 public:
  explicit IncomingBinaries(std::uint32_t peer) : peer_(peer) {}
  ~IncomingBinaries() { done(); }
  IncomingBinaries(const IncomingBinaries&) = delete;
  IncomingBinaries& operator=(const IncomingBinaries&) = delete;

  // The bytes, with their block. Nothing: without memory for it, or the peer has not given it.
  struct Bytes {
    OffHeapBlock* block;
    std::span<const std::uint8_t> bytes;
  };
  Bytes take(const SharedPart& part, std::size_t size, bool& no_memory);
  // The frame has been taken, or given up: the binary that there was no memory for is not wanted.
  void done();

 private:
  OffHeapBlock* find(std::uint64_t number, bool& no_memory);

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  std::uint32_t peer_;
  std::uint64_t lacking_ = kNone;
  std::array<OffHeapBlock*, kSharedOfAMessage> taken_;
  std::size_t count_ = 0;
};

}  // namespace lona::vm

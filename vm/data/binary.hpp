// SPDX-License-Identifier: BSD-2-Clause
// Binaries: immutable sequences of bytes; and byte buffers, which are mutable and belong to one
// process.
//
//   Binary   fewer than kPoolBytes, in the heap
//   Slice    kPoolBytes or more: a piece of a block outside of the heap, shared by whoever refers
//            to it
//
// A piece of a binary is made without copying, unless it is so small that it is a Binary: then it
// does not keep a large block alive. Appending to a Slice grows it in place when it can (pool.hpp).
#pragma once

#include <span>

#include "vm/heap/heap.hpp"

namespace lona::vm {

inline constexpr std::size_t kPoolBytes = 64;

using Bytes = std::span<const std::uint8_t>;

inline bool is_binary(Term t) {
  if (!t.is_boxed()) return false;
  Kind kind = header_of(t).kind();
  return kind == Kind::kBinary || kind == Kind::kSlice;
}
inline bool is_byte_buffer(Term t) {
  return is_kind(t, Kind::kByteBuffer);
}
// Of binaries and byte buffers.
inline std::size_t binary_size(Term t) {
  return payload(t)[0];
}
inline const std::uint8_t* binary_data(Term t) {
  return header_of(t).kind() == Kind::kBinary
             ? reinterpret_cast<const std::uint8_t*>(payload(t) + 1)
             : reinterpret_cast<const std::uint8_t*>(payload(t)[1]);
}
inline Bytes binary_bytes(Term t) {
  return {binary_data(t), binary_size(t)};
}
inline std::span<std::uint8_t> buffer_bytes(Term buffer) {
  return {const_cast<std::uint8_t*>(binary_data(buffer)), binary_size(buffer)};
}

// All of these give `absent` when there is no memory.
struct NewBinary {
  Term term;
  std::uint8_t* bytes;  // for the caller to fill at once
};
NewBinary allocate_binary(Heap& heap, std::size_t size);
Term make_binary(Heap& heap, Bytes bytes);
// Bytes [begin, end) of a binary; begin <= end <= size.
Term binary_slice(Heap& heap, Term binary, std::size_t begin, std::size_t end);
// `binary` with room for `extra` bytes behind it; `bytes` is where they go.
NewBinary binary_extend(Heap& heap, Term binary, std::size_t extra);
Term allocate_byte_buffer(Heap& heap, std::size_t size);

}  // namespace lona::vm

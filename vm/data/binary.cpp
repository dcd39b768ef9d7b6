// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/binary.hpp"

#include <cstring>

#include "vm/data/pool.hpp"

namespace lona::vm {

namespace {

NewBinary make_small(Heap& heap, std::size_t size) {
  std::size_t words = 1 + (size + 7) / 8;
  Word* p = heap.alloc_box(Kind::kBinary, words);
  p[1] = size;
  if (words > 1) p[words] = 0;
  return {Term::boxed(p), reinterpret_cast<std::uint8_t*>(p + 2)};
}

Term make_slice(Heap& heap, Kind kind, Term blob, const void* bytes, std::size_t size) {
  Word* p = heap.alloc_box(kind, 3);
  p[1] = size;
  p[2] = reinterpret_cast<Word>(bytes);
  p[3] = blob.bits();
  return Term::boxed(p);
}

}  // namespace

NewBinary allocate_binary(Heap& heap, std::size_t size) {
  if (size < kPoolBytes) return make_small(heap, size);
  PoolBytes pool = pool_allocate(heap, size);
  if (pool.bytes == nullptr) return {Term::absent(), nullptr};
  return {make_slice(heap, Kind::kSlice, pool.blob, pool.bytes, size),
          reinterpret_cast<std::uint8_t*>(pool.bytes)};
}

Term make_binary(Heap& heap, Bytes bytes) {
  NewBinary b = allocate_binary(heap, bytes.size());
  if (b.bytes != nullptr && !bytes.empty()) std::memcpy(b.bytes, bytes.data(), bytes.size());
  return b.term;
}

Term binary_slice(Heap& heap, Term binary, std::size_t begin, std::size_t end) {
  if (begin == 0 && end == binary_size(binary)) return binary;
  Bytes piece = binary_bytes(binary).subspan(begin, end - begin);
  if (piece.size() < kPoolBytes) return make_binary(heap, piece);
  return make_slice(heap, Kind::kSlice, slot(binary, 2), piece.data(), piece.size());
}

NewBinary binary_extend(Heap& heap, Term binary, std::size_t extra) {
  Bytes old = binary_bytes(binary);
  std::size_t size = old.size() + extra;
  if (size < kPoolBytes) {
    NewBinary b = make_small(heap, size);
    if (!old.empty()) std::memcpy(b.bytes, old.data(), old.size());
    return {b.term, b.bytes + old.size()};
  }
  bool small = is_kind(binary, Kind::kBinary);
  PoolBytes pool = pool_extend(heap, small ? Term::nil() : slot(binary, 2),
                               reinterpret_cast<const char*>(old.data()), old.size(), extra);
  if (pool.bytes == nullptr) return {Term::absent(), nullptr};
  return {make_slice(heap, Kind::kSlice, pool.blob, pool.bytes, size),
          reinterpret_cast<std::uint8_t*>(pool.bytes) + old.size()};
}

Term allocate_byte_buffer(Heap& heap, std::size_t size) {
  PoolBytes pool = pool_allocate(heap, size);
  if (pool.bytes == nullptr) return Term::absent();
  return make_slice(heap, Kind::kByteBuffer, pool.blob, pool.bytes, size);
}

}  // namespace lona::vm

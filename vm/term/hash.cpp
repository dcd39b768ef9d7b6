// SPDX-License-Identifier: BSD-2-Clause
#include "vm/term/hash.hpp"

#include <cstring>

#include "vm/code/namespace.hpp"
#include "vm/data/binary.hpp"
#include "vm/data/map.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/number/number.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

// One odd number per type, so that () from [] from {} differ.
constexpr std::uint64_t seed(unsigned type) {
  return 0x9e3779b97f4a7c15 * (2 * type + 1);
}
enum : unsigned { kListSeed, kKindSeeds };

constexpr std::uint64_t combine(std::uint64_t h, std::uint64_t x) {
  return (h ^ x) * 0xff51afd7ed558ccd + 0x9e3779b97f4a7c15;
}

std::uint64_t hash_list(Term t, unsigned depth) {
  std::uint64_t h = seed(kListSeed);
  for (; t.is_pair(); t = t.rest()) h = combine(h, hash_term(t.first(), depth - 1));
  if (!t.is_empty_list()) h = combine(h, hash_term(t, depth - 1));
  return hash_mix(h);
}

std::uint64_t hash_words(std::uint64_t h, const Word* words, std::size_t count, unsigned depth) {
  for (std::size_t i = 0; i < count; i++) {
    h = combine(h, hash_term(Term::from_bits(words[i]), depth - 1));
  }
  return h;
}

std::uint64_t hash_vector(std::uint64_t h, Term t, unsigned depth) {
  for (std::size_t i = 0, n = vector_count(t); i < n;) {
    auto chunk = vector_chunk(t, i);
    h = hash_words(h, chunk.data(), chunk.size(), depth);
    i += chunk.size();
  }
  return h;
}

// Entries in any order give the same sum.
std::uint64_t hash_entries(Term map, unsigned depth) {
  std::uint64_t sum = map_count(map);
  for (MapCursor c(map); !c.done(); c.next()) {
    sum += hash_mix(combine(hash_term(c.key(), depth - 1), hash_term(c.value(), depth - 1)));
  }
  return sum;
}

std::uint64_t hash_box(Term t, unsigned depth) {
  Kind kind = header_of(t).kind();
  std::uint64_t h = seed(kKindSeeds + unsigned(kind));
  switch (kind) {
    case Kind::kString:
    case Kind::kText:
      return hash_bytes(string_text(t));
    case Kind::kBinary:
    case Kind::kSlice: {
      Bytes b = binary_bytes(t);
      return hash_mix(seed(kKindSeeds + unsigned(Kind::kBinary)) ^
                      hash_bytes({reinterpret_cast<const char*>(b.data()), b.size()}));
    }
    case Kind::kByteBuffer:
      return hash_mix(h ^ payload(t)[1]);
    case Kind::kMetaForm:
      return hash_term(bare(t), depth);
    case Kind::kTuple:
      return hash_mix(hash_words(h, payload(t), header_of(t).words(), depth));
    case Kind::kVector:
      return hash_mix(hash_vector(h, t, depth));
    case Kind::kMap:
      return hash_mix(combine(h, hash_entries(t, depth)));
    case Kind::kSet:
      return hash_mix(combine(h, hash_entries(set_map(t), depth)));
    case Kind::kRef:
    case Kind::kVar:
    case Kind::kClosure:  // its code only: captured values may be anything
      return hash_mix(h ^ payload(t)[0]);
    case Kind::kNamespace:
      return hash_mix(h ^ as_namespace(t)->name->id);
    case Kind::kFloat:  // 0.0 and -0.0 are equal
      return hash_mix(h ^ (float_value(t) == 0 ? 0 : payload(t)[0]));
    case Kind::kFloat32:
      return hash_mix(h ^ (float32_value(t) == 0 ? 0 : payload(t)[0]));
    case Kind::kRatio:
      return hash_mix(combine(combine(h, hash_term(slot(t, 0), 1)), hash_term(slot(t, 1), 1)));
    case Kind::kBignum:
    case Kind::kU64:
    case Kind::kI64:
    case Kind::kMachine:
    case Kind::kForeign:
      for (std::size_t i = 0, n = header_of(t).words(); i < n; i++) h = combine(h, payload(t)[i]);
      return hash_mix(h);
    default:
      return hash_mix(h);
  }
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t h = 0x2545f4914f6cdd1d ^ bytes.size();
  const char* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; p += 8, n -= 8) {
    std::uint64_t w;
    std::memcpy(&w, p, 8);
    h = combine(h, w);
    h ^= h >> 29;
  }
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < n; i++)
    last |= std::uint64_t(static_cast<unsigned char>(p[i])) << 8 * i;
  return hash_mix(combine(h, last));
}

std::uint64_t hash_term_slow(Term t, unsigned depth) {
  switch (t.tag()) {
    case Tag::kPair:
      return depth == 0 ? seed(kListSeed) : hash_list(t, depth);
    case Tag::kBoxed:
      // Below the last level only what needs no further look is told apart.
      if (depth == 0 && !is_string(t) && !is_binary(t) && !is_number(t)) {
        t = bare(t);
        return t.is_boxed() ? 1 : hash_term(t, 0);
      }
      return hash_box(t, depth);
    default:
      return hash_term(t, depth);
  }
}

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
#include "vm/image/shape.hpp"

#include <bit>

#include "vm/data/map.hpp"
#include "vm/data/vector_tree.hpp"

namespace lona::vm::image {

namespace {
constexpr unsigned kMaxShift = 30;
constexpr unsigned kMaxLevel = 12;  // 60 hash bits, five for each level
// Nodes are known by their address, which leaves the low bits for where they were met.
constexpr unsigned kRelaxed = 1;
}  // namespace

Shapes::Box Shapes::box(Word bits, Kind kind) const {
  if (!Term::from_bits(bits).is_boxed()) return {};
  const Word index = ((bits & ~Term::kTagMask) - base_) / sizeof(Word);
  if (index >= words_.size()) return {};
  const Header h = Header::from_bits(words_[index]);
  return h.kind() == kind ? Box{words_.data() + index + 1, h.words()} : Box{};
}

bool Shapes::good(Word address) {
  const Word bits = address | static_cast<Word>(Tag::kBoxed);
  if (Box v = box(bits, Kind::kVector); v.payload != nullptr) return vector(v);
  if (Box m = box(bits, Kind::kMap); m.payload != nullptr) return map(m);
  if (Box r = box(bits, Kind::kRatio); r.payload != nullptr) return ratio(r);
  const Box set = box(bits, Kind::kSet);
  return set.words == 1 && box(set.payload[0], Kind::kMap).payload != nullptr;
}

bool Shapes::ratio(const Box& r) const {
  if (r.words != 2) return false;
  const Term denominator = Term::from_bits(r.payload[1]);
  const Box large = box(r.payload[1], Kind::kBignum);
  const bool positive = denominator.is_integer()
                            ? denominator.as_integer() > 1
                            : large.payload != nullptr && large.payload[0] == 0;
  return positive && (Term::from_bits(r.payload[0]).is_integer() ||
                      box(r.payload[0], Kind::kBignum).payload != nullptr);
}

// --- Vectors ------------------------------------------------------------------------------------

bool Shapes::vector(const Box& v) {
  if (v.words != 3) return false;
  const std::size_t count = v.payload[0] >> 8;
  const bool relaxed = (v.payload[0] & 0x80) != 0;
  const auto shift = static_cast<unsigned>(v.payload[0] & 0x7f);
  const Word nil = Term::nil().bits(), root = v.payload[1], tail = v.payload[2];
  const std::size_t in_tail = tail == nil ? 0 : elements(tail, 0, true);
  if (tail == nil ? count != 0 : in_tail == 0) return false;
  if (root == nil) return shift == 0 && count == in_tail;
  const std::size_t in_root = elements(root, shift, relaxed);
  return in_root != 0 && in_root + in_tail == count;
}

std::size_t Shapes::elements(Word node, unsigned shift, bool relaxed) {
  const Box b = box(node, Kind::kNode);
  if (b.payload == nullptr || shift > kMaxShift || shift % tree::kBits != 0) return 0;
  const Word key = (node << 8) + (shift << 1) + (relaxed ? kRelaxed : 0);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  const std::size_t count = count_elements(b, shift, relaxed);
  known_.emplace(key, count);
  return count;
}

std::size_t Shapes::count_elements(const Box& node, unsigned shift, bool relaxed) {
  const Word with_ends = node.payload[0];
  if (with_ends > 1 || node.words < 2 + with_ends) return 0;
  const std::size_t n = node.words - 1 - with_ends;
  if (n > tree::kWidth || (with_ends != 0 && (!relaxed || shift == 0))) return 0;
  if (shift == 0) return relaxed || n == tree::kWidth ? n : 0;
  const Box ends = with_ends != 0 ? box(node.payload[node.words - 1], Kind::kTuple) : Box{};
  if (with_ends != 0 && ends.words != n) return 0;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t part = elements(node.payload[1 + i], shift - tree::kBits, relaxed);
    const bool full = part == std::size_t{1} << shift;
    if (part == 0 || (with_ends == 0 && i + 1 < n && !full)) return 0;
    sum += part;
    const Word end = Term::integer(static_cast<std::int64_t>(sum)).bits();
    if (with_ends != 0 && ends.payload[i] != end) return 0;
  }
  return sum;
}

// --- Maps ---------------------------------------------------------------------------------------

bool Shapes::map(const Box& m) {
  if (m.words == 0) return false;
  const std::size_t count = m.payload[0];
  if (count <= kSmallMap) return m.words == 1 + 2 * count;
  return m.words == 2 && entries(m.payload[1], 0) == count;
}

std::size_t Shapes::entries(Word node, unsigned level) {
  const Box b = box(node, Kind::kNode);
  if (b.payload == nullptr || level > kMaxLevel) return 0;
  const Word key = (node << 8) + (0x80 | level);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  const std::size_t count = count_entries(b, level);
  known_.emplace(key, count);
  return count;
}

std::size_t Shapes::count_entries(const Box& node, unsigned level) {
  const Word bits = node.payload[0];
  if (level == kMaxLevel) {
    return bits == 0 && node.words % 2 == 1 ? (node.words - 1) / 2 : 0;
  }
  const Word data = bits & 0xffffffff, child = bits >> 32;
  const auto own = static_cast<std::size_t>(std::popcount(data));
  const auto children = static_cast<std::size_t>(std::popcount(child));
  if ((data & child) != 0 || node.words != 1 + 2 * own + children) return 0;
  std::size_t sum = own;
  for (std::size_t i = 0; i < children; ++i) {
    const std::size_t below = entries(node.payload[1 + 2 * own + i], level + 1);
    if (below == 0) return 0;
    sum += below;
  }
  return sum;
}

}  // namespace lona::vm::image

// SPDX-License-Identifier: BSD-2-Clause
#include "vm/term/name_id.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace lona::vm {

namespace {

using Block = std::array<std::uint64_t, 16>;
using Chain = std::array<std::uint64_t, 8>;

constexpr std::size_t kBlockBytes = 128;
constexpr std::uint64_t kDigestBytes = 8;

constexpr Chain kStart = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                          0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                          0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

// Which word of the block is mixed in where, by round.
constexpr std::uint8_t kSchedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};
constexpr unsigned kRounds = 12;  // the last two use the first two lines again

// A column or a diagonal of the four by four words.
constexpr std::uint8_t kLines[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
                                       {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
                                       {2, 7, 8, 13},  {3, 4, 9, 14}};

void mix(Block& v, const std::uint8_t (&line)[4], std::uint64_t x, std::uint64_t y) {
  auto& [a, b, c, d] = line;
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 63);
}

void compress(Chain& chain, const Block& block, std::uint64_t bytes_so_far, bool last) {
  Block v;
  std::copy(chain.begin(), chain.end(), v.begin());
  std::copy(kStart.begin(), kStart.end(), v.begin() + 8);
  v[12] ^= bytes_so_far;
  if (last) v[14] = ~v[14];
  for (unsigned round = 0; round < kRounds; ++round) {
    const auto& order = kSchedule[round % 10];
    for (unsigned i = 0; i < 8; ++i)
      mix(v, kLines[i], block[order[2 * i]], block[order[2 * i + 1]]);
  }
  for (unsigned i = 0; i < 8; ++i) chain[i] ^= v[i] ^ v[i + 8];
}

}  // namespace

std::uint64_t name_id(std::string_view full) {
  Chain chain = kStart;
  chain[0] ^= 0x0101'0000 ^ kDigestBytes;
  std::size_t done = 0;
  for (;;) {
    const std::size_t n = std::min(full.size() - done, kBlockBytes);
    Block block{};
    std::memcpy(block.data(), full.data() + done, n);
    done += n;
    compress(chain, block, done, done == full.size());
    if (done == full.size()) break;
  }
  const std::uint64_t id = chain[0] & ~Term::kTagMask;
  return id != 0 ? id : Term::kTagMask + 1;
}

}  // namespace lona::vm

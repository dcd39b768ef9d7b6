// SPDX-License-Identifier: BSD-2-Clause
#include "vm/image/image.hpp"

#include <cstddef>

#include "vm/bytecode/opcodes.hpp"
#include "vm/native/native.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm::image {

namespace {

constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15;
  return h ^ (h >> 29);
}
constexpr std::uint64_t mix(std::uint64_t h, std::string_view text) {
  h = mix(h, text.size());
  for (char c : text) h = mix(h, static_cast<unsigned char>(c));
  return h;
}

constexpr std::uint64_t kFingerprint = [] {
  std::uint64_t h = kMagic;
#define LONA_OPCODE(name, words, operands, effect) h = mix(mix(mix(h, #name), words), operands);
#include "vm/bytecode/opcodes.def"
#undef LONA_OPCODE
#define LONA_NATIVE(name, min, max, function, arglists, doc) h = mix(mix(mix(h, name), min), max);
#include "vm/native/native_list.hpp"
#undef LONA_NATIVE
#define LONA_FALLBACK(name, text) h = mix(h, text);
  LONA_FALLBACKS(LONA_FALLBACK)
#undef LONA_FALLBACK
#define LONA_KIND(name, raw, doc) h = mix(mix(h, #name), raw);
  LONA_BOX_KINDS(LONA_KIND)
#undef LONA_KIND
  for (std::size_t size : {sizeof(Header), sizeof(Function), sizeof(Var), sizeof(Namespace),
                           sizeof(SymbolEntry), sizeof(LineEntry), sizeof(NameTable::Entry)}) {
    h = mix(h, size);
  }
  return h;
}();

}  // namespace

std::uint64_t fingerprint() {
  return kFingerprint;
}

std::uint64_t checksum(std::span<const std::uint64_t> constants,
                       std::span<const std::uint64_t> data) {
  constexpr std::size_t kOwnWord = offsetof(Header, checksum) / sizeof(std::uint64_t);
  std::uint64_t h = kMagic;
  for (std::size_t i = 0; i < constants.size(); ++i) h = mix(h, i == kOwnWord ? 0 : constants[i]);
  for (std::uint64_t word : data) h = mix(h, word);
  return h;
}

const Header* check(const platform::CoreImage& image, std::uint64_t library_hash) {
  if (image.constants.size_bytes() < sizeof(Header)) return nullptr;
  const auto* header = reinterpret_cast<const Header*>(image.constants.data());
  if (header->magic != kMagic || header->fingerprint != kFingerprint ||
      header->library_hash != library_hash || header->constant_words > image.constants.size() ||
      header->data_words > image.data.size()) {
    return nullptr;
  }
  const std::uint64_t sum =
      checksum(image.constants.first(header->constant_words), image.data.first(header->data_words));
  return sum == header->checksum ? header : nullptr;
}

void adopt(const Header& header, Vm::State& state) {
  state.namespaces.adopt(header.namespaces);
  // Whatever the realms above call by this name: code means the image's.
  const auto* core = static_cast<Namespace*>(header.namespaces.find(intern("lona.core")));
  state.ns_var = core->find(intern("*ns*"));
}

}  // namespace lona::vm::image

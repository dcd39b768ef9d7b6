// SPDX-License-Identifier: BSD-2-Clause
#include "manager/boot_facts.hpp"

#include "abi/sel4/boot_info.hpp"

namespace lona::manager {

std::optional<base::ByteView> find_chunk(base::ByteView chunks, std::uint64_t id) {
  while (const auto header = base::read_at<abi::BootInfoHeader>(chunks, 0)) {
    if (header->len < sizeof(abi::BootInfoHeader) || header->len > chunks.size()) {
      return std::nullopt;
    }
    if (header->id == id) {
      return chunks.subspan(sizeof(abi::BootInfoHeader), header->len - sizeof(abi::BootInfoHeader));
    }
    chunks = chunks.subspan(header->len);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> tsc_hertz(base::ByteView chunks) {
  const auto chunk = find_chunk(chunks, static_cast<std::uint64_t>(abi::BootInfoId::kX86TscFreq));
  if (!chunk) {
    return std::nullopt;
  }
  const auto megahertz = base::read_at<std::uint32_t>(*chunk, 0);
  if (!megahertz || *megahertz == 0) {
    return std::nullopt;
  }
  return std::uint64_t{*megahertz} * 1'000'000;
}

}  // namespace lona::manager

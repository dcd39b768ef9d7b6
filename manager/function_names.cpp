// SPDX-License-Identifier: BSD-2-Clause
#include "manager/function_names.hpp"

namespace lona::manager {

std::uint32_t FunctionNames::word(std::size_t index) const {
  return base::read_at<std::uint32_t>(table_, index * sizeof(std::uint32_t)).value_or(0);
}

std::optional<base::ElfSymbol> FunctionNames::nearest_symbol(std::uint64_t address) const {
  std::uint32_t low = 0;
  std::uint32_t high = word(0);
  if ((1 + 2 * std::size_t{high}) * sizeof(std::uint32_t) > table_.size()) {
    return std::nullopt;
  }
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (image_ + word(1 + 2 * std::size_t{middle}) <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) {
    return std::nullopt;
  }
  const std::size_t entry = 2 * std::size_t{low} - 1;
  const std::uint32_t at = word(entry + 1);
  if (at >= table_.size()) {
    return std::nullopt;
  }
  const std::string_view rest = base::as_text(table_.subspan(at));
  return base::ElfSymbol{
      .name = rest.substr(0, rest.find('\0')), .address = image_ + word(entry), .size = 0};
}

}  // namespace lona::manager

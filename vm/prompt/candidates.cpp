// SPDX-License-Identifier: BSD-2-Clause
#include "vm/prompt/candidates.hpp"

#include <algorithm>

#include "vm/data/utf8.hpp"

namespace lona::vm {

void Candidates::add(std::string_view qualifier, std::string_view name) {
  const std::size_t start = names_.size();
  if (!names_.append(qualifier) || !names_.append(name)) return;
  const std::string_view full = names_.text().substr(start);
  if (!full.starts_with(word_) || full.size() > 0xffff) {
    names_.erase(start, names_.size());
    return;
  }
  if (count_ == 0) {
    if (!common_.append(full)) return;
  } else {
    std::size_t same = 0;
    const std::size_t most = std::min(common_.size(), full.size());
    while (same < most && common_[same] == full[same]) ++same;
    while (same < common_.size() && utf8::is_continuation(common_[same])) --same;
    common_.erase(same, common_.size());
  }
  if (count_ < kMost) {
    start_[count_] = static_cast<std::uint32_t>(start);
    size_[count_] = static_cast<std::uint16_t>(full.size());
  }
  count_++;
}

bool Candidates::layout(unsigned columns, ByteBuffer& out) {
  if (count_ > kMost) return out.append("(more than 256 names)\n");
  std::uint16_t order[kMost];
  std::size_t widest = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    order[i] = static_cast<std::uint16_t>(i);
    widest = std::max(widest, utf8::count(name(i)));
  }
  std::sort(order, order + count_, [&](auto a, auto b) { return name(a) < name(b); });
  const std::size_t cell = widest + 2;
  const std::size_t per_row = std::max<std::size_t>(1, columns / cell);
  const std::size_t rows = (count_ + per_row - 1) / per_row;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row; i < count_; i += rows) {
      const std::string_view text = name(order[i]);
      if (!out.append(text)) return false;
      if (i + rows >= count_) break;
      for (std::size_t n = utf8::count(text); n < cell; ++n) {
        if (!out.append(" ")) return false;
      }
    }
    if (!out.append("\n")) return false;
  }
  return true;
}

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
#include "vm/prompt/history.hpp"

namespace lona::vm {

void History::add(std::string_view text) {
  const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (blank || text.size() >= kMaxBytes || text.find('\0') != std::string_view::npos) return;
  if (count_ != 0 && entry(0) == text) return;
  while (count_ != 0 && entries_.size() + text.size() + 1 > kMaxBytes) {
    entries_.erase(0, entries_.text().find('\0') + 1);
    --count_;
  }
  // Without memory the entry is simply not remembered.
  if (!entries_.reserve(entries_.size() + text.size() + 1)) return;
  if (entries_.append(text) && entries_.append({"\0", 1})) ++count_;
}

std::string_view History::entry(std::size_t age) const {
  std::string_view rest = entries_.text();
  while (true) {
    rest.remove_suffix(1);
    const std::size_t start = rest.rfind('\0') + 1;  // npos + 1 == 0: the oldest
    if (age-- == 0) return rest.substr(start);
    rest = rest.substr(0, start);
  }
}

std::size_t History::find(std::string_view text, std::size_t age) const {
  while (age < count_ && entry(age).find(text) == std::string_view::npos) ++age;
  return age < count_ ? age : count_;
}

}  // namespace lona::vm

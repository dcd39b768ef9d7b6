// SPDX-License-Identifier: BSD-2-Clause
#include "base/format.hpp"

#include <algorithm>
#include <array>

namespace lona::base {

TextWriter& TextWriter::operator<<(std::string_view text) {
  const std::size_t room = buffer_.size() - used_;
  const std::size_t taken = std::min(room, text.size());
  std::copy_n(text.data(), taken, buffer_.data() + used_);
  used_ += taken;
  truncated_ = truncated_ || taken < text.size();
  return *this;
}

TextWriter& TextWriter::operator<<(std::uint64_t number) {
  std::array<char, 20> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return *this << std::string_view(&digits[at], digits.size() - at);
}

TextWriter& TextWriter::operator<<(std::int64_t number) {
  if (number >= 0) {
    return *this << static_cast<std::uint64_t>(number);
  }
  return *this << '-' << (std::uint64_t{0} - static_cast<std::uint64_t>(number));
}

TextWriter& TextWriter::operator<<(Hex number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 16> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = kDigits[number.value & 0xf];
    number.value >>= 4;
  } while (number.value != 0);
  return *this << "0x" << std::string_view(&digits[at], digits.size() - at);
}

TextWriter& TextWriter::operator<<(ByteSize size) {
  constexpr std::uint64_t kKiB = 1024;
  if (size.value < kKiB) {
    return *this << size.value << " B";
  }
  if (size.value < 10 * kKiB * kKiB) {
    return *this << size.value / kKiB << " KB";
  }
  return *this << size.value / (kKiB * kKiB) << " MB";
}

}  // namespace lona::base

// SPDX-License-Identifier: BSD-2-Clause
#include "manager/request.hpp"

#include "base/checked.hpp"

namespace lona::manager {

namespace {

using abi::Status;

base::Expected<PageRange, Status> decode_pages(std::span<const std::uint64_t> words) {
  if (words.size() != 3) {
    return base::fail(Status::kBadMessage);
  }
  const std::uint64_t address = words[0];
  const std::uint64_t count = words[1];
  const std::uint64_t page_bits = words[2];
  const bool known_size = page_bits == 12 || page_bits == 21;
  if (!known_size || count == 0 || count > abi::kMapPagesMax ||
      count << page_bits > abi::kMapBytesMax) {
    return base::fail(Status::kBadArgument);
  }
  if (!base::is_aligned<std::uint64_t>(address, std::uint64_t{1} << page_bits)) {
    return base::fail(Status::kBadArgument);
  }
  if (!abi::kPoolRange.contains(address, count << page_bits)) {
    return base::fail(Status::kBadAddress);
  }
  return PageRange{address, count, static_cast<unsigned>(page_bits)};
}

base::Expected<DecodedRequest, Status> decode_log(std::span<const std::uint64_t> words) {
  if (words.empty()) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] > abi::kLogMax) {
    return base::fail(Status::kBadArgument);
  }
  if (words.size() != 1 + (words[0] + 7) / 8) {
    return base::fail(Status::kBadMessage);
  }
  return LogText{words[0]};
}

}  // namespace

base::Expected<DecodedRequest, Status> decode_request(std::uint64_t label,
                                                      std::span<const std::uint64_t> words) {
  const auto one_word = [&]() -> base::Expected<std::uint64_t, Status> {
    if (words.size() != 1) {
      return base::fail(Status::kBadMessage);
    }
    return words[0];
  };
  switch (static_cast<abi::Request>(label)) {
    case abi::Request::kMapPages:
      return MapPages{TRY(decode_pages(words))};
    case abi::Request::kUnmapPages:
      return UnmapPages{TRY(decode_pages(words))};
    case abi::Request::kFigures:
      if (!words.empty()) {
        return base::fail(Status::kBadMessage);
      }
      return Figures{};
    case abi::Request::kSetDeadline:
      return SetDeadline{TRY(one_word())};
    case abi::Request::kLog:
      return decode_log(words);
    case abi::Request::kExit:
      return ExitRealm{TRY(one_word())};
  }
  return base::fail(Status::kUnknownRequest);
}

void sanitize(std::span<char> text) {
  for (char& character : text) {
    if (character < ' ' || character > '~') {
      character = '?';
    }
  }
}

}  // namespace lona::manager

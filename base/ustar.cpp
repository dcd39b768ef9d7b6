// SPDX-License-Identifier: BSD-2-Clause
#include "base/ustar.hpp"

#include <algorithm>

namespace lona::base {

namespace {

constexpr std::uint64_t kBlock = 512;

struct Header {
  char name[100];
  char mode[8];
  char owner[8];
  char group[8];
  char size[12];
  char modified[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char owner_name[32];
  char group_name[32];
  char major[8];
  char minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(Header) == kBlock);

template <std::size_t kSize>
std::string_view field(const char (&text)[kSize]) {
  return {text, static_cast<std::size_t>(std::find(text, text + kSize, '\0') - text)};
}

// Octal digits, ended by a blank, a NUL or the field's end.
template <std::size_t kSize>
std::optional<std::uint64_t> octal(const char (&text)[kSize]) {
  std::uint64_t value = 0;
  std::size_t at = 0;
  for (; at < kSize && text[at] != ' ' && text[at] != '\0'; ++at) {
    if (text[at] < '0' || text[at] > '7') {
      return std::nullopt;
    }
    value = value * 8 + static_cast<std::uint64_t>(text[at] - '0');  // at most 12 digits: 36 bits
  }
  if (at == 0) {
    return std::nullopt;
  }
  return value;
}

// The sum of the header's bytes, its checksum field counted as blanks.
std::uint64_t sum_of(const Header& header) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < sizeof(Header); ++at) {
    const bool in_checksum = at >= offsetof(Header, checksum) && at < offsetof(Header, type);
    sum += in_checksum ? static_cast<unsigned char>(' ') : bytes[at];
  }
  return sum;
}

bool all_zero(ByteView block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

enum class Step : std::uint8_t { member, end };

struct Walk {
  Step step;
  UstarMember member;
  std::uint64_t next;
};

Expected<Walk, UstarError> walk_at(ByteView bytes, std::uint64_t cursor) {
  const auto block = piece(bytes, cursor, kBlock);
  if (!block) {
    return fail(UstarError::unterminated);
  }
  if (all_zero(*block)) {
    return Walk{.step = Step::end, .member = {}, .next = cursor};
  }
  const auto& header = *reinterpret_cast<const Header*>(block->data());  // all members are bytes
  const auto checksum = octal(header.checksum);
  const auto size = octal(header.size);
  if (field(header.magic).substr(0, 5) != "ustar" || !checksum || !size ||
      *checksum != sum_of(header)) {
    return fail(UstarError::bad_header);
  }
  const auto content = piece(bytes, cursor + kBlock, *size);
  if (!content) {
    return fail(UstarError::bad_size);
  }
  const UstarMember member{
      .prefix = field(header.prefix),
      .name = field(header.name),
      .content = *content,
      .is_file = header.type == '0' || header.type == '\0',
  };
  const auto padded = *align_up<std::uint64_t>(*size, kBlock);
  return Walk{.step = Step::member, .member = member, .next = cursor + kBlock + padded};
}

}  // namespace

std::string_view describe(UstarError error) {
  switch (error) {
    case UstarError::bad_header:
      return "a header is malformed";
    case UstarError::bad_size:
      return "a member reaches beyond the archive";
    case UstarError::unterminated:
      return "the archive is cut short";
  }
  return "unknown error";
}

bool UstarMember::named(std::string_view path) const {
  if (prefix.empty()) {
    return path == name;
  }
  return path.size() == prefix.size() + 1 + name.size() && path.starts_with(prefix) &&
         path[prefix.size()] == '/' && path.ends_with(name);
}

Expected<UstarArchive, UstarError> UstarArchive::open(ByteView bytes) {
  std::uint64_t cursor = 0;
  while (true) {
    const auto walk = walk_at(bytes, cursor);
    if (!walk) {
      return fail(walk.error());
    }
    if (walk->step == Step::end) {
      break;
    }
    cursor = walk->next;
  }
  UstarArchive archive;
  archive.bytes_ = bytes.first(cursor + kBlock);
  return archive;
}

std::optional<UstarMember> UstarArchive::next(std::uint64_t& cursor) const {
  const auto walk = walk_at(bytes_, cursor);
  if (!walk || walk->step == Step::end) {
    return std::nullopt;
  }
  cursor = walk->next;
  return walk->member;
}

std::optional<ByteView> UstarArchive::find(std::string_view path) const {
  std::uint64_t cursor = 0;
  while (const auto member = next(cursor)) {
    if (member->is_file && member->named(path)) {
      return member->content;
    }
  }
  return std::nullopt;
}

}  // namespace lona::base

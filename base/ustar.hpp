// SPDX-License-Identifier: BSD-2-Clause
// ustar archives (POSIX.1-1988 interchange format), read in place from bytes that are not trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/expected.hpp"

namespace lona::base {

enum class UstarError : std::uint8_t {
  bad_header,    // magic, checksum or a number field is wrong
  bad_size,      // a member reaches beyond the archive
  unterminated,  // the archive ends without its closing zero block
};

[[nodiscard]] std::string_view describe(UstarError error);

struct UstarMember {
  std::string_view prefix;  // joined with '/' before `name` when not empty
  std::string_view name;
  ByteView content;
  bool is_file;  // a regular file; directories and links are passed over by `find`

  [[nodiscard]] bool named(std::string_view path) const;
};

class UstarArchive {
 public:
  // Walks the whole archive once, so that `next` and `find` cannot fail later.
  [[nodiscard]] static Expected<UstarArchive, UstarError> open(ByteView bytes);

  // The member at `cursor`, which then moves on; nothing at the end. `cursor` starts at 0.
  [[nodiscard]] std::optional<UstarMember> next(std::uint64_t& cursor) const;

  // The content of the regular file of that path.
  [[nodiscard]] std::optional<ByteView> find(std::string_view path) const;

  [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
  ByteView bytes_;  // up to the closing zero block
};

}  // namespace lona::base

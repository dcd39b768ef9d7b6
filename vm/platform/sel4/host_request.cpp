// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/host_request.hpp"

#include <algorithm>
#include <cstring>

namespace lona::vm::platform {

namespace {

std::uint16_t number_of(std::string_view text, std::uint16_t otherwise) {
  std::uint32_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || value > 6552) {
      return otherwise;
    }
    value = value * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  return text.empty() || value == 0 ? otherwise : static_cast<std::uint16_t>(value);
}

void take_setting(std::string_view setting, Terminal& t) {
  const auto equals = setting.find('=');
  const auto key = setting.substr(0, equals);
  const auto value = equals == std::string_view::npos ? "" : setting.substr(equals + 1);
  if (key == "columns") {
    t.columns = number_of(value, t.columns);
  } else if (key == "rows") {
    t.rows = number_of(value, t.rows);
  } else if (key == "color") {
    t.color = value == "1";
  } else if (key == "tty") {
    t.interactive = value == "1";
  }
}

}  // namespace

void HostRequest::take_start(std::span<const std::uint8_t> payload, Terminal& terminal) {
  if (started_) {
    panic("host link: a second start frame");
  }
  std::memcpy(text_, payload.data(), payload.size());
  std::string_view rest(reinterpret_cast<const char*>(text_), payload.size());
  terminal = {.interactive = false, .color = false, .columns = 80, .rows = 24};
  bool settings = true;
  while (true) {
    const auto end = rest.find('\0');
    const auto word = rest.substr(0, end);
    if (word_count_ == kMaxWords) {
      panic("host link: too many arguments");
    }
    if (settings && word == "--") {
      settings = false;
    } else if (settings && word_count_ > 0) {
      take_setting(word, terminal);
    } else {
      words_[word_count_++] = word;
    }
    if (end == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(end + 1);
  }
  started_ = true;
  start_.words = {words_, word_count_};
  start_.ready = words_[0] != "run";  // a program's text is still to come
}

void HostRequest::make_room(std::size_t bytes) {
  if (source_size_ + bytes <= source_room_) {
    return;
  }
  const std::size_t room = std::max<std::size_t>(source_room_ * 2, 64 * 1024);
  auto* larger = room > kMaxSource ? nullptr : static_cast<std::uint8_t*>(map_pages(room));
  if (larger == nullptr) {
    panic("the program's text does not fit into memory");
  }
  if (source_ != nullptr) {
    std::memcpy(larger, source_, source_size_);
    unmap_pages(source_, source_room_);
  }
  source_ = larger;
  source_room_ = room;
}

void HostRequest::take_source(std::span<const std::uint8_t> piece) {
  if (!started_ || start_.ready) {
    panic("host link: program text at the wrong time");
  }
  if (piece.empty()) {
    start_.source = {source_, source_size_};
    start_.ready = true;
    return;
  }
  make_room(piece.size());
  std::memcpy(source_ + source_size_, piece.data(), piece.size());
  source_size_ += piece.size();
}

}  // namespace lona::vm::platform

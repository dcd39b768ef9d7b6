// SPDX-License-Identifier: BSD-2-Clause
// Values laid out for people: in lines no longer than the terminal is wide, with the rest of what
// is too long or too deep left out (`…`), and with colours. `print` is for text that is read back.
#pragma once

#include "vm/printer/printer.hpp"

namespace lona::vm {

struct Layout {
  unsigned columns = 80;
  unsigned most_elements = 100;  // of each collection
  unsigned most_lines = 200;     // of all
  unsigned most_depth = 20;
  unsigned most_characters = 2000;  // of a string that stands alone
};

// False when the sink has refused a piece or there was no memory.
bool print_pretty(Sink& sink, Term value, const Layout& layout);

// Colours printed values by their look: strings, keywords, numbers, #<things>.
class ColorSink final : public Sink {
 public:
  explicit ColorSink(Sink& below) : Sink(&ColorSink::put), below_(below) {}

 private:
  enum class State : std::uint8_t { kBetween, kToken, kString, kEscape, kThing };
  static bool put(Sink& self, std::string_view text);
  bool character(std::string_view c);
  bool start_token(char c);
  bool plain();

  Sink& below_;
  State state_ = State::kBetween;
  bool colored_ = false;
  bool hash_ = false;  // the character before was a # that starts something
};

}  // namespace lona::vm

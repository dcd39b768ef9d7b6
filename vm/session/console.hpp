// SPDX-License-Identifier: BSD-2-Clause
// The console of a realm, shared by the session and all processes.
//
// Input is given out in lines (or large pieces) to whoever asks; on a terminal a line is what the
// line editor's user has submitted, and one at a time owns the editor. Output of processes while
// somebody edits goes above the edited line.
#pragma once

#include "vm/printer/printer.hpp"
#include "vm/prompt/line_editor.hpp"
#include "vm/session/byte_buffer.hpp"

namespace lona::vm {

class Console final : public EditorHost {
 public:
  enum class Input : std::uint8_t {
    kText,  // the view is valid until the next call
    kWait,  // nothing yet; input has been asked for
    kEnd,
    kNoMemory,
  };

  // The one console. Made by the session before any process runs. Only a prompt on a terminal edits
  // lines; a program gets the bytes as they come.
  static void create(bool for_prompt);
  static Console& the();

  bool interactive() const { return interactive_; }

  // A line of standard input without its end.
  Input read_line(std::string_view& line);
  // At least `wanted` bytes and on to the next white space, or all up to the end of input.
  Input read_piece(std::size_t wanted, std::string_view& piece);

  // What the user submits at a prompt (interactive only).
  Input edit(std::string_view prompt, std::string_view& text);
  // Ctrl-C: whatever is being edited is dropped.
  void interrupt();

  // False when the reader of the output has gone.
  bool write(platform::Stream stream, std::string_view bytes);
  // Starts a new line of standard output unless it is at the start of one.
  void fresh_line();
  void flush() { platform::flush(); }

  // TerminalOutput, EditorHost
  void write(std::string_view bytes) override;
  unsigned columns() override;
  bool complete(std::string_view text) override;
  void find_names(Candidates& candidates) override;

  // Who knows the names that can be typed.
  using NameFinder = void (*)(void* context, Candidates& candidates);
  void set_name_finder(NameFinder finder, void* context) {
    name_finder_ = finder;
    name_context_ = context;
  }

 private:
  enum class Owner : std::uint8_t { kNobody, kPrompt, kReader };

  explicit Console(bool interactive);
  Input fill();
  Input edit_as(Owner owner, std::string_view prompt, std::string_view& text);
  void drop(std::size_t bytes);

  bool interactive_;
  bool input_ended_ = false;
  bool at_line_start_ = true;
  Owner owner_ = Owner::kNobody;
  ByteBuffer input_;
  std::size_t at_ = 0;        // bytes of input_ that have been given out
  std::size_t searched_ = 0;  // no line end from at_ up to here
  LineEditor editor_;
  NameFinder name_finder_ = nullptr;
  void* name_context_ = nullptr;
};

// Prints in pieces of reasonable size.
class ConsoleSink final : public Sink {
 public:
  explicit ConsoleSink(platform::Stream stream) : Sink(&ConsoleSink::put), stream_(stream) {}
  ~ConsoleSink() { finish(); }
  ConsoleSink(const ConsoleSink&) = delete;
  ConsoleSink& operator=(const ConsoleSink&) = delete;
  // False when the reader of the output has gone.
  bool finish();

 private:
  static bool put(Sink& self, std::string_view text);

  platform::Stream stream_;
  bool good_ = true;
  std::size_t used_ = 0;
  char buffer_[1024];
};

}  // namespace lona::vm

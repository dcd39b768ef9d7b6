// SPDX-License-Identifier: BSD-2-Clause
// From text to forms, one form at a time.
//
// The text may be anything: it is checked to be UTF-8, nesting costs no native stack (it is limited
// to kMaxNesting), and the time is linear. What is wrong is reported with its type and place; input
// that only ends too early is told apart (`incomplete`), so that a prompt can ask for another line.
#pragma once

#include <string_view>

#include "vm/compiler/compiler.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/heap/heap.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

struct ReadNumber;

struct ReaderOptions {
  std::string_view file = {};  // for error messages; may be empty
  std::uint32_t first_line = 1;
  PositionTable* positions = nullptr;  // gets the place of every list, tuple and so on
  // The qualified name syntax-quote gives to a symbol; null: symbols stay as they are.
  SymbolEntry* (*qualify)(void* context, SymbolEntry* symbol) = nullptr;
  void* context = nullptr;
};

struct ReadOutcome {
  enum class Kind : std::uint8_t { kForm, kEnd, kError };
  Kind kind;
  bool incomplete = false;           // kError: more text might make it right
  Term form = Term::nil();           // kForm
  const char* error_type = nullptr;  // kError: the keyword's name, such as "unexpected-eof"
  Term error_info = Term::nil();     // kError: %{:message … :file … :line … :column …}
};

class Reader {
 public:
  static constexpr std::size_t kMaxNesting = 10'000;
  static constexpr std::size_t kMaxTemplateNesting = 200;

  // `text` must stay as long as the reader; forms are made on `heap`.
  Reader(Heap& heap, std::string_view text, const ReaderOptions& options = {});

  // The next form, the end, or an error; after an error the reader stands behind what was wrong
  // and may be asked again.
  ReadOutcome next();

  std::size_t offset() const { return at_; }              // bytes of the text that were read
  Position position() const { return {line_, column_}; }  // where offset() is
  Position form_start() const { return start_; }          // where the last form began
  // Goes on behind the next line end, also over bytes that are no UTF-8.
  void skip_line();

 private:
  enum class Shape : std::uint8_t {
    kList,
    kTuple,
    kVector,
    kMap,
    kSet,
    kBytes,      // #bytes[…] and #bits[…]: values with sizes behind them
    kAnonymous,  // #(…)
    kQuote,
    kVarQuote,
    kSyntaxQuote,
    kUnquote,
    kSplice,
    kMeta,  // waits for two forms
    kDiscard,
  };
  struct Frame {
    Shape shape;
    std::size_t first;  // its elements are values_[first…]
    Position position;
    bool size_due = false;  // kBytes: the next form is the size of the last one
  };
  struct Failure {
    const char* type = nullptr;
    const char* message = nullptr;
    Position position;
    bool incomplete = false;
  };
  // Placeholders of the `#(…)` being read.
  struct Anonymous {
    bool active = false, plain = false, numbered = false, rest = false;
    std::uint32_t highest = 0;
  };

  // Reading a step fills failure_ on error; a form that is complete lands in result_.
  bool step();
  bool open_or_read(char c);
  bool read_dispatch();
  bool open(Shape shape, std::size_t skip);
  bool close(char c);
  bool finish(const Frame& frame);
  bool deliver(Term form, Position position);
  Term build(const Frame& frame);
  Term build_anonymous(Term body);
  bool apply_prefix(const Frame& frame, Term& form);
  bool merge_meta(Term meta, Term form, Term& out);

  // bits.cpp
  bool read_binary();
  bool read_literal_bytes(std::string_view encoding, Position at);
  bool read_segment(Position at);
  bool read_modifiers(Term value, Term size, Position at);
  bool take_segment_part(std::string_view& part);
  Term build_binary(std::span<const Term> elements);

  bool read_string();
  bool scan_string(Term& string);
  bool read_character();
  bool read_token();
  bool deliver_number(const ReadNumber& number, Position at);
  bool read_symbol(std::string_view token, Position at);
  bool is_name(std::string_view text, Position at);
  SymbolEntry* intern_name(std::string_view name, Position at);
  bool read_placeholder(std::string_view token, Position at);

  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void advance(std::size_t bytes);
  void skip_blank();
  std::string_view take_token();
  bool read_token(std::string_view token, Position at);
  bool fail(const char* type, const char* message, Position position, bool incomplete = false);
  bool fail_end(const char* message, Position position);
  ReadOutcome report();
  void remember(Term form, Position position);
  void find_invalid();
  void skip_comment();

  Heap& heap_;
  std::string_view whole_;  // the text as it was given
  std::string_view text_;   // up to the next byte that is no UTF-8
  bool invalid_tail_;       // such a byte follows
  ReaderOptions options_;
  std::size_t at_ = 0;
  std::uint32_t line_;
  std::uint32_t column_ = 1;
  Position start_;
  std::uint32_t template_depth_ = 0;
  Anonymous anonymous_;
  Failure failure_;
  bool done_ = false;
  Term result_;
  WorkStack<Frame, 32> frames_;
  WorkStack<Term, 128> values_;
};

}  // namespace lona::vm

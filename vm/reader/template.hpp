// SPDX-License-Identifier: BSD-2-Clause
// Syntax-quote: turns a form with (unquote x) and (unquote-splicing x) in it into code that builds
// the form.
//
//   constant parts               (quote part)
//   symbol                       (quote ns/name), or one fresh name per template for `name#`
//   (a ~b) [a ~b] {a ~b} …       (lona.core/list (quote a) b), tuple, vector, hash-map, hash-set
//   (a ~@b c)                    (lona.core/concat (lona.core/list …) b (lona.core/list …)), with
//                                ->tuple, ->vector, ->map, ->set around it for the other types
//   ^m x                         (lona.core/with-meta x m)
//
// Nested syntax-quotes are expanded from the inside to the outside by the reader.
#pragma once

#include <span>
#include <string_view>

#include "vm/data/work_stack.hpp"
#include "vm/heap/heap.hpp"

namespace lona::vm {

struct ReaderOptions;

inline constexpr std::uint32_t kMaxPlaceholder = 20;
// The symbol %n.
Term placeholder(std::uint32_t n);

// A name that no other symbol has: prefix, a number, suffix. Null when there is no memory.
SymbolEntry* fresh_name(std::string_view prefix, std::string_view suffix);

class Template {
 public:
  Template(Heap& heap, const ReaderOptions& options) : heap_(heap), options_(options) {}

  Term expand(Term form);

  const char* error() const { return error_; }
  const char* error_type() const { return error_type_; }

 private:
  struct Part {
    Term code;
    bool constant;  // `code` is then the value itself
    bool splice;
  };
  Part part(Term form, unsigned depth);
  Part symbol(Term form);
  Part list(Term form, unsigned depth);
  Part meta(Term form, unsigned depth);
  Part collection(Term form, unsigned depth);
  void collect(Term element, unsigned depth);
  Part combine(std::size_t first, Kind kind);
  Term constant_collection(std::span<const Part> parts, Kind kind);
  Term concatenation(std::span<const Part> parts, Kind kind);
  static std::string_view constructor(Kind kind);
  Term codes(std::span<const Part> parts);
  Term code_of(const Part& part);
  Term call(std::string_view function, Term arguments);
  Part fail(const char* type, const char* message);
  SymbolEntry* automatic(std::string_view name);

  Heap& heap_;
  const ReaderOptions& options_;
  const char* error_ = nullptr;
  const char* error_type_ = nullptr;
  Term automatic_ = Term::empty_list();  // (name . fresh symbol) pairs
  WorkStack<Part, 32> parts_;            // of the collections being expanded
};

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
// The structure of forms: collections, prefixes, comments. Atoms are in atoms.cpp, the expansion of
// syntax-quote in template.cpp.
//
// Open collections and waiting prefixes are frames on a stack of their own; the elements read so
// far are on a second one, each frame knowing where its own begin.
#include "vm/reader/reader.hpp"

#include "vm/data/map.hpp"
#include "vm/data/map_builder.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/utf8.hpp"
#include "vm/data/vector.hpp"
#include "vm/number/text.hpp"
#include "vm/reader/template.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

Reader::Reader(Heap& heap, std::string_view text, const ReaderOptions& options)
    : heap_(heap), whole_(text), options_(options), line_(options.first_line) {
  find_invalid();
}

void Reader::find_invalid() {
  text_ = whole_.substr(0, at_ + utf8::valid_prefix(whole_.substr(at_)));
  invalid_tail_ = text_.size() < whole_.size();
}

ReadOutcome Reader::next() {
  frames_.shrink(0);
  values_.shrink(0);
  template_depth_ = 0;
  anonymous_ = {};
  failure_ = {};
  done_ = false;
  while (!done_) {
    skip_blank();
    if (at_end() && frames_.empty() && !invalid_tail_) {
      return {.kind = ReadOutcome::Kind::kEnd};
    }
    if (frames_.empty()) start_ = position();
    if (!step()) return report();
  }
  return {.kind = ReadOutcome::Kind::kForm, .form = result_};
}

ReadOutcome Reader::report() {
  Term info = empty_map(heap_);
  auto put = [&](std::string_view key, Term value) {
    info = map_put(heap_, info, make_keyword(key), value);
  };
  put("message", make_string(heap_, failure_.message));
  if (!options_.file.empty()) put("file", make_string(heap_, options_.file));
  put("line", Term::integer(failure_.position.line));
  put("column", Term::integer(failure_.position.column));
  return {.kind = ReadOutcome::Kind::kError,
          .incomplete = failure_.incomplete,
          .error_type = failure_.type,
          .error_info = info};
}

bool Reader::fail(const char* type, const char* message, Position position, bool incomplete) {
  failure_ = {type, message, position, incomplete};
  return false;
}

// The text ends inside of something. `position` is where that began.
bool Reader::fail_end(const char* message, Position position) {
  if (invalid_tail_) {
    invalid_tail_ = false;  // told once; then this is the end of the text
    return fail("invalid-utf8", "the text is not valid UTF-8 here", this->position());
  }
  return fail("unexpected-eof", message, position, true);
}

void Reader::advance(std::size_t bytes) {
  for (; bytes != 0; bytes--) {
    char c = whole_[at_++];
    if (c == '\n') {
      line_++;
      column_ = 1;
    } else {
      column_ += !utf8::is_continuation(c);
    }
  }
}

void Reader::skip_line() {
  while (at_ < whole_.size() && whole_[at_] != '\n') advance(1);
  if (at_ < whole_.size()) advance(1);
  find_invalid();
}

void Reader::skip_comment() {
  while (!at_end() && peek() != '\n') advance(1);
}

void Reader::skip_blank() {
  while (!at_end()) {
    char c = peek();
    if (c == ';' || (c == '#' && peek(1) == '!' && at_ == 0)) {
      skip_comment();
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',' || c == '\f' ||
               c == '\v') {
      advance(1);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      utf8::Decoded d = utf8::decode(text_.substr(at_));
      // A byte order mark is blank too, as editors leave one at the start of a file.
      if (!utf8::is_space(d.code_point) && d.code_point != 0xfeff) return;
      advance(d.bytes);
    } else {
      return;
    }
  }
}

void Reader::remember(Term form, Position position) {
  if (options_.positions != nullptr && (form.is_pair() || form.is_boxed())) {
    options_.positions->put(form, position);
  }
}

bool Reader::step() {
  if (at_end()) {
    if (frames_.empty()) return fail_end("", position());
    const Frame& open = frames_.top();
    bool collection = open.shape <= Shape::kAnonymous;
    return fail_end(collection ? "the text ends before the closing bracket of what begins here"
                               : "the text ends where a form is expected",
                    open.position);
  }
  return open_or_read(peek());
}

bool Reader::open_or_read(char c) {
  switch (c) {
    case '(':
      return open(Shape::kList, 1);
    case '[':
      return open(Shape::kTuple, 1);
    case '{':
      return open(Shape::kVector, 1);
    case ')':
    case ']':
    case '}':
      return close(c);
    case '\'':
      return open(Shape::kQuote, 1);
    case '`':
      return open(Shape::kSyntaxQuote, 1);
    case '~':
      return peek(1) == '@' ? open(Shape::kSplice, 2) : open(Shape::kUnquote, 1);
    case '^':
      return open(Shape::kMeta, 1);
    case '#':
      return read_dispatch();
    case '"':
      return read_string();
    case '\\':
      return read_character();
    case '%':
      if (peek(1) == '{') return open(Shape::kMap, 2);
      return read_token();
    case '@': {
      Position at = position();
      advance(1);
      return fail("invalid-token", "@ stands only behind ~", at);
    }
    default:
      return read_token();
  }
}

bool Reader::read_dispatch() {
  Position at = position();
  switch (peek(1)) {
    case '{':
      return open(Shape::kSet, 2);
    case '(':
      return open(Shape::kAnonymous, 2);
    case '\'':
      return open(Shape::kVarQuote, 2);
    case '_':
      return open(Shape::kDiscard, 2);
    case '#':
      return deliver_number(read_special_float(heap_, take_token().substr(2)), at);
    case '<':
      advance(2);
      return fail("unreadable", "#<…> stands for a value that has no readable form", at);
    case '\0':
      if (at_ + 1 >= text_.size()) {
        advance(1);
        return fail_end("the text ends behind #", at);
      }
      [[fallthrough]];
    default:
      break;
  }
  return read_binary();
}

bool Reader::open(Shape shape, std::size_t skip) {
  Position at = position();
  advance(skip);
  if (frames_.size() >= kMaxNesting) {
    return fail("nesting-too-deep", "forms are nested more than 10,000 deep", at);
  }
  switch (shape) {
    case Shape::kAnonymous:
      if (anonymous_.active) return fail("nested-anon-fn", "#(…) inside of #(…)", at);
      anonymous_ = {.active = true};
      break;
    case Shape::kSyntaxQuote:
      template_depth_++;
      break;
    case Shape::kUnquote:
    case Shape::kSplice:
      if (template_depth_ == 0) {
        return fail("unquote-outside-syntax-quote", "~ stands only inside of a syntax-quote", at);
      }
      template_depth_--;
      break;
    default:
      break;
  }
  if (!frames_.push({shape, values_.size(), at})) return fail("oom", "no memory left", at);
  return true;
}

bool Reader::close(char c) {
  Position at = position();
  advance(1);
  if (frames_.empty()) {
    return fail("unmatched-delimiter", "a closing bracket without an opening one", at);
  }
  Frame frame = frames_.top();
  char wanted = '\0';
  switch (frame.shape) {
    case Shape::kList:
    case Shape::kAnonymous:
      wanted = ')';
      break;
    case Shape::kTuple:
    case Shape::kBytes:
      wanted = ']';
      break;
    case Shape::kVector:
    case Shape::kMap:
    case Shape::kSet:
      wanted = '}';
      break;
    default:
      return fail("unmatched-delimiter", "a closing bracket where a form is expected", at);
  }
  if (c != wanted) {
    return fail("unmatched-delimiter", "a closing bracket of another kind than the opening one",
                at);
  }
  return finish(frame);
}

bool Reader::finish(const Frame& frame) {
  bool pairs = frame.shape == Shape::kMap;
  if (pairs && (values_.size() - frame.first) % 2 != 0) {
    return fail("odd-map", "a map needs a value for every key", frame.position);
  }
  for (std::size_t i = frame.first; frame.shape == Shape::kBytes && i < values_.size(); i++) {
    Term t = values_[i];
    if (t.is_integer() && (t.as_integer() < 0 || t.as_integer() > 0xff)) {
      return fail("invalid-bits", "a byte is a number from 0 to 255", frame.position);
    }
  }
  Term form = build(frame);
  if (form == Term::absent()) return fail("oom", "no memory left", frame.position);
  frames_.pop();
  values_.shrink(frame.first);
  return deliver(form, frame.position);
}

Term Reader::build(const Frame& frame) {
  std::span<const Term> elements{values_.data() + frame.first, values_.size() - frame.first};
  switch (frame.shape) {
    case Shape::kTuple:
      return make_tuple(heap_, elements);
    case Shape::kVector:
      return make_vector(heap_, elements);
    case Shape::kMap: {
      MapBuilder builder(heap_);
      for (std::size_t i = 0; i < elements.size(); i += 2) {
        builder.put(elements[i], elements[i + 1]);
      }
      return builder.take();
    }
    case Shape::kBytes:
      return build_binary(elements);
    case Shape::kSet: {
      MapBuilder builder(heap_);
      for (Term t : elements) builder.put(t, Term::true_());
      return builder.take_set();
    }
    default: {
      Term list = make_list(heap_, elements);
      if (frame.shape != Shape::kAnonymous || list == Term::absent()) return list;
      remember(list, frame.position);
      return build_anonymous(list);
    }
  }
}

// (fn* [%1 %2 & %&] body): the placeholders themselves are the parameters.
Term Reader::build_anonymous(Term body) {
  Term parameters[kMaxPlaceholder + 2];
  std::size_t n = 0;
  for (std::uint32_t i = 1; i <= anonymous_.highest; i++) parameters[n++] = placeholder(i);
  if (anonymous_.rest) {
    parameters[n++] = make_symbol("&");
    parameters[n++] = make_symbol("%&");
  }
  anonymous_ = {};
  Term form[] = {make_symbol("fn*"), make_tuple(heap_, {parameters, n}), body};
  return make_list(heap_, form);
}

// A form is complete: it ends the prefixes that wait for it, then joins its collection.
bool Reader::deliver(Term form, Position position) {
  remember(form, position);
  while (!frames_.empty() && frames_.top().shape >= Shape::kQuote) {
    Frame frame = frames_.top();
    if (frame.shape == Shape::kDiscard) {
      frames_.pop();
      return true;
    }
    if (frame.shape == Shape::kMeta && values_.size() == frame.first) break;  // now its form
    if (!apply_prefix(frame, form)) return false;
    frames_.pop();
    values_.shrink(frame.first);
    remember(form, frame.position);
  }
  if (frames_.empty()) {
    result_ = form;
    done_ = true;
    return true;
  }
  if (!values_.push(form)) return fail("oom", "no memory left", position);
  return frames_.top().shape != Shape::kBytes || read_segment(position);
}

bool Reader::apply_prefix(const Frame& frame, Term& form) {
  auto wrap = [&](std::string_view name) {
    form = heap_.cons(make_symbol(name), heap_.cons(form, Term::empty_list()));
    return true;
  };
  switch (frame.shape) {
    case Shape::kQuote:
      return wrap("quote");
    case Shape::kVarQuote:
      if (!bare(form).is_symbol()) {
        return fail("invalid-token", "#' stands only before a symbol", frame.position);
      }
      return wrap("var");
    case Shape::kUnquote:
      template_depth_++;
      return wrap("unquote");
    case Shape::kSplice:
      template_depth_++;
      return wrap("unquote-splicing");
    case Shape::kMeta:
      return merge_meta(values_[frame.first], form, form) ||
             fail("invalid-metadata", "metadata is a keyword or a map", frame.position);
    default: {
      template_depth_--;
      Template expansion(heap_, options_);
      form = expansion.expand(form);
      if (expansion.error() == nullptr) return true;
      return fail(expansion.error_type(), expansion.error(), frame.position);
    }
  }
}

// ^meta form; what is written further left wins where two set the same key.
bool Reader::merge_meta(Term meta, Term form, Term& out) {
  if (meta.is_keyword()) {
    meta = map_put(heap_, empty_map(heap_), meta, Term::true_());
  } else if (!is_map(meta)) {
    return false;
  }
  if (is_kind(form, Kind::kMetaForm)) {
    meta = map_merge(heap_, slot(form, 1), meta);
    form = slot(form, 0);
  }
  Word* p = heap_.alloc_box(Kind::kMetaForm, 2);
  p[1] = form.bits();
  p[2] = meta.bits();
  out = Term::boxed(p);
  return true;
}

}  // namespace lona::vm

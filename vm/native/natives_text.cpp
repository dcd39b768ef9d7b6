// SPDX-License-Identifier: BSD-2-Clause
// Strings and characters. Positions are code points; searching works on the bytes, because no
// UTF-8 sequence occurs inside of another.
#include <algorithm>
#include <cstring>

#include "vm/data/each.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/unicode.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/native/natives_data.hpp"
#include "vm/printer/printer.hpp"
#include "vm/process/worker.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

Term fail_string(Process& p, const char* fn, Term got) {
  return p.fail_type(fn, "string", got);
}

// A string or a character as text; `buffer` has room for four bytes.
bool as_text(Term t, char* buffer, std::string_view& text) {
  if (t.is_character()) {
    text = {buffer, utf8::encode(t.as_character(), buffer)};
    return true;
  }
  if (!is_string(t)) return false;
  text = string_text(t);
  return true;
}

// All strings one after the other, with `separator` between them.
Term joined(Process& p, std::span<const Term> parts, std::string_view separator) {
  std::size_t gaps = parts.empty() ? 0 : parts.size() - 1;
  std::size_t bytes = gaps * separator.size(), count = gaps * utf8::count(separator);
  for (Term t : parts) {
    bytes += string_bytes(t);
    count += string_count(t);
  }
  // A first string that is long already may be able to grow where it is.
  std::size_t kept = !parts.empty() && string_bytes(parts[0]) >= bytes / 2 ? 1 : 0;
  std::size_t old_bytes = kept == 0 ? 0 : string_bytes(parts[0]);
  charge_items(p, (bytes - old_bytes) / 8 + parts.size());
  NewString s = kept == 0
                    ? allocate_text(p, bytes, count)
                    : extend_text(p, parts[0], bytes - old_bytes, count - string_count(parts[0]));
  if (s.text == nullptr) return p.fail_oom();
  char* out = s.text;
  auto add = [&](std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  for (std::size_t i = kept; i < parts.size(); i++) {
    if (i != 0) add(separator);
    add(string_text(parts[i]));
  }
  return s.term;
}

bool is_ascii_letter(char c) {
  return static_cast<unsigned char>((c | 32) - 'a') < 26;
}

// Lower-case sigma has a form of its own at the end of a word.
bool ends_word(std::string_view text, std::size_t at, std::size_t next) {
  if (next < text.size() && unicode::is_letter(utf8::decode(text.substr(next)).code_point)) {
    return false;
  }
  if (at == 0) return false;
  do {
    at--;
  } while (utf8::is_continuation(text[at]));
  return unicode::is_letter(utf8::decode(text.substr(at)).code_point);
}

// `map(text, at, next)` is what the character at [at, next) becomes. Twice the same walk: first for
// the size.
template <class Map>
Term map_characters(Process& p, const char* fn, Term t, Map map) {
  if (!is_string(t)) return fail_string(p, fn, t);
  std::string_view text = string_text(t);
  charge_items(p, 2 * text.size());
  std::size_t bytes = 0, count = 0;
  auto walk = [&](auto use) {
    for (std::size_t at = 0, next; at < text.size(); at = next) {
      next = at + utf8::decode(text.substr(at)).bytes;
      unicode::Mapped m = map(text, at, next);
      for (unsigned i = 0; i < m.count; i++) use(m.cp[i]);
    }
  };
  walk([&](std::uint32_t cp) {
    bytes += utf8::encoded_size(cp);
    count++;
  });
  NewString s = allocate_text(p, bytes, count);
  if (s.text == nullptr) return p.fail_oom();
  walk([&](std::uint32_t cp) { s.text += utf8::encode(cp, s.text); });
  return s.term;
}

template <class Map>
Term map_case(Process& p, const char* fn, Term t, Map map) {
  return map_characters(p, fn, t, [&](std::string_view text, std::size_t at, std::size_t) {
    return map(utf8::decode(text.substr(at)).code_point);
  });
}

// Byte offsets of the text without white space at its ends.
std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    utf8::Decoded d = utf8::decode(text);
    if (!utf8::is_space(d.code_point)) break;
    text.remove_prefix(d.bytes);
  }
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (utf8::is_continuation(text[last])) last--;
    if (!utf8::is_space(utf8::decode(text.substr(last)).code_point)) break;
    text = text.substr(0, last);
  }
  return text;
}

Term split_at_space(Process& p, std::string_view text) {
  ListBuilder list(p);
  while (!(text = trimmed(text)).empty()) {
    std::size_t end = 0;
    while (end < text.size()) {
      utf8::Decoded d = utf8::decode(text.substr(end));
      if (utf8::is_space(d.code_point)) break;
      end += d.bytes;
    }
    Term part = make_string(p, text.substr(0, end));
    if (part == Term::absent() || list.failed()) return Term::absent();
    list.add(part);
    text.remove_prefix(end);
  }
  return list.take();
}

using Test = bool (*)(std::string_view text, std::string_view part);
Term test_text(Process& p, const char* fn, Args args, Test test) {
  char buffer[4];
  std::string_view part;
  if (!is_string(args[0])) return fail_string(p, fn, args[0]);
  if (!as_text(args[1], buffer, part)) return fail_string(p, fn, args[1]);
  return Term::boolean(test(string_text(args[0]), part));
}

}  // namespace

Term display_string(Process& p, Term t) {
  if (is_string(t)) return t;
  if (t.is_nil()) return make_string(p, "");
  return print_to_string(p, t, Style::kDisplay);
}

Term str(Process& p, Args args) {
  if (args.size() == 1 && is_string(args[0])) return args[0];
  WorkStack<Term, 32> parts;
  for (std::uint32_t i = 0; i < args.size(); i++) {
    Term part = display_string(p, args[i]);
    if (part == Term::absent() || !parts.push(part)) return p.fail_oom();
  }
  return joined(p, {parts.data(), parts.size()}, "");
}

Term pr_str(Process& p, Args args) {
  WorkStack<Term, 32> parts;
  for (std::uint32_t i = 0; i < args.size(); i++) {
    Term part = print_to_string(p, args[i], Style::kReadable);
    if (part == Term::absent() || !parts.push(part)) return p.fail_oom();
  }
  return joined(p, {parts.data(), parts.size()}, " ");
}

Term join(Process& p, Args args) {
  Term coll = args[args.size() - 1];
  if (!is_seqable(coll)) return p.fail_type("join", "collection", coll);
  char buffer[4];
  std::string_view separator;
  if (args.size() == 2 && !as_text(args[0], buffer, separator)) {
    return fail_string(p, "join", args[0]);
  }
  WorkStack<Term, 64> parts;
  Each each(p, coll);
  for (Term e; each.next(e);) {
    Term part = display_string(p, e);
    if (part == Term::absent() || !parts.push(part)) return p.fail_oom();
  }
  return joined(p, {parts.data(), parts.size()}, separator);
}

std::size_t text_offset(Process& p, Term s, std::size_t index) {
  auto collections = std::uint64_t{p.minor_collections_} + p.major_collections_;
  auto found = p.worker_->text_places.find(s, index, p.pid().bits() >> Term::kTagBits, collections);
  charge_items(p, found.walked / 8);
  return found.offset;
}

Term subs(Process& p, Args args) {
  Term s = args[0];
  if (!is_string(s)) return fail_string(p, "subs", s);
  auto length = static_cast<std::int64_t>(string_count(s));
  for (std::uint32_t i = 1; i < args.size(); i++) {
    if (!args[i].is_integer()) return p.fail_type("subs", "integer", args[i]);
  }
  std::int64_t start = args[1].as_integer();
  std::int64_t end = args.size() > 2 ? args[2].as_integer() : length;
  if (start < 0 || start > end || end > length) {
    return p.fail("out-of-bounds", args[args.size() > 2 && end > length ? 2 : 1]);
  }
  std::size_t first = text_offset(p, s, static_cast<std::size_t>(start));
  std::size_t last = text_offset(p, s, static_cast<std::size_t>(end));
  charge_items(p, (last - first) / 8);
  return or_oom(p, substring(p, s, first, last, static_cast<std::size_t>(end - start)));
}

Term split(Process& p, Args args) {
  if (!is_string(args[0])) return fail_string(p, "split", args[0]);
  std::string_view text = string_text(args[0]);
  charge_items(p, text.size() / 2);
  if (args.size() == 1) return or_oom(p, split_at_space(p, text));
  char buffer[4];
  std::string_view separator;
  if (!as_text(args[1], buffer, separator)) return fail_string(p, "split", args[1]);
  if (separator.empty()) return p.fail_badarg("split", args);
  ListBuilder list(p);
  for (;;) {
    std::size_t at = text.find(separator);
    Term part = make_string(p, text.substr(0, at));
    if (part == Term::absent() || list.failed()) return p.fail_oom();
    list.add(part);
    if (at == text.npos) return or_oom(p, list.take());
    text.remove_prefix(at + separator.size());
  }
}

Term lower_case(Process& p, Args args) {
  auto map = [](std::string_view text, std::size_t at, std::size_t next) {
    std::uint32_t cp = utf8::decode(text.substr(at)).code_point;
    if (cp == 0x3a3 && ends_word(text, at, next)) return unicode::Mapped{{0x3c2}, 1};
    return unicode::to_lower(cp);
  };
  return map_characters(p, "lower-case", args[0], map);
}
Term upper_case(Process& p, Args args) {
  return map_case(p, "upper-case", args[0], unicode::to_upper);
}

Term fold_case(Process& p, Args args) {
  return map_case(p, "lona.string/fold-case", args[0], unicode::fold_case);
}
Term capitalize(Process& p, Args args) {
  auto map = [](std::string_view text, std::size_t at, std::size_t) {
    std::uint32_t cp = utf8::decode(text.substr(at)).code_point;
    return at == 0 ? unicode::to_title(cp) : unicode::to_lower(cp);
  };
  return map_characters(p, "lona.string/capitalize", args[0], map);
}

Term category(Process& p, Args args) {
  if (!args[0].is_character()) return p.fail_type("lona.string/category", "character", args[0]);
  return make_keyword(unicode::category(args[0].as_character()));
}

Term last_index_of(Process& p, Args args) {
  char buffer[4];
  std::string_view part;
  if (!is_string(args[0])) return fail_string(p, "lona.string/last-index-of", args[0]);
  if (!as_text(args[1], buffer, part)) return fail_string(p, "lona.string/last-index-of", args[1]);
  std::string_view text = string_text(args[0]);
  charge_items(p, text.size() / 4);
  std::size_t at = text.rfind(part);
  if (at == text.npos) return Term::nil();
  return Term::integer(static_cast<std::int64_t>(utf8::count(text.substr(0, at))));
}

Term trim(Process& p, Args args) {
  if (!is_string(args[0])) return fail_string(p, "trim", args[0]);
  std::string_view text = string_text(args[0]), rest = trimmed(text);
  return rest.size() == text.size() ? args[0] : or_oom(p, make_string(p, rest));
}

Term index_of(Process& p, Args args) {
  char buffer[4];
  std::string_view part;
  if (!is_string(args[0])) return fail_string(p, "index-of", args[0]);
  if (!as_text(args[1], buffer, part)) return fail_string(p, "index-of", args[1]);
  std::string_view text = string_text(args[0]);
  std::size_t from = 0, index_from = 0;
  if (args.size() > 2) {
    if (!args[2].is_integer()) return p.fail_type("index-of", "integer", args[2]);
    std::int64_t index = args[2].as_integer();
    if (index > static_cast<std::int64_t>(string_count(args[0]))) return Term::nil();
    index_from = index > 0 ? static_cast<std::size_t>(index) : 0;
    from = text_offset(p, args[0], index_from);
  }
  std::size_t at = text.find(part, from);
  charge_items(p, (std::min(at, text.size()) - from) / 4);
  if (at == text.npos) return Term::nil();
  std::size_t skipped = utf8::count(text.substr(from, at - from));
  return Term::integer(static_cast<std::int64_t>(index_from + skipped));
}

Term starts_with(Process& p, Args args) {
  return test_text(p, "starts-with?", args, [](auto s, auto part) { return s.starts_with(part); });
}
Term ends_with(Process& p, Args args) {
  return test_text(p, "ends-with?", args, [](auto s, auto part) { return s.ends_with(part); });
}
Term includes(Process& p, Args args) {
  return test_text(p, "includes?", args, [](auto s, auto part) { return s.find(part) != s.npos; });
}

Term replace(Process& p, Args args) {
  char part_buffer[4], by_buffer[4];
  std::string_view part, by;
  if (!is_string(args[0])) return fail_string(p, "replace", args[0]);
  if (!as_text(args[1], part_buffer, part)) return fail_string(p, "replace", args[1]);
  if (!as_text(args[2], by_buffer, by)) return fail_string(p, "replace", args[2]);
  if (part.empty()) return p.fail_badarg("replace", args);
  std::string_view text = string_text(args[0]);
  charge_items(p, text.size() / 4);
  std::size_t hits = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) hits++;
  if (hits == 0) return args[0];
  NewString s = allocate_text(p, text.size() - hits * part.size() + hits * by.size(), 0);
  if (s.text == nullptr) return p.fail_oom();
  char* out = s.text;
  auto add = [&](std::string_view piece) {
    if (!piece.empty()) std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  };
  for (; hits != 0; hits--) {
    std::size_t at = text.find(part);
    add(text.substr(0, at));
    add(by);
    text.remove_prefix(at + part.size());
  }
  add(text);
  payload(s.term)[1] = utf8::count(string_text(s.term));
  return s.term;
}

Term ascii_words(Process& p, Args args) {
  if (!is_string(args[0])) return fail_string(p, "ascii-words", args[0]);
  std::string_view text = string_text(args[0]);
  charge_items(p, text.size());
  ListBuilder list(p);
  for (std::size_t i = 0; i < text.size();) {
    while (i < text.size() && !is_ascii_letter(text[i])) i++;
    std::size_t start = i;
    while (i < text.size() && is_ascii_letter(text[i])) i++;
    if (i == start) break;
    NewString word = allocate_string(p, i - start, i - start);
    if (word.text == nullptr || list.failed()) return p.fail_oom();
    for (std::size_t k = start; k < i; k++) word.text[k - start] = static_cast<char>(text[k] | 32);
    list.add(word.term);
  }
  return or_oom(p, list.take());
}

Term code(Process& p, Args args) {
  if (!args[0].is_character()) return p.fail_type("code", "character", args[0]);
  return Term::integer(args[0].as_character());
}

Term character(Process& p, Args args) {
  Term t = args[0];
  if (t.is_character()) return t;
  if (!t.is_integer()) return p.fail_type("char", "integer", t);
  std::int64_t cp = t.as_integer();
  if (cp < 0 || cp > utf8::kMaxCodePoint || !utf8::is_scalar(static_cast<std::uint32_t>(cp))) {
    return p.fail_badarg("char", args);
  }
  return Term::character(static_cast<std::uint32_t>(cp));
}

}  // namespace lona::vm::natives

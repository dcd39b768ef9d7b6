// SPDX-License-Identifier: BSD-2-Clause
// Symbols, keywords, numbers and forms from text.
#include <algorithm>

#include "vm/code/namespace.hpp"
#include "vm/data/map.hpp"
#include "vm/data/string.hpp"
#include "vm/native/natives_data.hpp"
#include "vm/number/integer.hpp"
#include "vm/reader/reader.hpp"
#include "vm/reader/template.hpp"
#include "vm/term/equal.hpp"
#include "vm/vm.hpp"

namespace lona::vm::natives {

namespace {

Term name_term(SymbolEntry* entry, bool keyword) {
  return keyword ? Term::keyword(entry) : Term::symbol(entry);
}

bool is_name(Term t) {
  return t.is_symbol() || t.is_keyword();
}

// (symbol x), (symbol ns name) and the same for keywords.
// Names are printed as they are: what moves a terminal's cursor is no part of one.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Term make_name(Process& p, const char* fn, Args args, bool keyword) {
  Term first = bare(args[0]);
  if (args.size() == 1 && is_name(first)) return name_term(first.entry(), keyword);
  for (std::uint32_t i = 0; i < args.size(); i++) {
    if (!is_string(args[i])) return p.fail_type(fn, "string", args[i]);
    if (string_bytes(args[i]) == 0 || has_control(string_text(args[i]))) {
      return p.fail_badarg(fn, args);
    }
  }
  std::size_t bytes = args.size() - 1;
  for (std::uint32_t i = 0; i < args.size(); i++) bytes += string_bytes(args[i]);
  if (bytes > kMaxNameBytes) return p.fail_badarg(fn, args);
  Term full = args[0];
  if (args.size() == 2) {
    NewString s = allocate_string(p, bytes, bytes);
    if (s.text == nullptr) return p.fail_oom();
    std::string_view ns = string_text(args[0]), name = string_text(args[1]);
    ns.copy(s.text, ns.size());
    s.text[ns.size()] = '/';
    name.copy(s.text + ns.size() + 1, name.size());
    full = s.term;
  }
  SymbolEntry* entry = try_intern(string_text(full));
  if (entry == nullptr && number_is_taken(string_text(full))) {
    return p.fail("name-taken", map_put(p, empty_map(p), make_keyword("name"), full));
  }
  return entry != nullptr ? name_term(entry, keyword) : p.fail_oom();
}

// -1 when the character is no digit of the base.
int digit(char c, std::int64_t radix) {
  int v = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'z' ? (c | 32) - 87 : 99;
  return v < radix ? v : -1;
}

SymbolEntry* qualify_for(void* process, SymbolEntry* symbol) {
  auto& p = *static_cast<Process*>(process);
  return p.vm().namespaces().qualify(p.ns(), symbol);
}

}  // namespace

Term symbol(Process& p, Args args) {
  return make_name(p, "symbol", args, false);
}
Term keyword(Process& p, Args args) {
  return make_name(p, "keyword", args, true);
}

Term name(Process& p, Args args) {
  Term t = bare(args[0]);
  if (is_string(t)) return t;
  if (!is_name(t)) return p.fail_type("name", "name", t);
  return or_oom(p, make_string(p, t.entry()->name()));
}

Term namespace_of(Process& p, Args args) {
  Term t = bare(args[0]);
  if (!is_name(t)) return p.fail_type("namespace", "name", t);
  if (t.entry()->name_offset == 0) return Term::nil();
  return or_oom(p, make_string(p, t.entry()->ns()));
}

Term gensym(Process& p, Args args) {
  std::string_view prefix = "G";
  if (args.size() == 1) {
    if (!is_string(args[0])) return p.fail_type("gensym", "string", args[0]);
    prefix = string_text(args[0]);
  }
  SymbolEntry* entry = fresh_name(prefix, "");
  return entry != nullptr ? Term::symbol(entry) : p.fail_oom();
}

Term parse_integer(Process& p, Args args) {
  if (!is_string(args[0])) return p.fail_type("parse-integer", "string", args[0]);
  std::int64_t radix = 10;
  if (args.size() == 2) {
    if (!args[1].is_integer()) return p.fail_type("parse-integer", "integer", args[1]);
    radix = args[1].as_integer();
    if (radix < 2 || radix > 36) return p.fail_badarg("parse-integer", args);
  }
  std::string_view text = string_text(args[0]);
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return Term::nil();
  for (char c : text) {
    if (digit(c, radix) < 0) return Term::nil();
  }
  charge_items(p, text.size());
  NumberResult value = integer_parse(p, text, static_cast<unsigned>(radix), negative);
  return value.has_value() ? *value : p.fail_oom();
}

Term read_string(Process& p, Args args) {
  if (!is_string(args[0])) return p.fail_type("read-string", "string", args[0]);
  charge_items(p, string_bytes(args[0]));
  Reader reader(p, string_text(args[0]), {.qualify = qualify_for, .context = &p});
  ReadOutcome r = reader.next();
  if (r.kind == ReadOutcome::Kind::kForm) return r.form;
  if (r.kind == ReadOutcome::Kind::kEnd) return p.fail("unexpected-eof");
  return std::string_view(r.error_type) == "oom" ? p.fail_oom()
                                                 : p.fail(r.error_type, r.error_info);
}

}  // namespace lona::vm::natives

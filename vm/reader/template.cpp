// SPDX-License-Identifier: BSD-2-Clause
#include "vm/reader/template.hpp"

#include <atomic>
#include <cstring>

#include "vm/data/binary.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/utf8.hpp"
#include "vm/data/vector.hpp"
#include "vm/reader/reader.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

constinit std::atomic<std::uint64_t> fresh_names{0};

// Elements per `(lona.core/list …)`, so that no call gets hundreds of arguments.
constexpr std::size_t kGroup = 64;

bool is_call_of(Term form, std::string_view name) {
  return form.first().is_symbol() && form.first().entry()->full() == name &&
         form.rest().is_pair() && form.rest().rest().is_empty_list();
}

bool self_evaluating(Term t) {
  return !t.is_symbol() && !t.is_list() && (!t.is_boxed() || is_string(t) || is_binary(t));
}

char* put_decimal(char* out, std::uint64_t n) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  while (count > 0) *out++ = digits[--count];
  return out;
}

}  // namespace

Term placeholder(std::uint32_t n) {
  char name[16] = "%";
  char* end = put_decimal(name + 1, n);
  return make_symbol({name, static_cast<std::size_t>(end - name)});
}

SymbolEntry* fresh_name(std::string_view prefix, std::string_view suffix) {
  constexpr std::size_t kMaxPart = 200;
  char name[kMaxPart + 24 + 16];
  suffix = suffix.substr(0, 16);
  if (prefix.size() > kMaxPart) {  // cut between two code points
    std::size_t cut = kMaxPart;
    while (cut > 0 && utf8::is_continuation(prefix[cut])) cut--;
    prefix = prefix.substr(0, cut);
  }
  std::memcpy(name, prefix.data(), prefix.size());
  char* end = name + prefix.size();
  std::memcpy(end, "__", 2);
  end = put_decimal(end + 2, fresh_names.fetch_add(1) + 1);
  std::memcpy(end, suffix.data(), suffix.size());
  return try_intern({name, static_cast<std::size_t>(end - name) + suffix.size()});
}

Template::Part Template::fail(const char* type, const char* message) {
  if (error_ == nullptr) {
    error_type_ = type;
    error_ = message;
  }
  return {Term::nil(), true, false};
}

Term Template::expand(Term form) {
  Part whole = part(form, 0);
  if (whole.splice) fail("invalid-token", "~@ stands only inside of a collection");
  return code_of(whole);
}

Template::Part Template::part(Term form, unsigned depth) {
  if (depth > Reader::kMaxTemplateNesting) {
    return fail("nesting-too-deep", "a syntax-quote is nested more than 200 deep");
  }
  if (form.is_symbol()) return symbol(form);
  if (form.is_pair()) return list(form, depth);
  if (!form.is_boxed()) return {form, true, false};
  switch (header_of(form).kind()) {
    case Kind::kTuple:
    case Kind::kVector:
    case Kind::kMap:
    case Kind::kSet:
      return collection(form, depth);
    case Kind::kMetaForm:
      return meta(form, depth);
    default:
      return {form, true, false};
  }
}

Template::Part Template::symbol(Term form) {
  SymbolEntry* entry = form.entry();
  std::string_view name = entry->full();
  if (name.starts_with('%')) return {form, true, false};
  if (name.size() > 1 && name.ends_with('#') && entry->name_offset == 0) {
    SymbolEntry* fresh = automatic(name);
    return fresh != nullptr ? Part{Term::symbol(fresh), true, false}
                            : fail("oom", "no memory left");
  }
  if (options_.qualify != nullptr) entry = options_.qualify(options_.context, entry);
  return {Term::symbol(entry), true, false};
}

// The same name# is the same fresh symbol within one template.
SymbolEntry* Template::automatic(std::string_view name) {
  Term wanted = make_symbol(name);
  for (Term t = automatic_; t.is_pair(); t = t.rest()) {
    if (t.first().first() == wanted) return t.first().rest().entry();
  }
  name.remove_suffix(1);
  SymbolEntry* fresh = fresh_name(name, "__auto");
  if (fresh == nullptr) return nullptr;
  automatic_ = heap_.cons(heap_.cons(wanted, Term::symbol(fresh)), automatic_);
  return fresh;
}

Template::Part Template::list(Term form, unsigned depth) {
  if (is_call_of(form, "unquote")) return {form.rest().first(), false, false};
  if (is_call_of(form, "unquote-splicing")) return {form.rest().first(), false, true};
  std::size_t first = parts_.size();
  for (; form.is_pair(); form = form.rest()) collect(form.first(), depth);
  return combine(first, Kind::kCount);
}

Template::Part Template::meta(Term form, unsigned depth) {
  Part value = part(slot(form, 0), depth + 1);
  Part data = part(slot(form, 1), depth + 1);
  if (value.splice || data.splice) return fail("invalid-token", "~@ cannot take metadata");
  if (value.constant && data.constant) {
    Word* p = heap_.alloc_box(Kind::kMetaForm, 2);
    p[1] = value.code.bits();
    p[2] = data.code.bits();
    return {Term::boxed(p), true, false};
  }
  Term arguments[] = {code_of(value), code_of(data)};
  return {call("lona.core/with-meta", make_list(heap_, arguments)), false, false};
}

Template::Part Template::collection(Term form, unsigned depth) {
  std::size_t first = parts_.size();
  Kind kind = header_of(form).kind();
  if (kind == Kind::kTuple) {
    for (std::size_t i = 0; i < tuple_count(form); i++) collect(slot(form, i), depth);
  } else if (kind == Kind::kVector) {
    for (std::size_t i = 0; i < vector_count(form); i++) collect(vector_get(form, i), depth);
  } else {
    for (MapCursor c(kind == Kind::kSet ? set_map(form) : form); !c.done(); c.next()) {
      collect(c.key(), depth);
      if (kind == Kind::kMap) collect(c.value(), depth);
    }
  }
  return combine(first, kind);
}

void Template::collect(Term element, unsigned depth) {
  Part p = part(element, depth + 1);
  if (!parts_.push(p)) fail("oom", "no memory left");
}

Term Template::constant_collection(std::span<const Part> parts, Kind kind) {
  if (kind == Kind::kVector) {
    VectorBuilder builder(heap_);
    for (const Part& p : parts) builder.add(p.code);
    return builder.take();
  }
  if (kind == Kind::kTuple) {
    Word* p = allocate_tuple(heap_, parts.size());
    if (p == nullptr) return Term::absent();
    for (std::size_t i = 0; i < parts.size(); i++) p[i] = parts[i].code.bits();
    return tuple_of_payload(p);
  }
  if (kind == Kind::kMap || kind == Kind::kSet) {
    Term map = empty_map(heap_);
    std::size_t step = kind == Kind::kMap ? 2 : 1;
    for (std::size_t i = 0; i + step <= parts.size(); i += step) {
      Term value = step == 2 ? parts[i + 1].code : Term::true_();
      map = map_put(heap_, map, parts[i].code, value);
    }
    return kind == Kind::kMap ? map : make_set(heap_, map);
  }
  ListBuilder builder(heap_);
  for (const Part& p : parts) builder.add(p.code);
  return builder.take();
}

// The parts from `first` on as one collection of `kind` (kCount: a list).
Template::Part Template::combine(std::size_t first, Kind kind) {
  std::span<const Part> parts{parts_.data() + first, parts_.size() - first};
  bool constant = true, splice = false;
  for (const Part& p : parts) {
    constant = constant && p.constant;
    splice = splice || p.splice;
  }
  Term code;
  if (constant) {
    code = constant_collection(parts, kind);
  } else if (!splice && parts.size() <= kGroup) {
    code = call(constructor(kind), codes(parts));
  } else {
    code = concatenation(parts, kind);
  }
  parts_.shrink(first);
  if (code == Term::absent()) return fail("oom", "no memory left");
  return {code, constant, false};
}

Term Template::concatenation(std::span<const Part> parts, Kind kind) {
  ListBuilder groups(heap_);
  std::size_t i = 0;
  while (i < parts.size()) {
    if (parts[i].splice) {
      groups.add(parts[i++].code);
      continue;
    }
    std::size_t end = i;
    while (end < parts.size() && end - i < kGroup && !parts[end].splice) end++;
    groups.add(call("lona.core/list", codes(parts.subspan(i, end - i))));
    i = end;
  }
  Term list = call("lona.core/concat", groups.take());
  auto one = [&](Term t) { return heap_.cons(t, Term::empty_list()); };
  switch (kind) {
    case Kind::kTuple:
      return call("lona.core/->tuple", one(list));
    case Kind::kVector:
      return call("lona.core/->vector", one(list));
    case Kind::kSet:
      return call("lona.core/->set", one(list));
    case Kind::kMap:  // keys and values alternate
      return call("lona.core/apply", heap_.cons(make_symbol("lona.core/hash-map"), one(list)));
    default:
      return list;
  }
}

std::string_view Template::constructor(Kind kind) {
  switch (kind) {
    case Kind::kTuple:
      return "lona.core/tuple";
    case Kind::kVector:
      return "lona.core/vector";
    case Kind::kSet:
      return "lona.core/hash-set";
    case Kind::kMap:
      return "lona.core/hash-map";
    default:
      return "lona.core/list";
  }
}

Term Template::codes(std::span<const Part> parts) {
  ListBuilder builder(heap_);
  for (const Part& p : parts) builder.add(code_of(p));
  return builder.take();
}

Term Template::code_of(const Part& part) {
  if (!part.constant || self_evaluating(part.code)) return part.code;
  return call("quote", heap_.cons(part.code, Term::empty_list()));
}

Term Template::call(std::string_view function, Term arguments) {
  return heap_.cons(make_symbol(function), arguments);
}

}  // namespace lona::vm

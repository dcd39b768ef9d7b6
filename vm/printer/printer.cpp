// SPDX-License-Identifier: BSD-2-Clause
#include "vm/printer/printer.hpp"

#include "vm/code/function.hpp"
#include "vm/code/namespace.hpp"
#include "vm/code/var.hpp"
#include "vm/data/binary.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/native/native.hpp"
#include "vm/number/integer.hpp"
#include "vm/number/text.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

// A container that is half printed.
struct Open {
  enum class What : std::uint8_t { kList, kTuple, kVector, kEntries, kElements, kMeta };
  What what;
  bool nested_node;  // a node inside a map: it has no brackets of its own
  bool first;        // nothing of the innermost bracketed container is printed yet
  bool value_due;    // kEntries: the key is printed, now its value
  Term t;
  std::size_t next;
};

class Printer {
 public:
  explicit Printer(Sink& sink) : sink_(sink) {}

  bool run(Term value) {
    if (!start(value)) return false;
    while (!open_.empty()) {
      if (!advance()) return false;
    }
    return true;
  }

 private:
  bool put(std::string_view text) { return sink_.write(text); }
  bool number(std::int64_t n);
  bool start(Term t);
  bool start_box(Term t);
  bool special(Term t);
  bool named(std::string_view before, std::string_view ns, std::string_view name,
             std::string_view after);
  bool function(Term t);
  bool machine(Term t);
  bool capability(Term t);
  bool foreign(Term t);
  bool bytes(Bytes bytes);
  bool open(Open::What what, Term t, std::string_view bracket) {
    return open_.push({what, false, true, false, t, 0}) && put(bracket);
  }
  bool close(std::string_view bracket) {
    open_.pop();
    return put(bracket);
  }
  // The space before every element but the first.
  bool separate();
  bool advance();
  bool advance_entries(Open& o);

  Sink& sink_;
  WorkStack<Open, 32> open_;
};

bool Printer::number(std::int64_t n) {
  char digits[24];
  std::size_t at = sizeof digits;
  bool negative = n < 0;
  std::uint64_t rest = negative ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (negative) digits[--at] = '-';
  return put({digits + at, sizeof digits - at});
}

bool Printer::named(std::string_view before, std::string_view ns, std::string_view name,
                    std::string_view after) {
  return put(before) && (ns.empty() || (put(ns) && put("/"))) && put(name) && put(after);
}

bool Printer::function(Term t) {
  if (t.is_native()) return named("#<fn ", {}, native_table()[t.native_index()].name, ">");
  const Function* f = function_of(t);
  std::string_view name = f->name != nullptr ? f->name->full() : "fn";
  return named("#<fn ", {}, name, ">");
}

// #<endpoint 5 rwgp>: its slot, and the rights to read, write, grant, and reply with a grant. One
// of another realm's says so.
bool Printer::capability(Term t) {
  const Capability cap = capability_of(t);
  constexpr std::pair<unsigned, std::string_view> kRights[] = {
      {2, "r"}, {1, "w"}, {4, "g"}, {8, "p"}};
  bool good = put("#<") && put(machine_type_name(cap.kind.type)) && put(" ") && number(cap.slot) &&
              put(" ");
  for (const auto& [bit, letter] : kRights) {
    good = good && ((cap.kind.rights & bit) == 0 || put(letter));
  }
  return good && put(">");
}

// #paddr<0x1000>
bool Printer::machine(Term t) {
  if (is_capability(t)) return capability(t);
  char digits[16];
  std::size_t at = sizeof digits;
  Word rest = machine_word(t);
  do {
    digits[--at] = "0123456789abcdef"[rest & 15];
    rest >>= 4;
  } while (rest != 0);
  return put("#") && put(machine_type_name(machine_type(t))) && put("<0x") &&
         put({digits + at, sizeof digits - at}) && put(">");
}

// As at home, with the realm: #<pid 5@1025>
bool Printer::foreign(Term t) {
  const Term pid = Term::from_bits(foreign_word(t));
  const bool is_pid = is_foreign(t, ForeignType::kPid);
  return put(is_pid ? "#<pid " : "#<ref ") &&
         number(is_pid ? static_cast<std::int64_t>(pid.pid_slot())
                       : static_cast<std::int64_t>(foreign_word(t))) &&
         put("@") && number(foreign_realm(t)) && put(">");
}

bool Printer::bytes(Bytes bytes) {
  if (!put("#bytes[")) return false;
  for (std::size_t i = 0; i < bytes.size(); i++) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    char text[5] = {' ', '0', 'x', kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]};
    if (!put(std::string_view(text, 5).substr(i == 0))) return false;
  }
  return put("]");
}

bool put_hex4(Sink& sink, std::string_view before, std::uint32_t cp) {
  char digits[4];
  for (int i = 0; i < 4; i++) digits[i] = "0123456789abcdef"[cp >> (12 - 4 * i) & 15];
  return sink.write(before) && sink.write({digits, 4});
}

// Characters that cannot be told apart on a terminal, or do things there.
bool is_invisible(std::uint32_t cp) {
  return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xfeff || cp == 0xad ||
         (cp > 0x80 && utf8::is_space(cp)) || (cp >= 0x200b && cp <= 0x200f) ||
         (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x2064);
}

bool print_character(Sink& sink, std::uint32_t cp) {
  switch (cp) {
    case '\n':
      return sink.write("\\newline");
    case ' ':
      return sink.write("\\space");
    case '\t':
      return sink.write("\\tab");
    case '\r':
      return sink.write("\\return");
    default:
      break;
  }
  if (is_invisible(cp)) return put_hex4(sink, "\\u", cp);
  char text[5] = {'\\'};
  return sink.write({text, 1 + utf8::encode(cp, text + 1)});
}

bool Printer::special(Term t) {
  if (is_number(t)) return print_number(sink_, t);
  if (t.is_character()) return print_character(sink_, t.as_character());
  if (t.is_native()) return function(t);
  if (t.is_realm()) return put("#realm-id<") && number(t.realm_number()) && put(">");
  if (t.is_nil()) return put("nil");
  if (t == Term::true_()) return put("true");
  if (t == Term::false_()) return put("false");
  if (t.is_empty_list()) return put("()");
  return put(t == Term::unbound() ? "#<unbound>" : "#<mark>");
}

bool Printer::start(Term t) {
  switch (t.tag()) {
    case Tag::kInteger:
      return number(t.as_integer());
    case Tag::kSymbol:
      return put(t.entry()->full());
    case Tag::kKeyword:
      return put(":") && put(t.entry()->full());
    case Tag::kPid:
      return put("#<pid ") && number(t.pid_slot()) && put(".") &&
             number(static_cast<std::int64_t>(t.pid_generation())) && put(">");
    case Tag::kSpecial:
      return special(t);
    case Tag::kPair:
      return open(Open::What::kList, t, "(");
    default:
      return start_box(t);
  }
}

bool Printer::start_box(Term t) {
  switch (header_of(t).kind()) {
    case Kind::kString:
    case Kind::kText:
      return print_quoted(sink_, string_text(t));
    case Kind::kBinary:
    case Kind::kSlice:
      return bytes(binary_bytes(t));
    case Kind::kByteBuffer:
      return put("#<bytebuf ") && number(static_cast<std::int64_t>(binary_size(t))) && put(">");
    case Kind::kTuple:
      return open(Open::What::kTuple, t, "[");
    case Kind::kVector:
      return open(Open::What::kVector, t, "{");
    case Kind::kMap:
      return open(Open::What::kEntries, t, "%{");
    case Kind::kSet:
      return open(Open::What::kElements, set_map(t), "#{");
    case Kind::kMetaForm:
      return open(Open::What::kMeta, t, "^");
    case Kind::kClosure:
      return function(t);
    case Kind::kRef:
      return put("#<ref ") && number(static_cast<std::int64_t>(payload(t)[0])) && put(">");
    case Kind::kVar:
      return named("#'", as_var(t)->ns->name->full(), as_var(t)->name->full(), "");
    case Kind::kNamespace:
      return named("#<namespace ", {}, as_namespace(t)->name->full(), ">");
    case Kind::kMachine:
      return machine(t);
    case Kind::kForeign:
      return foreign(t);
    default:
      return is_number(t) ? print_number(sink_, t) : put("#<value>");
  }
}

bool Printer::separate() {
  // Of the nodes of a map only the map itself knows whether anything was printed.
  std::size_t i = open_.size() - 1;
  while (open_[i].nested_node) i--;
  if (open_[i].first) {
    open_[i].first = false;
    return true;
  }
  return put(" ");
}

bool Printer::advance() {
  Open& o = open_.top();
  Term t = o.t;
  switch (o.what) {
    case Open::What::kList: {
      if (t.is_empty_list()) return close(")");
      if (!separate()) return false;
      if (!t.is_pair()) {  // never made by Lonala code
        o.t = Term::empty_list();
        return put(". ") && start(t);
      }
      o.t = t.rest();
      return start(t.first());
    }
    case Open::What::kTuple:
      if (o.next == tuple_count(t)) return close("]");
      return separate() && start(slot(t, o.next++));
    case Open::What::kVector:
      if (o.next == vector_count(t)) return close("}");
      return separate() && start(vector_get(t, o.next++));
    case Open::What::kMeta:
      if (o.next == 0) {
        o.next = 1;
        return start(slot(t, 1));
      }
      open_.pop();
      return put(" ") && start(slot(t, 0));
    default:
      return advance_entries(o);
  }
}

bool Printer::advance_entries(Open& o) {
  Term t = o.t;
  bool node = is_kind(t, Kind::kNode);
  bool small = !node && map_is_small(t);
  std::size_t entries = small ? map_count(t) : node ? node_entries(t) : 0;
  std::size_t children = small ? 0 : node ? node_children(t) : 1;
  if (o.value_due) {
    o.value_due = false;
    return put(" ") && start(node_value(t, o.next++));
  }
  std::size_t i = o.next;
  if (i < entries) {
    if (!separate()) return false;
    if (o.what == Open::What::kElements) {
      o.next++;
    } else {
      o.value_due = true;
    }
    return start(node_key(t, i));
  }
  if (i < entries + children) {
    o.next++;
    Term child = node ? node_child(t, i - entries) : slot(t, 1);
    return open_.push({o.what, true, false, false, child, 0});
  }
  if (!o.nested_node) return close("}");
  open_.pop();
  return true;
}

}  // namespace

bool print_quoted(Sink& sink, std::string_view text) {
  if (!sink.write("\"")) return false;
  std::size_t plain = 0;  // start of the stretch that needs no escape
  for (std::size_t i = 0; i < text.size();) {
    utf8::Decoded d = utf8::decode(text.substr(i));
    std::string_view escape;
    switch (d.code_point) {
      case '\n':
        escape = "\\n";
        break;
      case '\t':
        escape = "\\t";
        break;
      case '\r':
        escape = "\\r";
        break;
      case '"':
        escape = "\\\"";
        break;
      case '\\':
        escape = "\\\\";
        break;
      default:
        break;
    }
    if (!escape.empty() || is_invisible(d.code_point)) {
      if (!sink.write(text.substr(plain, i - plain))) return false;
      if (!(escape.empty() ? put_hex4(sink, "\\u", d.code_point) : sink.write(escape)))
        return false;
      plain = i + d.bytes;
    }
    i += d.bytes;
  }
  return sink.write(text.substr(plain)) && sink.write("\"");
}

bool print(Sink& sink, Term value, Style style) {
  if (style == Style::kDisplay) {
    if (is_string(value)) return sink.write(string_text(value));
    if (value.is_character()) {
      char text[4];
      return sink.write({text, utf8::encode(value.as_character(), text)});
    }
  }
  Printer printer(sink);
  return printer.run(value);
}

namespace {

// Converted once: the digits of a long integer take time.
Term integer_string(Heap& heap, Term integer) {
  std::size_t size = integer_text_size(integer, 10);
  Scratch digits(size / sizeof(Limb) + 1);
  if (digits.data() == nullptr) return Term::absent();
  auto* bytes = reinterpret_cast<char*>(digits.data());
  std::string_view text = integer_text(integer, 10, {bytes, size});
  return text.empty() ? Term::absent() : make_string(heap, text);
}

}  // namespace

Term print_to_string(Heap& heap, Term value, Style style) {
  if (style == Style::kDisplay && is_string(value)) return value;
  if (is_kind(value, Kind::kBignum)) return integer_string(heap, value);
  // Short values at once; for longer ones the length is counted first.
  char buffer[256];
  BufferSink small(buffer);
  if (print(small, value, style)) return make_string(heap, small.text());
  CountSink count;
  if (!print(count, value, style)) return Term::absent();
  NewString s = allocate_string(heap, count.bytes(), 0);
  if (s.text == nullptr) return s.term;
  BufferSink large({s.text, count.bytes()});
  if (!print(large, value, style)) return Term::absent();
  payload(s.term)[1] = utf8::count(large.text());
  return s.term;
}

}  // namespace lona::vm

// SPDX-License-Identifier: BSD-2-Clause
#include "vm/image/inspect.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <unordered_set>
#include <vector>

#include "abi/lona/address_map.hpp"
#include "vm/bytecode/opcodes.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/data/utf8.hpp"
#include "vm/image/image.hpp"
#include "vm/image/shape.hpp"
#include "vm/term/name_id.hpp"

namespace lona::vm::image {

namespace {

// What begins at a word, or that something goes on there.
enum class What : std::uint8_t {
  kNothing,
  kInside,
  kHeader,
  kPair,
  kBox,
  kSymbol,
  kIndex,
  kVar,
  kNamespace,
  kVars,
  kNamespaces,
  kFunction,
  kMaps,
  kLines,
};

struct Part {
  Word base;
  std::span<const Word> words;
  std::vector<What> claims;
  Part(Word start, std::span<const Word> content)
      : base(start), words(content), claims(content.size(), What::kNothing) {}
  bool owns(Word address) const { return address >= base && (address - base) / 8 < words.size(); }
};

class Inspector {
 public:
  Inspector(std::span<const Word> constants, std::span<const Word> data)
      : constants_(abi::kCoreConstants.start, constants), data_(abi::kCoreData.start, data) {}
  const char* run();

 private:
  void fail(const char* why) {
    if (problem_ == nullptr) problem_ = why;
  }
  bool need(bool good, const char* why) {
    if (!good) fail(why);
    return good;
  }
  // The words of an object of at least so many; null, with a problem, when they cannot be there.
  const Word* look(Part& part, Word address, std::size_t words);
  // The object of `words` words is of this kind. It is put on the list of work the first time.
  bool claim(Part& part, Word address, std::size_t words, What what);
  template <typename T>
  const T* see(Part& part, Word address) {
    return reinterpret_cast<const T*>(look(part, address, sizeof(T) / sizeof(Word)));
  }

  void term(Word bits);
  void boxed(Word address);
  void symbol(const SymbolEntry* entry, bool may_be_null);
  void var(Word address);
  void name_space(Word address);
  void table(const NameTable& table, What what);
  void function(Word address);

  // The objects on the list of work.
  void visit(What what, Word address);
  void visit_box(Word address);
  void visit_symbol(Word address);
  void visit_index(Word address);
  void visit_var(Word address);
  void visit_namespace(Word address);
  void visit_table(What what, Word address);
  void visit_function(Word address);
  void code(const Function& f, const Word* words);
  void string(const Word* payload, std::size_t words);
  // What can be asked once all objects are known.
  void verify_all();
  CodeWorld world();

  struct Work {
    What what;
    Word address;
  };
  Part constants_, data_;
  std::vector<Work> work_;
  std::vector<Word> collections_, functions_;
  std::unordered_set<Word> names_;
  bool names_known_ = false;
  const char* problem_ = nullptr;
};

const Word* Inspector::look(Part& part, Word address, std::size_t words) {
  const bool good = address % sizeof(Word) == 0 && part.owns(address) &&
                    words <= part.words.size() - (address - part.base) / sizeof(Word);
  if (!good) {
    fail("a pointer that leads nowhere");
    return nullptr;
  }
  return part.words.data() + (address - part.base) / sizeof(Word);
}

bool Inspector::claim(Part& part, Word address, std::size_t words, What what) {
  if (words == 0 || look(part, address, words) == nullptr) return false;
  What* first = part.claims.data() + (address - part.base) / sizeof(Word);
  if (*first == what) return true;
  for (std::size_t i = 0; i < words; ++i) {
    if (!need(first[i] == What::kNothing, "two objects at one place")) return false;
  }
  std::fill(first + 1, first + words, What::kInside);
  *first = what;
  work_.push_back({what, address});
  return true;
}

// --- References ---------------------------------------------------------------------------------

void Inspector::term(Word bits) {
  const Term t = Term::from_bits(bits);
  switch (t.tag()) {
    case Tag::kSymbol:
    case Tag::kKeyword:
      need(names_.contains(bits & ~Term::kTagMask), "a name that is not there");
      return;
    case Tag::kPair:
      claim(constants_, bits & ~Term::kTagMask, 2, What::kPair);
      return;
    case Tag::kBoxed:
      return boxed(bits & ~Term::kTagMask);
    default:
      need(is_value(t), "a word that is no value");
  }
}

// Vars and namespaces have their boxes in themselves, where they can be changed.
void Inspector::boxed(Word address) {
  if (!data_.owns(address)) {
    const Word* header = look(constants_, address, 1);
    if (header == nullptr) return;
    const vm::Header h = vm::Header::from_bits(*header);
    if (!need(h.is_header() && h.words() < constants_.words.size(), "a box without a header")) {
      return;
    }
    claim(constants_, address, 1 + h.words(), What::kBox);
    return;
  }
  const Word* box = look(data_, address, 2);
  if (box == nullptr) return;
  if (box[0] == vm::Header::make(Kind::kVar, 1).bits() && box[1] + offsetof(Var, box) == address) {
    return var(box[1]);
  }
  const bool is_space = box[0] == vm::Header::make(Kind::kNamespace, 1).bits() &&
                        box[1] + offsetof(Namespace, box) == address;
  if (need(is_space, "a box that can be changed")) name_space(box[1]);
}

void Inspector::symbol(const SymbolEntry* entry, bool may_be_null) {
  if (entry == nullptr) {
    need(may_be_null, "a name is missing");
    return;
  }
  const auto address = reinterpret_cast<Word>(entry);
  const auto* head = see<SymbolEntry>(constants_, address);
  if (head == nullptr || !need(head->length <= kMaxNameBytes, "a name that is too long")) return;
  const bool known = constants_.claims[(address - constants_.base) / sizeof(Word)] == What::kSymbol;
  if (!need(known || !names_known_, "a name that is not in the index")) return;
  claim(constants_, address, (sizeof(SymbolEntry) + head->length) / sizeof(Word) + 1,
        What::kSymbol);
}

void Inspector::var(Word address) {
  claim(data_, address, sizeof(Var) / sizeof(Word), What::kVar);
}
void Inspector::name_space(Word address) {
  claim(data_, address, sizeof(Namespace) / sizeof(Word), What::kNamespace);
}

void Inspector::table(const NameTable& table, What what) {
  if (table.block() == nullptr) return;
  const auto address = reinterpret_cast<Word>(table.block());
  const auto* block = see<NameTable::Block>(data_, address);
  if (block == nullptr) return;
  const std::size_t capacity = block->capacity;
  if (!need(std::has_single_bit(capacity) && capacity <= data_.words.size(), "a table's size")) {
    return;
  }
  claim(data_, address, sizeof(NameTable::Block) / sizeof(Word) + 2 * capacity, what);
}

void Inspector::function(Word address) {
  const auto* f = see<Function>(constants_, address);
  if (f == nullptr || !need(f->code_words < constants_.words.size(), "a function's length")) return;
  claim(constants_, address, sizeof(Function) / sizeof(Word) + f->code_words, What::kFunction);
}

// --- Objects ------------------------------------------------------------------------------------

void Inspector::visit(What what, Word address) {
  switch (what) {
    case What::kPair: {
      const Word* cell = look(constants_, address, 2);
      term(cell[0]);
      return term(cell[1]);
    }
    case What::kBox:
      return visit_box(address);
    case What::kVar:
      return visit_var(address);
    case What::kNamespace:
      return visit_namespace(address);
    case What::kVars:
    case What::kNamespaces:
      return visit_table(what, address);
    case What::kFunction:
      return visit_function(address);
    default:
      return;
  }
}

void Inspector::string(const Word* payload, std::size_t words) {
  if (!need(words >= 2 && payload[0] <= (words - 2) * sizeof(Word), "a string's length")) return;
  const std::string_view text(reinterpret_cast<const char*>(payload + 2), payload[0]);
  need(utf8::valid_prefix(text) == text.size() && utf8::count(text) == payload[1],
       "a string that is no text");
}

void Inspector::visit_box(Word address) {
  const Word* box = look(constants_, address, 1);
  const vm::Header h = vm::Header::from_bits(box[0]);
  const std::size_t words = h.words();
  const Word* payload = box + 1;
  switch (h.kind()) {
    case Kind::kString:
      return string(payload, words);
    case Kind::kFloat:
    case Kind::kFloat32:
    case Kind::kU64:
    case Kind::kI64:
      need(words == 1, "a number's length");
      return;
    case Kind::kBignum:
      need(words >= 2 && payload[0] <= 1 && payload[words - 1] != 0, "an integer of no value");
      return;
    case Kind::kMachine:
      need(words == 2 && payload[0] <= 2, "a machine's value");
      return;
    case Kind::kBinary:
      need(words >= 1 && payload[0] < 64 && payload[0] <= (words - 1) * 8, "a binary's length");
      return;
    case Kind::kClosure:
      if (!need(words >= 1, "a closure without a function")) return;
      function(payload[0]);
      functions_.push_back(address);
      break;
    case Kind::kVector:
    case Kind::kMap:
    case Kind::kSet:
    case Kind::kRatio:
      collections_.push_back(address);
      break;
    case Kind::kNode:
      need(words >= 2, "an empty node");
      break;
    case Kind::kTuple:
      break;
    case Kind::kMetaForm:
      need(words == 2, "a form's length");
      break;
    default:
      return fail("a value of a kind that images do not have");
  }
  const unsigned raw = kRawWords[static_cast<unsigned>(h.kind())];
  for (std::size_t i = raw; i < words; ++i) term(payload[i]);
}

void Inspector::visit_symbol(Word address) {
  const auto* entry = reinterpret_cast<const SymbolEntry*>(look(constants_, address, 1));
  const std::string_view full = entry->full();
  need(utf8::valid_prefix(full) == full.size() && entry->name_offset <= entry->length &&
           entry->id == name_id(full),
       "a name that has another number");
  names_.insert(entry->id);
}

void Inspector::visit_index(Word address) {
  const auto* index = reinterpret_cast<const NameIndex*>(look(constants_, address, 1));
  bool any_free = false;
  for (std::uint64_t i = 0; i < index->count && problem_ == nullptr; ++i) {
    any_free = any_free || index->places[i] == nullptr;
    symbol(index->places[i], true);
  }
  need(any_free, "a full index of names");
}

void Inspector::visit_var(Word address) {
  const auto& v = *see<Var>(data_, address);
  need(v.box[0] == vm::Header::make(Kind::kVar, 1).bits() && v.box[1] == address, "a var's box");
  constexpr std::uint32_t kAllowed = 15 | Var::kBound;
  need((v.flags & ~kAllowed) == 0, "a var's flags");
  // Who finds a value by the flags only looks for it until it is there.
  const bool has_value = v.value != Term::unbound() || (v.flags & Var::kProcessBound) != 0;
  need(has_value == ((v.flags & (Var::kBound | Var::kProcessBound)) != 0), "a var's value");
  for (Term t : {v.value, v.root}) {
    if (t != Term::unbound()) term(t.bits());
  }
  term(v.meta.bits());
  term(v.source.bits());
  symbol(v.name, false);
  symbol(v.file, true);
  name_space(reinterpret_cast<Word>(v.ns));
  function(reinterpret_cast<Word>(v.function));
  functions_.push_back(address);
}

void Inspector::visit_namespace(Word address) {
  const auto& ns = *see<Namespace>(data_, address);
  need(ns.box[0] == vm::Header::make(Kind::kNamespace, 1).bits() && ns.box[1] == address,
       "a namespace's box");
  symbol(ns.name, false);
  table(ns.vars, What::kVars);
  table(ns.aliases, What::kNamespaces);
}

void Inspector::visit_table(What what, Word address) {
  const auto* block = reinterpret_cast<const NameTable::Block*>(look(data_, address, 1));
  std::size_t used = 0;
  for (std::size_t i = 0; i < block->capacity && problem_ == nullptr; ++i) {
    const NameTable::Entry& entry = block->entries[i];
    if (entry.key == 0) continue;
    used++;
    need(names_.contains(entry.key), "a name that is not there");
    const auto value = reinterpret_cast<Word>(entry.value);
    what == What::kVars ? var(value) : name_space(value);
  }
  need(used == block->used && used < block->capacity, "a table's use");
}

void Inspector::visit_function(Word address) {
  const auto& f = *see<Function>(constants_, address);
  // A byte that is neither must not be loaded as a truth.
  if (!need(reinterpret_cast<const unsigned char&>(f.variadic) <= 1, "neither true nor false"))
    return;
  symbol(f.name, true);
  symbol(f.ns, true);
  symbol(f.file, true);
  term(f.closure);
  if (f.code == nullptr) {
    need(f.direct_arity == Function::kNoDirectCall && f.code_words == 0 && f.line_count == 0 &&
             f.live_map_count == 0,
         "a function without code");
    return;
  }
  if (!need(reinterpret_cast<Word>(f.code) == address + sizeof(Function), "code elsewhere")) return;
  const std::size_t map_words = std::size_t{f.live_words} * f.live_map_count;
  if (map_words != 0)
    claim(constants_, reinterpret_cast<Word>(f.live_maps), map_words, What::kMaps);
  if (f.line_count != 0) {
    claim(constants_, reinterpret_cast<Word>(f.lines), f.line_count, What::kLines);
  }
  functions_.push_back(address);
  code(f, look(constants_, address + sizeof(Function), f.code_words));
}

// What the code refers to; whether it is code that can run is the verifier's question.
void Inspector::code(const Function& f, const Word* words) {
  for (std::size_t at = 0; at < f.code_words && problem_ == nullptr;) {
    const auto* i = reinterpret_cast<const Instruction*>(words + at);
    if (!need(i->op < op_code(Op::kProcessEnd), "an instruction that is none")) return;
    const OpInfo& info = op_info(static_cast<Op>(i->op));
    const std::size_t length = instruction_words(i);
    if (!need(length <= f.code_words - at, "an instruction without an end")) return;
    for (std::size_t n = 1; n < info.words; ++n) {
      if (is_term(info.extra[n - 1])) term(words[at + n]);
      if (info.extra[n - 1] == Operand::kVar) var(words[at + n]);
      if (info.extra[n - 1] == Operand::kFunction) function(words[at + n]);
    }
    at += length;
  }
}

// --- When all objects are known -----------------------------------------------------------------

CodeWorld Inspector::world() {
  CodeWorld world;
  world.context = this;
  world.term = [](void*, Term) { return true; };
  world.var = [](void*, const Var*) { return true; };
  world.function = [](void*, const Function*) { return true; };
  world.here = [](void* self, Word address) {
    auto& inspector = *static_cast<Inspector*>(self);
    Part& part = inspector.data_.owns(address) ? inspector.data_ : inspector.constants_;
    return static_cast<const void*>(inspector.look(part, address, 1));
  };
  return world;
}

void Inspector::verify_all() {
  const CodeWorld world = this->world();
  const auto here = [&](const void* p) { return world.here(this, reinterpret_cast<Word>(p)); };
  const auto function_at = [&](Word address) {
    return static_cast<const Function*>(here(reinterpret_cast<const void*>(address)));
  };
  for (Word address : functions_) {
    if (problem_ != nullptr) return;
    if (data_.owns(address)) {
      // A call through a var goes to its function, which knows its closure.
      const auto& v = *see<Var>(data_, address);
      const Word* box = v.value.is_boxed()
                            ? look(constants_.owns(v.value.bits()) ? constants_ : data_,
                                   v.value.bits() & ~Term::kTagMask, 2)
                            : nullptr;
      const bool closure = box != nullptr && vm::Header::from_bits(box[0]).kind() == Kind::kClosure;
      const Function* f = function_at(reinterpret_cast<Word>(v.function));
      need(f->direct_arity == Function::kNoDirectCall ||
               (closure && box[1] == reinterpret_cast<Word>(v.function) && f->closure != 0),
           "a var that calls what it does not hold");
    } else if (constants_.claims[(address - constants_.base) / sizeof(Word)] == What::kBox) {
      const Word* box = look(constants_, address, 2);
      const Function* f = function_at(box[1]);
      need(f->code != nullptr && f->captures == vm::Header::from_bits(box[0]).words() - 1,
           "a closure with a wrong number of values");
    } else {
      Function f = *function_at(address);
      f.code = static_cast<const Instruction*>(here(f.code));
      if (f.live_map_count != 0) {
        f.live_maps = static_cast<const std::uint64_t*>(here(f.live_maps));
      }
      if (const char* why = verify(f, world)) fail(why);
      if (f.closure == 0) continue;
      const Word* box = Term::from_bits(f.closure).is_boxed()
                            ? look(constants_, f.closure & ~Term::kTagMask, 2)
                            : nullptr;
      need(box != nullptr && box[0] == vm::Header::make(Kind::kClosure, 1).bits() &&
               box[1] == address,
           "a function that another's closure stands for");
    }
  }
}

const char* Inspector::run() {
  const auto* header = see<image::Header>(constants_, constants_.base);
  if (header == nullptr ||
      !claim(constants_, constants_.base, sizeof(image::Header) / sizeof(Word), What::kHeader)) {
    return problem_;
  }
  const auto index = reinterpret_cast<Word>(header->names);
  const auto* names = see<NameIndex>(constants_, index);
  if (names == nullptr) return problem_;
  const std::uint64_t count = names->count;
  if (!need(std::has_single_bit(count) && count < constants_.words.size(), "an index's size") ||
      !claim(constants_, index, sizeof(NameIndex) / sizeof(Word) + count, What::kIndex)) {
    return problem_;
  }
  // First the names, which all else refers to by their numbers.
  visit_index(index);
  for (const Work& each : std::vector<Work>(work_)) {
    if (each.what == What::kSymbol && problem_ == nullptr) visit_symbol(each.address);
  }
  names_known_ = true;
  table(header->namespaces, What::kNamespaces);
  while (!work_.empty() && problem_ == nullptr) {
    const Work next = work_.back();
    work_.pop_back();
    visit(next.what, next.address);
  }
  if (problem_ == nullptr) {
    Shapes shapes(constants_.base, constants_.words);
    for (Word address : collections_) need(shapes.good(address), "a collection of no shape");
  }
  if (problem_ == nullptr) verify_all();
  return problem_;
}

}  // namespace

const char* inspect(std::span<const Word> constants, std::span<const Word> data) {
  return Inspector(constants, data).run();
}

}  // namespace lona::vm::image

// SPDX-License-Identifier: BSD-2-Clause
// Copies all that can be reached from the namespaces of a VM to its place in the image. An object
// gets its address when it is first met, and is filled in later from a list of work, so that depth
// costs no stack. The order depends on names and code only: the same library gives the same bytes.
#include "vm/image/writer.hpp"

#include <cstring>
#include <deque>
#include <functional>
#include <unordered_map>

#include "abi/lona/address_map.hpp"
#include "vm/bytecode/opcodes.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/image/image.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm::image {

namespace {

class Part {
 public:
  explicit Part(Word base) : base_(base) {}
  Word take(std::size_t bytes) {
    Word address = base_ + words.size() * sizeof(Word);
    words.resize(words.size() + (bytes + sizeof(Word) - 1) / sizeof(Word));
    return address;
  }
  bool owns(Word address) const {
    return address >= base_ && address - base_ < words.size() * sizeof(Word);
  }
  template <typename T>
  T* at(Word address) {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(words.data()) + (address - base_));
  }
  std::vector<Word> words;

 private:
  Word base_;
};

template <typename T>
T pointer(Word address) {
  return reinterpret_cast<T>(address);
}

class Writer {
 public:
  explicit Writer(const Vm::State& state) : state_(state) {}
  Image write(std::uint64_t library_hash);

 private:
  // The object's address in the image. `fill` writes it; called later, when addresses are known.
  template <typename Fill>
  Word place(Part& part, const void* object, std::size_t bytes, Fill fill) {
    auto [known, is_new] = placed_.try_emplace(object, 0);
    if (!is_new) return known->second;
    const Word address = part.take(bytes);
    known->second = address;
    work_.emplace_back([=] { fill(address); });
    return address;
  }

  Word term(Term t);
  Word boxed(Term t);
  SymbolEntry* symbol(const SymbolEntry* entry);
  Word name(Word number) {
    symbol(name_of(number));
    return number;
  }
  Word var(const Var* v);
  Word name_space(const Namespace* ns);
  Word function(const Function* f);
  void fill_function(Word address, const Function* f);
  void fill_code(Word address, const Function* f);
  const Var* meant_by(const Var* used) const;
  NameTable table(const NameTable& from, bool of_namespaces);
  const NameIndex* index();
  void fail(const char* why) {
    if (problem_.empty()) problem_ = why;
  }
  template <typename T>
  Word array(const T* from, std::size_t count) {
    if (count == 0) return 0;
    return place(constants_, from, count * sizeof(T), [=, this](Word address) {
      std::memcpy(constants_.at<void>(address), from, count * sizeof(T));
    });
  }

  const Vm::State& state_;
  Part constants_{abi::kCoreConstants.start};
  Part data_{abi::kCoreData.start};
  std::unordered_map<const void*, Word> placed_;
  std::deque<std::function<void()>> work_;
  std::vector<Word> symbols_;
  std::string problem_;
};

SymbolEntry* Writer::symbol(const SymbolEntry* entry) {
  if (entry == nullptr) return nullptr;
  const std::size_t bytes = sizeof(SymbolEntry) + entry->length + 1;
  const std::size_t before = placed_.size();
  Word address = place(constants_, entry, bytes,
                       [=, this](Word at) { std::memcpy(constants_.at<void>(at), entry, bytes); });
  if (placed_.size() != before) symbols_.push_back(address);
  return pointer<SymbolEntry*>(address);
}

Word Writer::term(Term t) {
  switch (t.tag()) {
    case Tag::kSymbol:
    case Tag::kKeyword:
      return name(t.name_number()) | static_cast<Word>(t.tag());
    case Tag::kPair:
      return place(constants_, t.cell(), 2 * sizeof(Word),
                   [=, this](Word at) {
                     const Word first = term(t.first());
                     const Word rest = term(t.rest());
                     constants_.at<Word>(at)[0] = first;
                     constants_.at<Word>(at)[1] = rest;
                   }) |
             static_cast<Word>(Tag::kPair);
    case Tag::kBoxed:
      return boxed(t) | static_cast<Word>(Tag::kBoxed);
    case Tag::kPid:
      fail("a process is part of a definition");
      return t.bits();
    default:
      return t.bits();
  }
}

Word Writer::boxed(Term t) {
  const vm::Header h = header_of(t);
  switch (h.kind()) {
    case Kind::kVar:
      return var(as_var(t)) + offsetof(Var, box);
    case Kind::kNamespace:
      return name_space(as_namespace(t)) + offsetof(Namespace, box);
    case Kind::kTuple:
    case Kind::kVector:
    case Kind::kNode:
    case Kind::kMap:
    case Kind::kSet:
    case Kind::kString:
    case Kind::kClosure:
    case Kind::kMetaForm:
    case Kind::kFloat:
    case Kind::kFloat32:
    case Kind::kBignum:
    case Kind::kRatio:
    case Kind::kU64:
    case Kind::kI64:
    case Kind::kMachine:
    case Kind::kBinary:
      break;
    default:
      fail("a value of this kind cannot be part of a core image");
      return 0;
  }
  return place(constants_, t.box(), (h.words() + 1) * sizeof(Word), [=, this](Word at) {
    const unsigned raw = kRawWords[static_cast<unsigned>(h.kind())];
    for (std::size_t i = 0; i <= h.words(); ++i) {
      Word word = t.box()[i];
      if (i == 1 && h.kind() == Kind::kClosure) {
        word = function(function_of(t));
      } else if (raw != kAllRaw && i > raw) {
        word = term(Term::from_bits(word));
      }
      constants_.at<Word>(at)[i] = word;
    }
  });
}

Word Writer::var(const Var* v) {
  return place(data_, v, sizeof(Var), [=, this](Word at) {
    Var copy = *v;
    copy.value = Term::from_bits(term(v->value));
    copy.function = pointer<const Function*>(function(v->function));
    copy.ns = pointer<Namespace*>(name_space(v->ns));
    copy.name = symbol(v->name);
    copy.meta = Term::from_bits(term(v->meta));
    copy.root = Term::from_bits(term(v->root));
    copy.file = symbol(v->file);
    copy.source = Term::from_bits(term(v->source));
    copy.box[1] = at;
    std::memcpy(data_.at<void>(at), &copy, sizeof copy);
  });
}

NameTable Writer::table(const NameTable& from, bool of_namespaces) {
  const NameTable::Block* block = from.block();
  if (block == nullptr) return from;
  const std::size_t bytes = sizeof *block + block->capacity * sizeof(NameTable::Entry);
  const Word address = place(data_, block, bytes, [=, this](Word at) {
    data_.at<NameTable::Block>(at)->capacity = block->capacity;
    data_.at<NameTable::Block>(at)->used = block->used;
    for (std::size_t i = 0; i < block->capacity; ++i) {
      const NameTable::Entry& entry = block->entries[i];
      if (entry.key == 0) continue;
      const Word key = name(entry.key);
      const Word value = of_namespaces ? name_space(static_cast<Namespace*>(entry.value))
                                       : var(static_cast<Var*>(entry.value));
      data_.at<NameTable::Block>(at)->entries[i] = {key, pointer<void*>(value)};
    }
  });
  return NameTable::of_block(pointer<NameTable::Block*>(address));
}

Word Writer::name_space(const Namespace* ns) {
  return place(data_, ns, sizeof(Namespace), [=, this](Word at) {
    Namespace copy = *ns;
    copy.name = symbol(ns->name);
    copy.vars = table(ns->vars, false);
    copy.aliases = table(ns->aliases, true);
    copy.box[1] = at;
    std::memcpy(data_.at<void>(at), &copy, sizeof copy);
  });
}

Word Writer::function(const Function* f) {
  return place(constants_, f, sizeof(Function) + f->code_words * sizeof(Word),
               [=, this](Word address) { fill_function(address, f); });
}

void Writer::fill_function(Word address, const Function* f) {
  if (f != &kNoFunction) {
    if (const char* why = verify(*f)) fail(why);
  }
  Function copy = *f;
  if (f->code != nullptr) {
    copy.code = code_behind(pointer<const Function*>(address));
    fill_code(reinterpret_cast<Word>(copy.code), f);
  }
  copy.live_maps = pointer<const std::uint64_t*>(
      array(f->live_maps, std::size_t{f->live_words} * f->live_map_count));
  copy.lines = pointer<const LineEntry*>(array(f->lines, f->line_count));
  copy.closure = term(Term::from_bits(f->closure));
  copy.name = symbol(f->name);
  copy.ns = symbol(f->ns);
  copy.file = symbol(f->file);
  std::memcpy(constants_.at<void>(address), &copy, sizeof copy);
}

// A name that code used before its definition was there: now it is known whose it is.
const Var* Writer::meant_by(const Var* used) const {
  if (used->is_bound()) return used;
  const Var* found = state_.namespaces.resolve(used->ns, used->name);
  return found != nullptr && found->is_bound() ? found : used;
}

void Writer::fill_code(Word address, const Function* f) {
  const auto* words = reinterpret_cast<const Word*>(f->code);
  std::vector<Word> code(words, words + f->code_words);
  for (std::size_t at = 0; at < code.size();) {
    const Instruction* i = f->code + at;
    const OpInfo& info = op_info(static_cast<Op>(i->op));
    for (std::size_t n = 1; n <= info.extra.size(); ++n) {
      Word& word = code[at + n];
      const Operand kind = info.extra[n - 1];
      if (is_term(kind)) word = term(Term::from_bits(word));
      if (kind == Operand::kVar) {
        word = var(meant_by(reinterpret_cast<const Var*>(word)));
      }
      if (kind == Operand::kFunction) {
        word = function(reinterpret_cast<const Function*>(word));
      }
    }
    at += instruction_words(i);
  }
  std::memcpy(constants_.at<void>(address), code.data(), code.size() * sizeof(Word));
}

const NameIndex* Writer::index() {
  std::size_t count = 2;
  while (count < symbols_.size() * 2) count *= 2;
  const Word address = constants_.take(sizeof(NameIndex) + count * sizeof(Word));
  auto* index = constants_.at<NameIndex>(address);
  index->count = count;
  for (Word symbol : symbols_) {
    std::uint64_t i = NameIndex::start(constants_.at<SymbolEntry>(symbol)->id, count);
    while (index->places[i] != nullptr) i = (i + 1) & (count - 1);
    index->places[i] = pointer<SymbolEntry*>(symbol);
  }
  return pointer<const NameIndex*>(address);
}

Image Writer::write(std::uint64_t library_hash) {
  constants_.take(sizeof(Header));
  const NameTable namespaces = table(state_.namespaces.own(), true);
  while (!work_.empty()) {
    work_.front()();
    work_.pop_front();
  }
  const NameIndex* names = index();
  if (!problem_.empty()) return {{}, {}, problem_};
  Header header{
      .magic = kMagic,
      .fingerprint = fingerprint(),
      .library_hash = library_hash,
      .constant_words = constants_.words.size(),
      .data_words = data_.words.size(),
      .checksum = 0,
      .names = names,
      .namespaces = namespaces,
  };
  auto* at = constants_.at<Header>(abi::kCoreConstants.start);
  std::memcpy(static_cast<void*>(at), &header, sizeof header);
  at->checksum = checksum(constants_.words, data_.words);
  return {std::move(constants_.words), std::move(data_.words), {}};
}

}  // namespace

Image write(const Vm& vm, std::uint64_t library_hash) {
  return Writer(vm.state()).write(library_hash);
}

}  // namespace lona::vm::image

// SPDX-License-Identifier: BSD-2-Clause
#include "vm/process/process.hpp"

#include <algorithm>

#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/reserve.hpp"
#include "vm/process/worker.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {
// An overflow fragment has room for more than the request that made it; and the more there are, the
// larger, so that a native which allocates much leaves few, as the collector looks through all.
constexpr std::size_t kFragmentWords = 1024;
constexpr std::size_t kFragmentBytesMask = (std::size_t{1} << 56) - 1;
constexpr std::size_t kLargestFragmentWords = std::size_t{1} << 20;
// So much in fragments makes a collection due.
constexpr std::uint32_t kManyFragments = 32;
}  // namespace

namespace {
Fragment* prepare_fragment(void* memory, std::size_t bytes) {
  if (memory == nullptr) return nullptr;
  auto* f = static_cast<Fragment*>(memory);
  f->next = nullptr;
  f->bytes = bytes & kFragmentBytesMask;
  f->kind_bits = 0;
  f->top = f->data;
  f->value = Term::nil();
  f->blobs = nullptr;
  return f;
}

Fragment* take_from_reserve(std::size_t words) {
  std::size_t bytes = fragment_bytes(words);
  void* memory = Reserve::take(bytes);
  return prepare_fragment(memory, bytes);
}
}  // namespace

Fragment* make_fragment(Allocator& allocator, std::size_t words) {
  return prepare_fragment(allocator.allocate(fragment_bytes(words)), fragment_bytes(words));
}

Fragment* make_vital_fragment(Allocator& allocator, std::size_t words) {
  Fragment* f = make_fragment(allocator, words);
  return f != nullptr ? f : take_from_reserve(words);
}

void free_fragment(Allocator& allocator, Fragment* f) {
  OffHeapList::release_chain(f->blobs);
  if (!Reserve::give_back(f)) allocator.release(f, f->bytes);
}

void free_fragment(const Process& p, Fragment* f) {
  free_fragment(allocator_of(p), f);
}

Word* Process::refill(Heap& self, std::size_t words, bool may_use_reserve) {
  auto& p = static_cast<Process&>(self);
  if (p.max_heap_words_ != 0 &&
      p.block_words() + p.old_words() + p.off_heap_words() + p.fragment_words_ + words >
          p.max_heap_words_) {
    if (!may_use_reserve) return nullptr;
    p.oom_ = true;
  }
  if (p.block_top_ != nullptr) p.close_overflow();
  if (p.overflow_ != nullptr &&
      words <= static_cast<std::size_t>(p.overflow_->end() - p.overflow_->top)) {
    Word* first = p.overflow_->top;
    p.overflow_->top = const_cast<Word*>(p.overflow_->end());
    if (p.block_top_ == nullptr) p.block_top_ = p.top_;
    p.top_ = first + words;
    p.limit_ = p.overflow_->top;
    return first;
  }
  std::size_t size = words + words / 2;
  if (size < kFragmentWords) size = kFragmentWords;
  if (size < p.fragment_words_ / 2) {
    size = std::min<std::size_t>(p.fragment_words_ / 2, kLargestFragmentWords);
  }
  Fragment* f = make_fragment(allocator_of(p), size);
  if (f == nullptr && size > words) f = make_fragment(allocator_of(p), words);
  if (f == nullptr && may_use_reserve) {
    f = take_from_reserve(words);
    p.oom_ = f != nullptr || p.oom_;
  }
  if (f == nullptr) return nullptr;
  if (p.block_top_ == nullptr) p.block_top_ = p.top_;
  // The whole piece counts as used: what follows is taken from it by bumping top_.
  f->top = const_cast<Word*>(f->end());
  p.attach(f);
  p.overflow_ = f;
  p.top_ = f->data + words;
  p.limit_ = f->top;
  p.collect_ = true;
  return f->data;
}

void Process::close_overflow() {
  overflow_->top = top_;
}

void Process::attach(Fragment* f) {
  f->next = fragments_;
  fragments_ = f;
  fragment_count_++;
  fragment_words_ += static_cast<std::uint32_t>(f->top - f->data);
  off_heap_.append(f->blobs);
  f->blobs = nullptr;
  if (fragment_count_ >= kManyFragments || fragment_words_ > block_words() * 2 || off_heap_due()) {
    collect_ = true;
  }
}

bool Process::owns(const Word* p) const {
  if (p >= block_ && p < block_end_) return true;
  if (p >= old_ && p < old_top_) return true;
  return fragment_of(p) != nullptr;
}

const Fragment* Process::fragment_of(const Word* p) const {
  for (const Fragment* f = fragments_; f != nullptr; f = f->next) {
    if (f->holds(p)) return f;
  }
  const Fragment* looked_at = peeking_ && scan_ != nullptr ? *scan_ : nullptr;
  return looked_at != nullptr && looked_at->holds(p) ? looked_at : nullptr;
}

Term Process::exit_with(Term reason) {
  exit_reason_ = reason;
  return Term::raise();
}

Term Process::fail(std::string_view type) {
  return exit_with(make_pair_tuple(*this, make_keyword("error"), make_keyword(type)));
}

Term Process::fail(std::string_view type, Term info) {
  Word* p = alloc_box(Kind::kTuple, 3);
  p[1] = make_keyword("error").bits();
  p[2] = make_keyword(type).bits();
  p[3] = info.bits();
  return exit_with(Term::boxed(p));
}

Term Process::fail_badarg(std::string_view fn, Args args) {
  return fail_badarg(fn, args, {});
}

Term Process::fail_badarg(std::string_view fn, Args args, std::string_view expected) {
  Term list = Term::empty_list();
  for (std::uint32_t i = args.size(); i > 0; --i) list = cons(args[i - 1], list);
  Term info = map_put(*this, empty_map(*this), make_keyword("fn"), make_symbol(fn));
  info = map_put(*this, info, make_keyword("args"), list);
  const Term text = expected.empty() ? Term::absent() : make_string(*this, expected);
  if (text != Term::absent()) info = map_put(*this, info, make_keyword("expected"), text);
  return fail("badarg", info);
}

Term Process::fail_type(std::string_view fn, std::string_view expected, Term got) {
  Term info = map_put(*this, empty_map(*this), make_keyword("fn"), make_symbol(fn));
  info = map_put(*this, info, make_keyword("expected"), make_keyword(expected));
  return fail("type-error", map_put(*this, info, make_keyword("got"), got));
}

Term Process::fail_oom() {
  oom_ = true;
  return fail("oom");
}

Term Process::tail_call(Term fn, Term args) {
  pending_fn_ = fn;
  pending_args_ = args;
  return Term::call();
}

Term Process::wait_for_console() {
  waits_for_console_ = true;
  return Term::again();
}

Term Process::wait_until(std::uint64_t deadline_ns) {
  wait_deadline_ = deadline_ns == 0 ? 1 : deadline_ns;
  return Term::again();
}

}  // namespace lona::vm

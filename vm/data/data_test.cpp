// SPDX-License-Identifier: BSD-2-Clause
// Collections against the standard library's, step by step with random operations; equality, order
// and hashes over nested values.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "vm/data/each.hpp"
#include "vm/data/map.hpp"
#include "vm/data/map_builder.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/text_place.hpp"
#include "vm/data/unicode.hpp"
#include "vm/data/utf8.hpp"
#include "vm/data/vector.hpp"
#include "vm/heap/arena.hpp"
#include "vm/printer/printer.hpp"
#include "vm/reader/reader.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {
namespace {

class DataTest : public testing::Test {
 protected:
  Term read(std::string_view text) {
    // Forms point into nothing of the text, but the reader does while it reads.
    Reader reader(arena, text);
    ReadOutcome r = reader.next();
    EXPECT_EQ(r.kind, ReadOutcome::Kind::kForm) << text;
    return r.form;
  }
  std::string text(Term t) { return std::string(string_text(print_to_string(arena, t))); }
  Arena arena;
};

TEST_F(DataTest, VectorAgreesWithModelOverRandomOperations) {
  std::mt19937 random(1);
  Term v = empty_vector(arena);
  std::vector<long> model;
  for (int i = 0; i < 40'000; i++) {
    if (model.empty() || random() % 4 != 0) {
      v = vector_append(arena, v, Term::integer(i));
      model.push_back(i);
    } else {
      std::size_t at = random() % model.size();
      v = vector_put(arena, v, at, Term::integer(-i));
      model[at] = -i;
    }
    ASSERT_EQ(vector_count(v), model.size());
    std::size_t probe = random() % model.size();
    ASSERT_EQ(vector_get(v, probe).as_integer(), model[probe]);
  }
  for (std::size_t i = 0; i < model.size(); i++) {
    ASSERT_EQ(vector_get(v, i).as_integer(), model[i]);
  }
}

TEST_F(DataTest, VectorsStayAsTheyWereWhenChangedCopiesAreMade) {
  for (std::size_t n : {1u, 31u, 32u, 33u, 64u, 1024u, 1056u, 1057u, 2000u}) {
    Term v = empty_vector(arena);
    for (std::size_t i = 0; i < n; i++) v = vector_append(arena, v, Term::integer(long(i)));
    Term longer = vector_append(arena, v, Term::nil());
    Term changed = vector_put(arena, v, n / 2, Term::nil());
    EXPECT_EQ(vector_count(longer), n + 1);
    EXPECT_TRUE(vector_get(changed, n / 2).is_nil());
    for (std::size_t i = 0; i < n; i++) ASSERT_EQ(vector_get(v, i).as_integer(), long(i));
  }
}

TEST_F(DataTest, BuiltVectorHasTheSameShapeAsAnAppendedOne) {
  Term appended = empty_vector(arena);
  for (long n = 0; n < 2200; n++) {
    if (n % 7 == 0 || n % 32 < 2) {
      VectorBuilder builder(arena);
      for (long i = 0; i < n; i++) builder.add(Term::integer(i));
      Term built = builder.take();
      ASSERT_TRUE(equal(built, appended)) << n;
      ASSERT_EQ(payload(built)[0], payload(appended)[0]) << n;
      // A built vector grows on correctly.
      Term grown = vector_append(arena, built, Term::nil());
      ASSERT_TRUE(vector_get(grown, std::size_t(n)).is_nil());
      if (n > 0) ASSERT_EQ(vector_get(grown, std::size_t(n - 1)).as_integer(), n - 1);
    }
    appended = vector_append(arena, appended, Term::integer(n));
  }
}

// What the first part and the second one of a vector are, put together and cut again and again.
TEST_F(DataTest, VectorsAgreeWithModelsWhenPutTogetherAndCut) {
  std::mt19937 random(7);
  struct Pair {
    Term v;
    std::vector<long> model;
  };
  std::vector<Pair> pairs;
  long next = 0;
  auto check = [&](const Pair& p) {
    ASSERT_EQ(vector_count(p.v), p.model.size());
    Each each(arena, p.v);
    std::size_t i = 0;
    for (Term e; each.next(e); i++) ASSERT_EQ(e.as_integer(), p.model[i]);
    ASSERT_EQ(i, p.model.size());
    for (int probes = 0; probes < 20 && i != 0; probes++) {
      std::size_t at = random() % i;
      ASSERT_EQ(vector_get(p.v, at).as_integer(), p.model[at]);
    }
  };
  for (int i = 0; i < 6; i++) pairs.push_back({empty_vector(arena), {}});
  for (int round = 0; round < 3000; round++) {
    Pair& p = pairs[random() % pairs.size()];
    const Pair& other = pairs[random() % pairs.size()];
    std::size_t n = p.model.size();
    switch (random() % 5) {
      case 0: {
        for (std::size_t more = random() % 100; more > 0; more--) {
          p.v = vector_append(arena, p.v, Term::integer(next));
          p.model.push_back(next++);
        }
        break;
      }
      case 1: {
        if (n + other.model.size() > 60'000) break;
        std::vector<long> behind = other.model;
        p.v = vector_concat(arena, p.v, other.v);
        p.model.insert(p.model.end(), behind.begin(), behind.end());
        break;
      }
      case 2: {
        std::size_t begin = random() % (n + 1), end = begin + random() % (n - begin + 1);
        if (random() % 2 != 0) {  // small cuts, so that large vectors stay
          begin = random() % 40 % (n + 1);
          end = n - random() % 40 % (n - begin + 1);
        }
        p.v = vector_slice(arena, p.v, begin, end);
        p.model = {p.model.begin() + long(begin), p.model.begin() + long(end)};
        break;
      }
      default:
        if (n == 0) break;
        std::size_t at = random() % n;
        p.v = vector_put(arena, p.v, at, Term::integer(next));
        p.model[at] = next++;
    }
    if (round % 10 == 0) check(p);
    ASSERT_LE(payload(p.v)[0] & 0x7f, 20u) << "a trie of few elements is low";
  }
  for (const Pair& p : pairs) check(p);
}

// A heap of one block that tells how much of it has been used.
class Measured final : public Heap {
 public:
  Measured() : words_(1 << 16) {
    top_ = words_.data();
    limit_ = top_ + words_.size();
  }
  std::size_t used() const { return static_cast<std::size_t>(top_ - words_.data()); }

 private:
  std::vector<Word> words_;
};

TEST_F(DataTest, PuttingTogetherAndCuttingMakesFewNewWords) {
  VectorBuilder builder(arena);
  constexpr long kMany = 1'000'000;
  for (long i = 0; i < kMany; i++) builder.add(Term::integer(i));
  Term v = builder.take();
  Measured heap;
  Term cut = vector_slice(heap, v, 333'333, 777'777);
  Term both = vector_concat(heap, cut, v);
  EXPECT_LT(heap.used(), 10'000u);
  EXPECT_EQ(vector_get(cut, 0).as_integer(), 333'333);
  EXPECT_EQ(vector_get(both, vector_count(cut) + 5).as_integer(), 5);
  // As when it was built at once.
  EXPECT_TRUE(equal(vector_concat(arena, vector_slice(arena, v, 0, 500'001),
                                  vector_slice(arena, v, 500'001, kMany)),
                    v));
}

TEST_F(DataTest, LargeVectorHasThreeLevels) {
  VectorBuilder builder(arena);
  constexpr long kMany = 70'000;
  for (long i = 0; i < kMany; i++) builder.add(Term::integer(i));
  Term v = builder.take();
  for (long i = 0; i < kMany; i++) ASSERT_EQ(vector_get(v, std::size_t(i)).as_integer(), i);
}

// Keys of all sorts; many of them share hash bits because there are so many.
Term key_of(Arena& arena, unsigned n) {
  switch (n % 4) {
    case 0:
      return Term::integer(n);
    case 1:
      return make_string(arena, "k" + std::to_string(n));
    case 2:
      return make_keyword("key" + std::to_string(n));
    default:
      return make_pair_tuple(arena, Term::integer(n), Term::nil());
  }
}

TEST_F(DataTest, MapAgreesWithModelOverRandomOperations) {
  for (unsigned range : {6u, 12u, 60u, 5000u}) {
    std::mt19937 random(range);
    Term m = empty_map(arena);
    std::map<unsigned, long> model;
    for (int i = 0; i < 20'000; i++) {
      unsigned n = random() % range;
      if (random() % 5 < 3) {
        m = map_put(arena, m, key_of(arena, n), Term::integer(i));
        model[n] = i;
      } else {
        m = map_remove(arena, m, key_of(arena, n));
        model.erase(n);
      }
      ASSERT_EQ(map_count(m), model.size());
      unsigned probe = random() % range;
      Term got = map_get(m, key_of(arena, probe));
      auto it = model.find(probe);
      ASSERT_EQ(got, it == model.end() ? Term::absent() : Term::integer(it->second));
    }
    std::size_t seen = 0;
    for (MapCursor c(m); !c.done(); c.next(), seen++) {
      ASSERT_EQ(map_get(m, c.key()), c.value());
    }
    ASSERT_EQ(seen, model.size());
  }
}

TEST_F(DataTest, MapsWithTheSameEntriesAreEqualWhateverTheirHistory) {
  std::mt19937 random(3);
  for (unsigned n : {0u, 1u, 8u, 9u, 40u, 700u}) {
    Term a = empty_map(arena), b = empty_map(arena);
    for (unsigned i = 0; i < n; i++) a = map_put(arena, a, key_of(arena, i), Term::integer(i));
    for (unsigned i = n; i-- > 0;) b = map_put(arena, b, key_of(arena, i), Term::integer(i));
    for (unsigned i = 0; i < 3 * n; i++) {
      b = map_put(arena, b, key_of(arena, n + i), Term::nil());
    }
    for (unsigned i = 3 * n; i-- > 0;) b = map_remove(arena, b, key_of(arena, n + i));
    ASSERT_TRUE(equal(a, b)) << n;
    ASSERT_EQ(hash_term(a), hash_term(b));
    ASSERT_EQ(compare(a, b), 0);
    if (n == 0) continue;
    Term other = map_put(arena, b, key_of(arena, random() % n), Term::nil());
    ASSERT_FALSE(equal(a, other));
    ASSERT_NE(compare(a, other), 0);
    ASSERT_FALSE(equal(a, map_remove(arena, b, key_of(arena, 0))));
  }
}

// Tuples that differ only below the depth hashes look to have one hash.
Term colliding_key(Arena& arena, long n) {
  Term t = Term::integer(n);
  for (unsigned i = 0; i <= kHashDepth; i++) t = vm::make_tuple(arena, {&t, 1});
  return t;
}

TEST_F(DataTest, KeysWithEqualHashesAreKeptApart) {
  ASSERT_EQ(hash_term(vm::make_tuple(arena, std::array{colliding_key(arena, 1)})),
            hash_term(vm::make_tuple(arena, std::array{colliding_key(arena, 2)})));
  auto key = [&](long n) { return vm::make_tuple(arena, std::array{colliding_key(arena, n)}); };
  Term m = empty_map(arena);
  for (long i = 0; i < 50; i++) m = map_put(arena, m, key(i), Term::integer(i));
  for (long i = 0; i < 50; i++) ASSERT_EQ(map_get(m, key(i)), Term::integer(i));
  EXPECT_EQ(map_get(m, key(50)), Term::absent());
  std::size_t seen = 0;
  for (MapCursor c(m); !c.done(); c.next()) seen++;
  EXPECT_EQ(seen, 50u);
  EXPECT_TRUE(equal(m, map_put(arena, m, key(3), Term::integer(3))));
  for (long i = 0; i < 50; i += 2) m = map_remove(arena, m, key(i));
  for (long i = 0; i < 50; i++) {
    ASSERT_EQ(map_get(m, key(i)), i % 2 == 0 ? Term::absent() : Term::integer(i));
  }
  for (long i = 1; i < 47; i += 2) m = map_remove(arena, m, key(i));
  EXPECT_EQ(map_count(m), 2u);
  EXPECT_EQ(map_get(m, key(49)), Term::integer(49));
}

TEST_F(DataTest, BuiltMapIsTheOneThatPuttingMakes) {
  for (unsigned n : {0u, 1u, 8u, 9u, 33u, 3000u}) {
    Term put = empty_map(arena);
    MapBuilder builder(arena);
    for (unsigned i = 0; i < 2 * n; i++) {
      Term key = key_of(arena, i % n), value = Term::integer(i);
      put = map_put(arena, put, key, value);
      builder.put(key, value);
    }
    EXPECT_EQ(builder.count(), n);
    Term built = builder.take();
    ASSERT_TRUE(equal(built, put));
    // The same order of iteration means the same shape.
    ASSERT_EQ(text(built), text(put));
    Term less = built;
    for (unsigned i = 0; i < n; i += 2) less = map_remove(arena, less, key_of(arena, i));
    ASSERT_EQ(map_count(less), n / 2);
  }
  MapBuilder colliding(arena);
  for (long i = 0; i < 20; i++) {
    colliding.put(vm::make_tuple(arena, std::array{colliding_key(arena, i)}), Term::integer(i));
  }
  Term map = colliding.take();
  ASSERT_EQ(map_count(map), 20u);
  for (long i = 0; i < 20; i++) {
    Term key = vm::make_tuple(arena, std::array{colliding_key(arena, i)});
    ASSERT_EQ(map_get(map, key), Term::integer(i));
  }
}

TEST_F(DataTest, SmallMapsKeepTheOrderOfInsertion) {
  EXPECT_EQ(text(read("%{:z 1 :a 2 :m 3 :z 4}")), "%{:z 4 :a 2 :m 3}");
  EXPECT_EQ(text(read("#{3 1 2 1 3}")), "#{3 1 2}");
}

TEST_F(DataTest, EqualityTellsTypesApart) {
  for (const char* same :
       {"(1 2)", "[1 2]", "{1 2}", "#{1 2}", "%{1 2}", "\"1\"", ":a", "a", "\\a", "[[] {} ()]"}) {
    EXPECT_TRUE(equal(read(same), read(same))) << same;
    EXPECT_EQ(hash_term(read(same)), hash_term(read(same))) << same;
  }
  const char* all[] = {"nil", "false", "0",     "\"\"", "()",    "[]",   "{}",
                       "#{}", "%{}",   "(1)",   "[1]",  "{1}",   "#{1}", "%{1 1}",
                       ":a",  "a",     "\"a\"", "\\a",  "[1 2]", "[2 1]"};
  for (const char* a : all) {
    for (const char* b : all) {
      EXPECT_EQ(equal(read(a), read(b)), a == b) << a << " " << b;
      EXPECT_EQ(compare(read(a), read(b)) == 0, a == b) << a << " " << b;
      EXPECT_EQ(compare(read(a), read(b)), -compare(read(b), read(a))) << a << " " << b;
    }
  }
}

TEST_F(DataTest, MetadataDoesNotCount) {
  EXPECT_TRUE(equal(read("^:a [1 ^:b x]"), read("[^%{:c 1} 1 x]")));
  EXPECT_EQ(hash_term(read("^:a [1 ^:b x]")), hash_term(read("[1 x]")));
  EXPECT_TRUE(equal(map_get(read("%{^:a x 1}"), read("x")), Term::integer(1)));
}

TEST_F(DataTest, OrderIsLexicographicInSequences) {
  const char* ascending[] = {"nil",  "false", "true",    "-1",      "3",       "\\a",
                             "\"\"", "\"a\"", "\"b\"",   "a",       ":a",      "()",
                             "(1)",  "(1 2)", "(2)",     "[]",      "[1 2 3]", "[2]",
                             "{1}",  "#{1}",  "%{:a 1}", "%{:a 2}", "%{:b 0}", "%{:a 1 :b 2}"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); i++) {
    EXPECT_LT(compare(read(ascending[i]), read(ascending[i + 1])), 0) << ascending[i];
  }
}

TEST_F(DataTest, DeeplyNestedValuesAreComparedAndHashed) {
  auto deep = [&](long innermost) {
    Term t = Term::integer(innermost);
    for (int i = 0; i < 1'000'000; i++) {
      t = i % 3 == 0   ? vm::make_tuple(arena, {&t, 1})
          : i % 3 == 1 ? arena.cons(t, Term::empty_list())
                       : make_vector(arena, {&t, 1});
    }
    return t;
  };
  Term a = deep(1), b = deep(1), c = deep(2);
  EXPECT_TRUE(equal(a, b));
  EXPECT_FALSE(equal(a, c));
  EXPECT_EQ(compare(a, b), 0);
  EXPECT_LT(compare(a, c), 0);
  EXPECT_EQ(hash_term(a), hash_term(b));
  CountSink sink;
  EXPECT_TRUE(print(sink, a));
  EXPECT_EQ(sink.bytes(), 2'000'001u);
}

TEST_F(DataTest, DeeplyNestedMapsAreCompared) {
  auto deep = [&](long innermost) {
    Term t = Term::integer(innermost);
    for (int i = 0; i < 100'000; i++) {
      t = map_put(arena, empty_map(arena), make_keyword("a"), t);
    }
    return t;
  };
  Term a = deep(1), b = deep(1), c = deep(2);
  EXPECT_TRUE(equal(a, b));
  EXPECT_FALSE(equal(a, c));
  EXPECT_EQ(compare(a, b), 0);
  EXPECT_EQ(compare(read("%{:a %{:b 1}}"), read("%{:a %{:b 2}}")), -1);
}

TEST_F(DataTest, StringsCountCodePointsAndCutAtThem) {
  Term s = make_string(arena, "aß𝄞ende");
  EXPECT_EQ(string_count(s), 7u);
  EXPECT_EQ(string_bytes(s), 11u);
  auto piece = [&](Term of, std::size_t begin, std::size_t end) {
    std::string_view text = string_text(of);
    return substring(arena, of, utf8::offset_of(text, begin), utf8::offset_of(text, end),
                     end - begin);
  };
  EXPECT_EQ(string_text(piece(s, 1, 4)), "ß𝄞e");
  EXPECT_EQ(string_count(piece(s, 1, 4)), 3u);
  EXPECT_EQ(string_text(piece(s, 7, 7)), "");
  EXPECT_EQ(string_text(piece(make_string(arena, "plain"), 1, 3)), "la");
}

TEST_F(DataTest, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  struct Case {
    std::string bytes, text;
  };
  const std::string r = "\xef\xbf\xbd";
  for (const Case& c :
       {Case{"a\xff"
             "b",
             "a" + r + "b"},
        Case{"\xe2\x82", r}, Case{"\xc0\xaf", r + r}, Case{"\xed\xa0\x80", r + r + r},
        Case{"\xf0\x9d\x84x", r + "x"}, Case{"12345678\x80", "12345678" + r},
        Case{"\xf4\x90\x80\x80", r + r + r + r}, Case{"ok €", "ok €"}}) {
    Term s = make_string_repaired(arena, c.bytes);
    EXPECT_EQ(string_text(s), c.text);
    EXPECT_EQ(string_count(s), utf8::count(c.text));
  }
}

TEST_F(DataTest, CharactersAreFoundFromWhereTheLastOneWas) {
  std::mt19937 random(3);
  TextPlaces places;
  std::string bytes;
  std::vector<std::size_t> offsets;
  for (int i = 0; i < 5000; i++) {
    offsets.push_back(bytes.size());
    constexpr std::uint32_t kSome[] = {'a', 0xe4, 0x20ac, 0x1f600};
    char encoded[4];
    bytes.append(encoded, utf8::encode(kSome[random() % 4], encoded));
  }
  offsets.push_back(bytes.size());
  Term s = make_string(arena, bytes);
  ASSERT_EQ(string_count(s), 5000u);
  std::size_t walked = 0;
  for (std::size_t i = 0; i <= 5000; i++) {
    auto found = places.find(s, i, 1, 1);
    ASSERT_EQ(found.offset, offsets[i]);
    walked += found.walked;
  }
  for (std::size_t i = 5000; i-- > 0;) {
    auto found = places.find(s, i, 1, 1);
    ASSERT_EQ(found.offset, offsets[i]);
    walked += found.walked;
  }
  EXPECT_LT(walked, 3 * bytes.size());
  for (int i = 0; i < 5000; i++) {
    std::size_t index = random() % 5001;
    ASSERT_EQ(places.find(s, index, random() % 10, random() % 2).offset, offsets[index]);
  }
}

TEST_F(DataTest, CaseGoesBothWaysAndMayTakeSeveralCharacters) {
  auto text = [](unicode::Mapped m) { return std::u32string(m.cp, m.cp + m.count); };
  EXPECT_EQ(text(unicode::to_lower(U'Ä')), U"ä");
  EXPECT_EQ(text(unicode::to_upper(U'ž')), U"Ž");
  EXPECT_EQ(text(unicode::to_lower(U'Ж')), U"ж");
  EXPECT_EQ(text(unicode::to_upper(U'ß')), U"SS");
  EXPECT_EQ(text(unicode::to_title(U'ß')), U"Ss");
  EXPECT_EQ(text(unicode::to_upper(U'ﬃ')), U"FFI");
  EXPECT_EQ(text(unicode::to_title(U'ǆ')), U"ǅ");
  EXPECT_EQ(text(unicode::to_lower(U'İ')), U"i\u0307");
  EXPECT_EQ(text(unicode::fold_case(U'ς')), U"σ");
  EXPECT_EQ(text(unicode::to_upper(U'7')), U"7");
  EXPECT_EQ(unicode::category(U'Ä'), "Lu");
  EXPECT_EQ(unicode::category(U'٣'), "Nd");
  for (std::uint32_t cp = 0; cp <= utf8::kMaxCodePoint; cp++) {
    unicode::Mapped m = unicode::to_upper(cp);
    ASSERT_TRUE(m.count >= 1 && m.count <= 3) << std::hex << cp;
  }
}

TEST_F(DataTest, NamesAreSplitAtTheFirstInnerSlash) {
  EXPECT_EQ(intern("a.b/c")->ns(), "a.b");
  EXPECT_EQ(intern("a.b/c")->name(), "c");
  EXPECT_EQ(intern("/")->name(), "/");
  EXPECT_EQ(intern("/")->ns(), "");
  EXPECT_EQ(intern("a//")->name(), "/");
  EXPECT_EQ(intern("x"), intern("x"));
  EXPECT_EQ(try_intern(std::string(kMaxNameBytes + 1, 'x')), nullptr);
}

TEST_F(DataTest, ManyNamesAreFoundAgain) {
  std::vector<SymbolEntry*> entries;
  for (int i = 0; i < 20'000; i++) entries.push_back(intern("many-names-" + std::to_string(i)));
  for (int i = 0; i < 20'000; i++) {
    ASSERT_EQ(intern("many-names-" + std::to_string(i)), entries[std::size_t(i)]);
  }
  EXPECT_EQ(std::set(entries.begin(), entries.end()).size(), entries.size());
}

}  // namespace
}  // namespace lona::vm

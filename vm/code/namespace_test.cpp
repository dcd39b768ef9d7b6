// SPDX-License-Identifier: BSD-2-Clause
// What a realm sees of the namespaces of the realms above it, and that it never writes there: the
// parent's memory is read-only while the child acts.
#include "vm/code/namespace.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vm/code/function.hpp"
#include "vm/code/permanent.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {
namespace {

constexpr std::size_t kRegionBytes = 32 * 1024;

struct Level {
  explicit Level(std::span<const LevelHeader* const> above) : all(region, header, above) {}
  Var* def(std::string_view ns, std::string_view name, int value) {
    Var* var = all.intern(all.find_or_create(intern(ns)), intern(name));
    var->set_value(Term::integer(value));
    return var;
  }
  // What the symbol means in lona.user.
  Term value(std::string_view symbol) {
    const Var* var = all.resolve(all.find_or_create(intern("lona.user")), intern(symbol));
    return var == nullptr ? Term::absent() : var->value;
  }
  LevelHeader header{};
  PermanentRegion region;
  // Chunks double: after this one, the next is as large as the tests want to protect.
  Word* first_chunk = region.make_array<Word>(kRegionBytes / sizeof(Word));
  Namespaces all;
};

class Inheritance : public testing::Test {
 protected:
  static constexpr std::size_t kBytes = kRegionBytes;  // of a region's second chunk

  Inheritance() {
    start_ = reinterpret_cast<std::uintptr_t>(parent.region.make<Word>()) & ~std::uintptr_t{4095};
    inherited_range = {start_, kBytes};
  }
  ~Inheritance() override {
    protect(PROT_READ | PROT_WRITE);
    inherited_range = {0, 0};
  }
  void parent_acts() { protect(PROT_READ | PROT_WRITE); }
  void child_acts() { protect(PROT_READ); }

  Level parent{{}};
  const LevelHeader* above[1] = {&parent.header};
  Level child{above};

 private:
  void protect(int how) { ASSERT_EQ(mprotect(reinterpret_cast<void*>(start_), kBytes, how), 0); }
  std::uintptr_t start_;
};

TEST_F(Inheritance, a_child_sees_what_its_parent_defines_and_redefines) {
  parent.def("lona.user", "f", 1);
  child_acts();
  EXPECT_EQ(child.value("f"), Term::integer(1));
  EXPECT_EQ(child.value("lona.user/f"), Term::integer(1));
  EXPECT_EQ(child.value("g"), Term::absent());
  parent_acts();
  parent.def("lona.user", "f", 2);
  for (int i = 0; i < 60; ++i) parent.def("lona.user", "g" + std::to_string(i), i);
  child_acts();
  EXPECT_EQ(child.value("f"), Term::integer(2));
  EXPECT_EQ(child.value("g59"), Term::integer(59));
}

TEST_F(Inheritance, a_childs_definition_hides_the_parents_and_changes_nothing_there) {
  Var* theirs = parent.def("lona.user", "f", 1);
  child_acts();
  Var* own = child.def("lona.user", "f", 10);
  EXPECT_NE(own, theirs);
  EXPECT_FALSE(is_inherited(own));
  EXPECT_TRUE(is_inherited(theirs));
  EXPECT_EQ(child.value("f"), Term::integer(10));
  EXPECT_EQ(parent.value("f"), Term::integer(1));
  EXPECT_EQ(child.def("lona.user", "f", 11), own);
}

// The parent's level stands for the core image's data here.
TEST_F(Inheritance, vars_of_the_core_image_are_the_first_realms) {
  Var* images = parent.def("lona.core", "inc", 1);
  child_acts();
  Level lower{{}};
  lower.all.adopt(parent.all.own());
  EXPECT_EQ(lower.value("inc"), Term::integer(1));
  Var* own = lower.def("lona.core", "inc", 2);
  EXPECT_NE(own, images);
  EXPECT_EQ(lower.value("inc"), Term::integer(2));
  EXPECT_EQ(images->value, Term::integer(1));
  lower.all.each_writable_var([&](Var* var) { EXPECT_EQ(var, own); });

  parent_acts();
  inherited_range = {0, 0};  // the first realm has none
  Level first{{}};
  first.all.adopt(parent.all.own());
  EXPECT_EQ(first.def("lona.core", "inc", 3), images);
  EXPECT_EQ(lower.value("inc"), Term::integer(2));
  EXPECT_EQ(child.value("lona.core/inc"), Term::integer(3));
}

TEST_F(Inheritance, a_var_without_a_value_hides_nothing) {
  child.all.intern(child.all.find_or_create(intern("lona.user")), intern("later"));
  parent.def("lona.user", "later", 3);
  child_acts();
  EXPECT_EQ(child.value("later"), Term::integer(3));
}

TEST_F(Inheritance, both_objects_of_a_namespace_are_one_value) {
  parent.def("lona.user", "f", 1);
  Namespace* theirs = parent.all.find(intern("lona.user"));
  child_acts();
  EXPECT_EQ(child.all.find(intern("lona.user")), theirs);
  child.def("lona.user", "g", 2);
  Namespace* own = child.all.find(intern("lona.user"));
  ASSERT_NE(own, theirs);
  EXPECT_TRUE(equal(own->term(), theirs->term()));
  EXPECT_EQ(hash_term(own->term()), hash_term(theirs->term()));
  EXPECT_EQ(compare(own->term(), theirs->term()), 0);
  // Whichever one is asked, both are looked into.
  for (Namespace* ns : {own, theirs}) {
    EXPECT_EQ(child.all.find_var(ns, intern("f"))->value, Term::integer(1));
    EXPECT_EQ(child.all.find_var(ns, intern("g"))->value, Term::integer(2));
  }
}

TEST_F(Inheritance, what_is_listed_is_the_union_and_the_nearest_counts) {
  parent.def("lona.user", "a", 1);
  parent.def("lona.user", "b", 2);
  parent.def("other", "c", 3);
  child_acts();
  child.def("lona.user", "b", 20);
  child.def("own", "d", 4);
  std::vector<std::pair<std::string, std::int64_t>> vars;
  child.all.each_var(child.all.find(intern("lona.user")), [&](SymbolEntry* name, Var* var) {
    vars.emplace_back(name->full(), var->value.as_integer());
  });
  std::sort(vars.begin(), vars.end());
  EXPECT_EQ(vars, (decltype(vars){{"a", 1}, {"b", 20}}));
  std::vector<std::string> names;
  child.all.each([&](Namespace* ns) { names.emplace_back(ns->name->full()); });
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"lona.user", "other", "own"}));
}

TEST_F(Inheritance, refer_and_alias_of_a_child_are_its_own) {
  parent.def("tools", "hammer", 1);
  parent.all.alias(parent.all.find_or_create(intern("lona.user")), intern("t"),
                   parent.all.find(intern("tools")));
  child_acts();
  EXPECT_EQ(child.value("t/hammer"), Term::integer(1));
  Namespace* user = child.all.find_or_create(intern("lona.user"));
  child.all.alias(user, intern("mine"), child.all.find(intern("tools")));
  child.all.refer(user, child.all.find(intern("tools")));
  EXPECT_EQ(child.value("mine/hammer"), Term::integer(1));
  EXPECT_EQ(child.value("hammer"), Term::integer(1));
  EXPECT_EQ(parent.value("mine/hammer"), Term::absent());
  EXPECT_EQ(parent.value("hammer"), Term::absent());
  // A referred var is the parent's own: what it is given later is seen.
  parent_acts();
  parent.def("tools", "hammer", 2);
  child_acts();
  EXPECT_EQ(child.value("hammer"), Term::integer(2));
}

}  // namespace
}  // namespace lona::vm

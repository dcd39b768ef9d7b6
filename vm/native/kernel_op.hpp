// SPDX-License-Identifier: BSD-2-Clause
// One call of the kernel on behalf of a program: its arguments are checked one after the other, and
// the first that is wrong decides the answer; then it is made, or not.
#pragma once

#include <initializer_list>

#include "abi/sel4/labels.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map.hpp"
#include "vm/native/machine_words.hpp"
#include "vm/platform/kernel_objects.hpp"
#include "vm/process/process.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm::natives {

constexpr std::pair<std::string_view, unsigned> kRightNames[] = {
    {"read", 2}, {"write", 1}, {"grant", 4}, {"grant-reply", 8}};

// What makes objects expects.
constexpr const char* kObjectTypes =
    "one of :untyped :tcb :endpoint :notification :cnode :sched-context :reply :frame-4k :frame-2m "
    ":frame-1g :pml4 :pdpt :page-directory :page-table, and a size of less than 64 bits";

// A slot for a capability of this realm, with one in it; or why there is none.
struct FilledSlot {
  platform::RealmError error;
  std::uint32_t slot = platform::kNoSlot;
};
// Why there is no free one: the host has none at all.
inline platform::RealmError no_free_slot() {
  return platform::slots_depth() == 0 ? platform::RealmError::kUnsupported
                                      : platform::RealmError::kTooMany;
}
// `fill` puts a capability there and says how it went.
template <typename Fill>
FilledSlot fill_slot(Fill fill) {
  const std::uint32_t slot = platform::take_slot();
  if (slot == platform::kNoSlot) return {no_free_slot()};
  const platform::RealmError error = fill(slot);
  if (error == platform::RealmError::kNone) return {error, slot};
  platform::give_slot(slot);
  return {error};
}

// What this realm has in a slot, as a value.
inline Term own_capability(Process& p, ObjectKind kind, std::uint32_t slot) {
  return make_capability(p, {.kind = kind,
                             .realm = state_of(p).realms.own(),
                             .slot = slot,
                             .use = platform::slot_use(slot)});
}

// A slot of a program's CNode.
struct CapPlace {
  std::uint64_t root = 0;
  std::uint64_t index = 0;
  std::uint64_t depth = 0;
  ObjectKind* known = nullptr;  // what is in it; null: nobody keeps a record of that CNode
};

class KernelOp {
 public:
  KernelOp(Process& p, std::string_view name, Args args) : p_(p), name_(name), args_(args) {}

  bool good() const { return answer_ == Term::absent(); }
  Term answer() const { return answer_; }
  // The arguments are not what the function takes.
  void refuse(std::string_view expected = {}) {
    if (good()) answer_ = p_.fail_badarg(name_, args_, expected);
  }
  void error(std::string_view why);
  // There was to be a capability of this type.
  void refuse_type(MachineType type);

  // The slot of a capability; one that another realm has sent is taken for that. What was given
  // back is an error.
  std::uint32_t slot(Term t);
  // The kernel's name of it.
  std::uint64_t capability(Term t) {
    const std::uint32_t at = slot(t);
    return good() ? platform::slot_capability(at) : 0;
  }
  std::uint64_t capability(Term t, MachineType type) {
    if (!is_machine_value(t, type)) refuse_type(type);
    return good() ? capability(t) : 0;
  }
  std::uint64_t capability(std::size_t argument, MachineType type) {
    return capability(args_[static_cast<std::uint32_t>(argument)], type);
  }
  // One that allows this: a receive without the right to read is a fault to the kernel, and who
  // calls without the right to grant a reply waits for ever.
  std::uint64_t readable(std::size_t argument, MachineType type);
  std::uint64_t writable(std::size_t argument, MachineType type);
  std::uint64_t callable(std::size_t argument);
  // An integer or an address.
  std::uint64_t word(Term t);
  CapPlace place(Term cnode, Term slot);
  std::uint64_t rights(Term set);
  // Of a map of options; a missing one is `otherwise`.
  std::uint64_t option(Term options, const char* name, std::uint64_t otherwise = 0);
  std::uint64_t option(Term options, const char* name, MachineType type);

  // Makes the call, if all was well so far; `true` when the kernel did it too.
  bool call(platform::KernelAnswer& answer, std::uint64_t target, abi::Label label,
            std::initializer_list<std::uint64_t> capabilities = {},
            std::initializer_list<std::uint64_t> words = {});
  // As above, for a call whose only answer is :ok.
  Term run(std::uint64_t target, abi::Label label,
           std::initializer_list<std::uint64_t> capabilities = {},
           std::initializer_list<std::uint64_t> words = {});
  // What the kernel's answer to a call means.
  Term judge(const platform::KernelAnswer& answer);
  Term ok() { return good() ? state_of(p_).ok : answer_; }

 private:
  std::uint64_t with_right(std::size_t argument, MachineType type, abi::CapRights any_of);

  Process& p_;
  std::string_view name_;
  Args args_;
  Term answer_ = Term::absent();
};

// A type of objects as programs name it.
struct ObjectTypeInfo {
  const char* name;
  MachineType type;
  std::uint64_t number;     // abi::ObjectType
  std::uint8_t size_bits;   // of the object, when all have one size; 0: it is to be said
  std::uint8_t usual_bits;  // when nothing is said; 0: something must be
  std::uint8_t call_bits(std::uint64_t said) const {
    return size_bits != 0 ? 0 : static_cast<std::uint8_t>(said == 0 ? usual_bits : said);
  }
};
const ObjectTypeInfo* object_type(Term keyword);
ObjectKind kind_of(const ObjectTypeInfo& type, std::uint64_t size_bits);

}  // namespace lona::vm::natives

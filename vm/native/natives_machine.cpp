// SPDX-License-Identifier: BSD-2-Clause
// Physical and virtual addresses behave alike; each function is made for both by its type.
#include <optional>

#include "vm/data/machine_value.hpp"
#include "vm/native/machine_words.hpp"
#include "vm/number/number.hpp"
#include "vm/process/process.hpp"

namespace lona::vm::natives {

namespace {

std::optional<Word> alignment(Term t) {
  const std::optional<Word> n = unsigned_word(t);
  return n && *n != 0 && (*n & (*n - 1)) == 0 ? n : std::nullopt;
}

Term u64(Process& p, Word value) {
  return make_fixed(p, NumberType::kU64, static_cast<Wide>(value));
}

constexpr bool kPhysical = true, kVirtual = false;

template <bool is_physical>
struct Address {
  static constexpr MachineType kType =
      is_physical ? MachineType::kPhysicalAddress : MachineType::kVirtualAddress;
  static bool is(Term t) { return is_machine_value(t, kType); }

  static Term make(Process& p, const char* name, Args args) {
    const std::optional<Word> n = unsigned_word(args[0]);
    return n ? make_machine_value(p, kType, *n) : p.fail_badarg(name, args);
  }
  static Term to_u64(Process& p, const char* name, Args args) {
    return is(args[0]) ? u64(p, machine_word(args[0])) : p.fail_badarg(name, args);
  }
  static Term add(Process& p, const char* name, Args args) {
    const std::optional<Word> n = unsigned_word(args[1]);
    if (!is(args[0]) || !n) return p.fail_badarg(name, args);
    Word sum;
    if (__builtin_add_overflow(machine_word(args[0]), *n, &sum)) {
      return p.fail("overflow");
    }
    return make_machine_value(p, kType, sum);
  }
  static Term subtract(Process& p, const char* name, Args args) {
    const std::optional<Word> n = is(args[1]) ? machine_word(args[1]) : unsigned_word(args[1]);
    if (!is(args[0]) || !n) return p.fail_badarg(name, args);
    Word difference;
    if (__builtin_sub_overflow(machine_word(args[0]), *n, &difference)) {
      return p.fail("overflow");
    }
    return is(args[1]) ? u64(p, difference) : make_machine_value(p, kType, difference);
  }
  static Term equal(Process& p, const char* name, Args args) {
    if (!is(args[0]) || !is(args[1])) return p.fail_badarg(name, args);
    return Term::boolean(machine_word(args[0]) == machine_word(args[1]));
  }
  static Term less(Process& p, const char* name, Args args) {
    if (!is(args[0]) || !is(args[1])) return p.fail_badarg(name, args);
    return Term::boolean(machine_word(args[0]) < machine_word(args[1]));
  }
  static Term align(Process& p, const char* name, Args args) {
    const std::optional<Word> n = alignment(args[1]);
    if (!is(args[0]) || !n) return p.fail_badarg(name, args);
    Word last;
    if (__builtin_add_overflow(machine_word(args[0]), *n - 1, &last)) {
      return p.fail("overflow");
    }
    return make_machine_value(p, kType, last & ~(*n - 1));
  }
  static Term align_down(Process& p, const char* name, Args args) {
    const std::optional<Word> n = alignment(args[1]);
    if (!is(args[0]) || !n) return p.fail_badarg(name, args);
    return make_machine_value(p, kType, machine_word(args[0]) & ~(*n - 1));
  }
  static Term is_aligned(Process& p, const char* name, Args args) {
    const std::optional<Word> n = alignment(args[1]);
    if (!is(args[0]) || !n) return p.fail_badarg(name, args);
    return Term::boolean((machine_word(args[0]) & (*n - 1)) == 0);
  }
};

Term info_field(Process& p, const char* name, Args args, Word MessageInfo::* field) {
  if (!is_machine_value(args[0], MachineType::kMessageInfo)) return p.fail_badarg(name, args);
  return Term::integer(
      static_cast<std::int64_t>(MessageInfo::decode(machine_word(args[0])).*field));
}

}  // namespace

#define LONA_ADDRESS(prefix, kind)                                    \
  Term prefix(Process& p, Args args) {                                \
    return Address<kind>::make(p, #prefix, args);                     \
  }                                                                   \
  Term is_##prefix(Process&, Args args) {                             \
    return Term::boolean(Address<kind>::is(args[0]));                 \
  }                                                                   \
  Term prefix##_to_u64(Process& p, Args args) {                       \
    return Address<kind>::to_u64(p, #prefix "->u64", args);           \
  }                                                                   \
  Term prefix##_add(Process& p, Args args) {                          \
    return Address<kind>::add(p, #prefix "+", args);                  \
  }                                                                   \
  Term prefix##_subtract(Process& p, Args args) {                     \
    return Address<kind>::subtract(p, #prefix "-", args);             \
  }                                                                   \
  Term prefix##_equal(Process& p, Args args) {                        \
    return Address<kind>::equal(p, #prefix "=", args);                \
  }                                                                   \
  Term prefix##_less(Process& p, Args args) {                         \
    return Address<kind>::less(p, #prefix "<", args);                 \
  }                                                                   \
  Term prefix##_align(Process& p, Args args) {                        \
    return Address<kind>::align(p, #prefix "-align", args);           \
  }                                                                   \
  Term prefix##_align_down(Process& p, Args args) {                   \
    return Address<kind>::align_down(p, #prefix "-align-down", args); \
  }                                                                   \
  Term prefix##_is_aligned(Process& p, Args args) {                   \
    return Address<kind>::is_aligned(p, #prefix "-aligned?", args);   \
  }
LONA_ADDRESS(paddr, kPhysical)
LONA_ADDRESS(vaddr, kVirtual)
#undef LONA_ADDRESS

Term msg_info(Process& p, Args args) {
  constexpr Word kLongest = 120, kMostCaps = 3;
  const std::optional<Word> label = unsigned_word(args[0]);
  const std::optional<Word> length = unsigned_word(args[1]);
  const std::optional<Word> caps = unsigned_word(args[2]);
  if (!label || !length || !caps || *label >> MessageInfo::kLabelBits != 0 || *length > kLongest ||
      *caps > kMostCaps) {
    return p.fail_badarg("msg-info", args);
  }
  return make_machine_value(p, MachineType::kMessageInfo,
                            MessageInfo{*label, *length, *caps}.encode());
}
Term is_msg_info(Process&, Args args) {
  return Term::boolean(is_machine_value(args[0], MachineType::kMessageInfo));
}
Term msg_info_label(Process& p, Args args) {
  return info_field(p, "msg-info-label", args, &MessageInfo::label);
}
Term msg_info_length(Process& p, Args args) {
  return info_field(p, "msg-info-length", args, &MessageInfo::length);
}
Term msg_info_caps(Process& p, Args args) {
  return info_field(p, "msg-info-caps", args, &MessageInfo::caps);
}

Term is_realm_id(Process&, Args args) {
  return Term::boolean(args[0].is_realm());
}

}  // namespace lona::vm::natives

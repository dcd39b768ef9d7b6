// SPDX-License-Identifier: BSD-2-Clause
// Numbers of any kind print as text that reads back as the same number, and arithmetic undoes
// itself. A libFuzzer program: the first byte says what the others are.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/number.hpp"
#include "vm/number/text.hpp"
#include "vm/platform/platform.hpp"
#include "vm/printer/printer.hpp"
#include "vm/reader/reader.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {
namespace {

void check(bool holds, const char* what) {
  if (!holds) platform::panic(what);
}

Term read(Arena& arena, std::string_view text) {
  Reader reader(arena, text, {});
  ReadOutcome r = reader.next();
  check(r.kind == ReadOutcome::Kind::kForm, "a printed number does not read");
  check(reader.next().kind == ReadOutcome::Kind::kEnd, "a printed number reads as several forms");
  return r.form;
}

bool is_nan(Term t) {
  return (is_float(t) && std::isnan(float_value(t))) ||
         (is_float32(t) && std::isnan(float32_value(t)));
}

void check_printed(Arena& arena, Term number) {
  Term text = print_to_string(arena, number);
  Term again = read(arena, string_text(text));
  check(number_type(again) == number_type(number), "a printed number reads as another type");
  if (is_nan(number)) return check(is_nan(again), "a NaN reads as something else");
  check(equal(again, number), "a printed number reads as another one");
  check(hash_term(again) == hash_term(number), "equal numbers have different hashes");
  check(string_text(print_to_string(arena, again)) == string_text(text), "printing is not stable");
}

// Bytes as the text of a number: most of the characters that occur in one, and few others.
void check_text(Arena& arena, std::string_view bytes) {
  constexpr std::string_view kLetters = "0123456789012345_/.eE+-xboruifN32684az# ";
  std::string text = "1";
  for (char c : bytes) text += kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  ReadNumber number = read_number(arena, text);
  if (number.error != nullptr) {
    return check(number.message != nullptr, "an error that says nothing");
  }
  check_printed(arena, number.value);
}

void check_float(Arena& arena, std::string_view bytes) {
  double value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  check_printed(arena, make_float(arena, value));
  float single = 0;
  std::memcpy(&single, bytes.data(), std::min(bytes.size(), sizeof single));
  check_printed(arena, make_float32(arena, single));
  if (!std::isfinite(value)) return;
  char out[kFloatText];
  std::string text(float_text(value, out));
  // The host's C library knows, too.
  check(std::strtod(text.c_str(), nullptr) == value, "a float's text is another float's");
}

Term hexadecimal(Arena& arena, std::string_view bytes, bool negative) {
  std::string text = negative ? "-0x0" : "0x0";
  for (char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
  }
  return read(arena, text);
}

Term value_of(NumberResult r) {
  check(r.has_value(), "arithmetic that must not fail has failed");
  return *r;
}

void check_integers(Arena& arena, std::string_view bytes) {
  std::size_t half = bytes.size() / 2;
  bool a_negative = half != 0 && (bytes[0] & 1) != 0, b_negative = half != 0 && (bytes[0] & 2) != 0;
  Term a = hexadecimal(arena, bytes.substr(0, half), a_negative);
  Term b = hexadecimal(arena, bytes.substr(half), b_negative);
  check_printed(arena, a);
  Term sum = value_of(number_add(arena, a, b));
  check(equal(value_of(number_subtract(arena, sum, b)), a), "(a + b) - b is not a");
  Term product = value_of(number_multiply(arena, a, b));
  if (equal(b, Term::integer(0))) return;
  check(equal(value_of(number_divide(arena, product, b)), a), "a * b / b is not a");
  Term quotient = value_of(number_quotient(arena, a, b));
  Term rest = value_of(number_remainder(arena, a, b));
  Term whole = value_of(number_multiply(arena, quotient, b));
  check(equal(value_of(number_add(arena, whole, rest)), a), "quotient and remainder do not fit");
  Term ratio = value_of(number_divide(arena, a, b));
  check_printed(arena, ratio);
  check(equal(value_of(number_multiply(arena, ratio, b)), a), "a / b * b is not a");
}

void check_all(std::string_view bytes) {
  if (bytes.empty()) return;
  Arena arena;
  switch (bytes[0] & 3) {
    case 0:
      return check_float(arena, bytes.substr(1));
    case 1:
      return check_integers(arena, bytes.substr(1));
    default:
      return check_text(arena, bytes.substr(1));
  }
}

}  // namespace
}  // namespace lona::vm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lona::vm::check_all({reinterpret_cast<const char*>(data), size});
  return 0;
}

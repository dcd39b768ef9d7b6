// SPDX-License-Identifier: BSD-2-Clause
// Literals are taken apart here; the digits are read by integer_parse, or by double-conversion,
// which rounds correctly however many there are.
#include "vm/number/text.hpp"

#include <double-conversion/strtod.h>

#include <cmath>
#include <limits>

#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"
#include "vm/printer/printer.hpp"

namespace lona::vm {

namespace {

unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if ((c | 32) >= 'a' && (c | 32) <= 'z') return static_cast<unsigned>((c | 32) - 'a') + 10;
  return 36;
}

ReadNumber bad(const char* message) {
  return {Term::nil(), "invalid-number", message};
}

ReadNumber of(NumberResult result) {
  if (result.has_value()) return {*result};
  if (result.error() == NumberFault::kNoMemory) return {Term::nil(), "oom", "no memory left"};
  return bad("a ratio over zero");
}

// Digits at the start of `s`, with single underscores between them; takes them off.
std::string_view take_digits(std::string_view& s, unsigned radix) {
  std::size_t n = 0;
  while (n < s.size()) {
    if (digit_value(s[n]) < radix) {
      n++;
    } else if (s[n] == '_' && n > 0 && n + 1 < s.size() && digit_value(s[n + 1]) < radix) {
      n += 2;
    } else {
      break;
    }
  }
  std::string_view digits = s.substr(0, n);
  s.remove_prefix(n);
  return digits;
}

NumberType fixed_of_suffix(std::string_view s) {
  for (unsigned t = unsigned(NumberType::kU8); t <= unsigned(NumberType::kI64); t++) {
    auto type = static_cast<NumberType>(t);
    if (s == number_type_name(type)) return type;
  }
  return NumberType::kNone;
}

ReadNumber finish_integer(Heap& heap, std::string_view digits, unsigned radix, bool negative,
                          std::string_view suffix) {
  ReadNumber r = of(integer_parse(heap, digits, radix, negative));
  if (r.error != nullptr || suffix.empty() || suffix == "N") return r;
  NumberType fixed = fixed_of_suffix(suffix);
  if (fixed == NumberType::kNone) return bad("a digit or letter that fits no number");
  FixedWidth width = width_of(fixed);
  IntegerView read(r.value);
  Wide value = read.negative() ? -static_cast<Wide>(read.limb(0)) : static_cast<Wide>(read.limb(0));
  if (read.size() > 1 || value < width.least() || value > width.most()) {
    return bad("a number that its type has no room for");
  }
  return {make_fixed(heap, fixed, value)};
}

// The exponent behind an `e`, kept small enough for what comes; false: none there.
bool take_exponent(std::string_view& s, std::int64_t& out) {
  bool negative = !s.empty() && s[0] == '-';
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
  std::string_view digits = take_digits(s, 10);
  if (digits.empty()) return false;
  out = 0;
  for (char c : digits) {
    if (c != '_' && out < 1'000'000'000) out = out * 10 + digit_value(c);
  }
  if (negative) out = -out;
  return true;
}

// digits.fraction times ten to the power of exponent, all of them digits and underscores.
ReadNumber finish_float(Heap& heap, std::string_view digits, std::string_view fraction,
                        std::int64_t exponent, bool negative, bool single) {
  Scratch copy((digits.size() + fraction.size()) / sizeof(Limb) + 1);
  auto* text = reinterpret_cast<char*>(copy.data());
  if (text == nullptr) return {Term::nil(), "oom", "no memory left"};
  int n = 0;
  for (std::string_view part : {digits, fraction}) {
    for (char c : part) {
      if (c == '_') continue;
      exponent -= part.data() == fraction.data();
      if (n != 0 || c != '0') text[n++] = c;
    }
  }
  if (n == 0) exponent = 0;
  constexpr std::int64_t kFar = 1'500'000'000;
  auto power = static_cast<int>(exponent < -kFar ? -kFar : exponent > kFar ? kFar : exponent);
  double_conversion::Vector<const char> all(text, n);
  double value =
      single ? double_conversion::Strtof(all, power) : double_conversion::Strtod(all, power);
  if (std::isinf(value)) return bad("a float that is too large");
  if (negative) value = -value;
  return {single ? make_float32(heap, static_cast<float>(value)) : make_float(heap, value)};
}

ReadNumber read_decimal(Heap& heap, std::string_view digits, std::string_view s, bool negative) {
  std::string_view fraction;
  std::int64_t exponent = 0;
  bool is_float = false;
  if (s.starts_with('.')) {
    s.remove_prefix(1);
    fraction = take_digits(s, 10);
    if (fraction.empty()) return bad("digits are missing behind the point");
    is_float = true;
  }
  if (s.starts_with('e') || s.starts_with('E')) {
    s.remove_prefix(1);
    if (!take_exponent(s, exponent)) return bad("digits are missing in the exponent");
    is_float = true;
  }
  if (s == "f32" || s == "f64" || (is_float && s.empty())) {
    return finish_float(heap, digits, fraction, exponent, negative, s == "f32");
  }
  if (is_float) return bad("a digit or letter that fits no number");
  if (!s.starts_with('/')) return finish_integer(heap, digits, 10, negative, s);
  s.remove_prefix(1);
  std::string_view below = take_digits(s, 10);
  if (below.empty() || !s.empty()) return bad("a ratio is written as two integers: 22/7");
  ReadNumber n = of(integer_parse(heap, digits, 10, negative));
  if (n.error != nullptr) return n;
  ReadNumber d = of(integer_parse(heap, below, 10, false));
  if (d.error != nullptr) return d;
  return of(number_divide(heap, n.value, d.value));
}

}  // namespace

ReadNumber read_number(Heap& heap, std::string_view token) {
  bool negative = token[0] == '-';
  std::string_view s = token.substr(token[0] == '-' || token[0] == '+');
  unsigned radix = 10;
  if (s.size() > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'o' || s[1] == 'b')) {
    radix = s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : 2;
    s.remove_prefix(2);
  } else if (std::size_t r = s.find_first_not_of("0123456789"); r != s.npos && s[r] == 'r') {
    radix = 0;
    for (char c : s.substr(0, r)) radix = radix > 36 ? radix : radix * 10 + digit_value(c);
    if (radix < 2 || radix > 36) {
      return {Term::nil(), "invalid-radix", "the base of a number is from 2 to 36"};
    }
    s.remove_prefix(r + 1);
  }
  bool plain = radix == 10 && s.size() + (s.data() - token.data()) == token.size() &&
               (s.data() == token.data() || s.data() == token.data() + 1);
  std::string_view digits = take_digits(s, radix);
  if (digits.empty()) return bad("a number without digits");
  if (plain) return read_decimal(heap, digits, s, negative);
  return finish_integer(heap, digits, radix, negative, s);
}

ReadNumber read_special_float(Heap& heap, std::string_view name) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Special {
    std::string_view name;
    double value;
  };
  bool single = name.ends_with("32");
  if (single) name.remove_suffix(2);
  for (Special s : {Special{"Inf", kInfinity}, Special{"-Inf", -kInfinity}, Special{"NaN", kNan}}) {
    if (name != s.name) continue;
    return {single ? make_float32(heap, static_cast<float>(s.value)) : make_float(heap, s.value)};
  }
  return bad("behind ## stands Inf, -Inf or NaN");
}

namespace {

bool print_integer(Sink& sink, Term integer) {
  std::size_t size = integer_text_size(integer, 10);
  Scratch buffer(size / sizeof(Limb) + 1);
  if (buffer.data() == nullptr) return false;
  std::string_view text = integer_text(integer, 10, {reinterpret_cast<char*>(buffer.data()), size});
  return !text.empty() && sink.write(text);
}

bool print_fixed(Sink& sink, Term fixed) {
  char out[24];
  Wide value = fixed_value(fixed);
  bool negative = value < 0;
  auto rest = static_cast<std::uint64_t>(negative ? -value : value);
  std::size_t at = sizeof out;
  do {
    out[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (negative) out[--at] = '-';
  return sink.write({out + at, sizeof out - at}) &&
         sink.write(number_type_name(number_type(fixed)));
}

}  // namespace

bool print_number(Sink& sink, Term number) {
  char text[kFloatText];
  switch (number_type(number)) {
    case NumberType::kInteger:
      return print_integer(sink, number);
    case NumberType::kRatio:
      return print_integer(sink, slot(number, 0)) && sink.write("/") &&
             print_integer(sink, slot(number, 1));
    case NumberType::kFloat:
      return sink.write(float_text(float_value(number), text));
    case NumberType::kFloat32:
      return sink.write(float32_text(float32_value(number), text));
    default:
      return print_fixed(sink, number);
  }
}

}  // namespace lona::vm

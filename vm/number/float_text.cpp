// SPDX-License-Identifier: BSD-2-Clause
// Floats as text, by the digits that double-conversion finds: the fewest that read back as the same
// float, or so many correctly rounded ones.
#include <double-conversion/double-to-string.h>

#include <cmath>

#include "vm/number/text.hpp"

namespace lona::vm {

namespace {

using Digits = double_conversion::DoubleToStringConverter;

class Text {
 public:
  explicit Text(std::span<char> out) : out_(out) {}
  void put(char c) { out_[size_++] = c; }
  void put(const char* from, int count) {
    for (int i = 0; i < count; i++) put(from[i]);
  }
  void zeros(int count) {
    for (int i = 0; i < count; i++) put('0');
  }
  void number(int n) {
    if (n < 0) put('-');
    unsigned rest = n < 0 ? 0u - static_cast<unsigned>(n) : static_cast<unsigned>(n);
    if (rest >= 100) put(static_cast<char>('0' + rest / 100));
    if (rest >= 10) put(static_cast<char>('0' + rest / 10 % 10));
    put(static_cast<char>('0' + rest % 10));
  }
  std::string_view view() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

// 0.digits times ten to the power of `point`, as people write it: with an exponent only when there
// would be many zeros.
void shortest(Text& text, const char* digits, int count, int point) {
  if (point > 21 || point < -5) {
    text.put(digits[0]);
    text.put('.');
    if (count == 1) text.put('0');
    text.put(digits + 1, count - 1);
    text.put('e');
    text.number(point - 1);
  } else if (point <= 0) {
    text.put("0.", 2);
    text.zeros(-point);
    text.put(digits, count);
  } else if (count <= point) {
    text.put(digits, count);
    text.zeros(point - count);
    text.put(".0", 2);
  } else {
    text.put(digits, point);
    text.put('.');
    text.put(digits + point, count - point);
  }
}

template <class Float>
std::string_view special(Float value, std::string_view names[3]) {
  return names[std::isnan(value) ? 2 : value < 0];
}

template <class Float>
std::string_view finite_text(Float value, Digits::DtoaMode mode, std::span<char> out) {
  char digits[Digits::kBase10MaximalLength + 1];
  bool negative;
  int count, point;
  Digits::DoubleToAscii(static_cast<double>(value), mode, 0, digits, sizeof digits, &negative,
                        &count, &point);
  Text text(out);
  if (negative) text.put('-');
  if (value == 0) {
    text.put("0.0", 3);
  } else {
    shortest(text, digits, count, point);
  }
  return text.view();
}

}  // namespace

std::string_view float_text(double value, std::span<char, kFloatText> out) {
  std::string_view names[] = {"##Inf", "##-Inf", "##NaN"};
  if (!std::isfinite(value)) return special(value, names);
  return finite_text(value, Digits::SHORTEST, out);
}

std::string_view float32_text(float value, std::span<char, kFloatText> out) {
  std::string_view names[] = {"##Inf32", "##-Inf32", "##NaN32"};
  if (!std::isfinite(value)) return special(value, names);
  std::string_view digits =
      finite_text(value, Digits::SHORTEST_SINGLE, out.first<kFloatText - 3>());
  Text suffix(out.subspan(digits.size()));
  suffix.put("f32", 3);
  return {out.data(), digits.size() + 3};
}

std::string_view float_places(double finite, FloatForm form, int places,
                              std::span<char, kPlacesText> out) {
  char digits[kPlacesText];
  bool negative;
  int count = 0, point = 0;
  bool fixed = form == FloatForm::kFixed;
  Digits::DoubleToAscii(finite, fixed ? Digits::FIXED : Digits::PRECISION,
                        fixed ? places : places + 1, digits, sizeof digits, &negative, &count,
                        &point);
  Text text(out);
  if (negative) text.put('-');
  if (!fixed) {
    if (finite == 0) point = 1;
    int known = count;
    text.put(known > 0 ? digits[0] : '0');
    if (places > 0) text.put('.');
    text.put(digits + 1, known > 1 ? known - 1 : 0);
    text.zeros(places - (known > 1 ? known - 1 : 0));
    text.put('e');
    text.number(point - 1);
    return text.view();
  }
  int whole = point > 0 ? point : 0;
  if (whole == 0) text.put('0');
  text.put(digits, whole < count ? whole : count);
  text.zeros(whole > count ? whole - count : 0);
  if (places == 0) return text.view();
  text.put('.');
  int gap = point < 0 ? (-point < places ? -point : places) : 0;
  text.zeros(gap);
  int rest = count > whole ? count - whole : 0;
  if (rest > places - gap) rest = places - gap;
  text.put(digits + whole, rest);
  text.zeros(places - gap - rest);
  return text.view();
}

}  // namespace lona::vm

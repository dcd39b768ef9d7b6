// SPDX-License-Identifier: BSD-2-Clause
// Number literals, and numbers as text that reads back as the same number.
//
//   -12  1_000  42N  0xff  0o17  0b101  36rzz  22/7  3.14  6.0e23  1.5f32  255u8  -7i64
//   ##Inf  ##-Inf  ##NaN, and for f32 ##Inf32 and so on
#pragma once

#include <span>
#include <string_view>

#include "vm/number/number.hpp"

namespace lona::vm {

class Sink;

struct ReadNumber {
  Term value;
  const char* error = nullptr;  // its type, such as "invalid-number"
  const char* message = nullptr;
};
// `token` begins with a digit, or with a sign and a digit.
ReadNumber read_number(Heap& heap, std::string_view token);
// What stands behind `##`.
ReadNumber read_special_float(Heap& heap, std::string_view name);

// False when the sink has refused, or there is no memory.
bool print_number(Sink& sink, Term number);

// Enough for the shortest text of a float.
inline constexpr std::size_t kFloatText = 32;
std::string_view float_text(double value, std::span<char, kFloatText> out);
std::string_view float32_text(float value, std::span<char, kFloatText> out);

// A finite float with so many digits behind the point (at most kMaxPlaces), or that in the
// scientific form d.ddde±x. Correctly rounded.
inline constexpr int kMaxPlaces = 60;
inline constexpr std::size_t kPlacesText = 384 + kMaxPlaces;
enum class FloatForm : std::uint8_t { kFixed, kScientific };
std::string_view float_places(double finite, FloatForm form, int places,
                              std::span<char, kPlacesText> out);

}  // namespace lona::vm

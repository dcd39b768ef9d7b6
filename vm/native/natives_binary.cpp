// SPDX-License-Identifier: BSD-2-Clause
// Binaries and byte buffers.
#include <bit>
#include <cstring>

#include "vm/code/level.hpp"
#include "vm/data/each.hpp"
#include "vm/data/segment.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/native/natives_data.hpp"
#include "vm/number/number.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

#define LONA_NATIVE(name, min, max, function, arglists, doc) Term function(Process&, Args);
#include "vm/native/natives_binary.def"
#undef LONA_NATIVE

namespace {

// No single binary is larger: sizes in bits fit small integers with room to spare.
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 40;

Term fail_binary(Process& p, const char* fn, Term got) {
  return p.fail_type(fn, "binary", got);
}
// The bytes of a buffer that a var of a realm above holds are that realm's alone.
bool is_own_buffer(Term t) {
  return is_byte_buffer(t) && !is_inherited(t.box());
}
Term fail_buffer(Process& p, const char* fn, Term got) {
  return p.fail_type(fn, is_byte_buffer(got) ? "own-bytebuf" : "bytebuf", got);
}
bool has_bytes(Term t) {
  return is_binary(t) || is_own_buffer(t);
}

// A size or offset. False: the process has failed.
bool index_argument(Process& p, const char* fn, Term t, std::size_t& out) {
  if (!t.is_integer()) {
    p.fail_type(fn, "integer", t);
    return false;
  }
  if (t.as_integer() < 0 || t.as_integer() > kMaxBytes) {
    p.fail("out-of-bounds", t);
    return false;
  }
  out = static_cast<std::size_t>(t.as_integer());
  return true;
}

}  // namespace

bool range_arguments(Process& p, const char* fn, Args args, std::uint32_t first, std::size_t size,
                     std::size_t& offset, std::size_t& count) {
  offset = 0;
  if (args.size() > first && !index_argument(p, fn, args[first], offset)) return false;
  if (offset > size) {
    p.fail("out-of-bounds", args[first]);
    return false;
  }
  count = size - offset;
  if (args.size() <= first + 1) return true;
  if (!index_argument(p, fn, args[first + 1], count)) return false;
  if (count > size - offset) {
    p.fail("out-of-bounds", args[first + 1]);
    return false;
  }
  return true;
}

namespace {

enum class Encoding : std::uint8_t { kUtf8, kAscii, kLatin1, kNone };

Encoding encoding_argument(Args args) {
  if (args.size() < 2 || args[1] == make_keyword("utf-8")) return Encoding::kUtf8;
  if (args[1] == make_keyword("ascii")) return Encoding::kAscii;
  return args[1] == make_keyword("latin1") ? Encoding::kLatin1 : Encoding::kNone;
}

Term ok() {
  return make_keyword("ok");
}

// A field of a byte buffer or binary.
struct Field {
  unsigned bits;
  FieldType type;
};
constexpr FieldType kLittle{.little = true};
constexpr FieldType kBig{};
constexpr FieldType kSignedLittle{.little = true, .is_signed = true};
constexpr FieldType kSignedBig{.is_signed = true};
constexpr FieldType kFloatLittle{.little = true, .is_float = true};
constexpr FieldType kFloatBig{.is_float = true};
// The machine's own byte order; the project runs on little-endian machines only.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// The field's first byte. Null: the process has failed.
const std::uint8_t* field_at(Process& p, const char* fn, Args args, unsigned bits) {
  std::size_t offset;
  if (!has_bytes(args[0])) {
    p.fail_type(fn, "bytebuf", args[0]);
    return nullptr;
  }
  if (!index_argument(p, fn, args[1], offset)) return nullptr;
  if (offset + bits / 8 > binary_size(args[0])) {
    p.fail("out-of-bounds", args[1]);
    return nullptr;
  }
  return binary_data(args[0]) + offset;
}

Term read(Process& p, const char* fn, Args args, Field field) {
  const std::uint8_t* at = field_at(p, fn, args, field.bits);
  if (at == nullptr) return Term::raise();
  if (field.type.is_float || (field.bits == 8 && !field.type.is_signed)) {
    return or_oom(p, read_field(p, at, 0, field.bits, field.type));
  }
  std::uint64_t raw = 0;
  for (unsigned i = 0; i < field.bits / 8; i++) {
    raw |= std::uint64_t{at[i]} << 8 * (field.type.little ? i : field.bits / 8 - 1 - i);
  }
  unsigned width = static_cast<unsigned>(std::countr_zero(field.bits / 8));
  unsigned type = unsigned(NumberType::kU8) + width + (field.type.is_signed ? 4 : 0);
  return make_fixed(p, static_cast<NumberType>(type), static_cast<Wide>(raw));
}

Term write(Process& p, const char* fn, Args args, Field field) {
  if (!is_own_buffer(args[0])) return fail_buffer(p, fn, args[0]);
  auto* at = const_cast<std::uint8_t*>(field_at(p, fn, args, field.bits));
  if (at == nullptr) return Term::raise();
  std::uint8_t bytes[8] = {};
  if (!write_field(p, bytes, 0, field.bits, field.type, args[2])) {
    return p.fail_type(fn, "integer", args[2]);
  }
  std::memcpy(at, bytes, field.bits / 8);
  return ok();
}

Term allocate_buffer(Process& p, const char* fn, Args args, bool zero) {
  std::size_t size;
  if (!index_argument(p, fn, args[0], size)) return Term::raise();
  Term buffer = allocate_byte_buffer(p, size);
  if (buffer == Term::absent()) return p.fail_oom();
  if (zero && size != 0) std::memset(buffer_bytes(buffer).data(), 0, size);
  if (zero) charge_items(p, size / 16);
  return buffer;
}

}  // namespace

Term is_binary_value(Process&, Args args) {
  return Term::boolean(is_binary(args[0]));
}
Term is_bytebuf(Process&, Args args) {
  return Term::boolean(is_byte_buffer(args[0]));
}

Term binary(Process& p, Args args) {
  if (is_binary(args[0])) return args[0];
  if (!is_seqable(args[0])) return p.fail_type("binary", "collection", args[0]);
  NewBinary b = allocate_binary(p, seqable_count(args[0]));
  if (b.bytes == nullptr) return p.fail_oom();
  charge_items(p, binary_size(b.term));
  Each each(p, args[0]);
  for (Term e; each.next(e);) {
    if (!e.is_integer() || e.as_integer() < 0 || e.as_integer() > 0xff) {
      return p.fail_type("binary", "byte", e);
    }
    *b.bytes++ = static_cast<std::uint8_t>(e.as_integer());
  }
  return b.term;
}

Term binary_size_of(Process& p, Args args) {
  if (!is_binary(args[0])) return fail_binary(p, "binary-size", args[0]);
  return Term::integer(static_cast<std::int64_t>(binary_size(args[0])));
}

Term binary_ref(Process& p, Args args) {
  std::size_t offset;
  if (!is_binary(args[0])) return fail_binary(p, "binary-ref", args[0]);
  if (!index_argument(p, "binary-ref", args[1], offset)) return Term::raise();
  if (offset >= binary_size(args[0])) return p.fail("out-of-bounds", args[1]);
  return Term::integer(binary_data(args[0])[offset]);
}

Term binary_slice_of(Process& p, Args args) {
  std::size_t offset, size;
  if (!is_binary(args[0])) return fail_binary(p, "binary-slice", args[0]);
  if (!range_arguments(p, "binary-slice", args, 1, binary_size(args[0]), offset, size)) {
    return Term::raise();
  }
  return or_oom(p, binary_slice(p, args[0], offset, offset + size));
}

Term binary_concat(Process& p, Args args) {
  std::size_t extra = 0;
  for (std::uint32_t i = 0; i < args.size(); i++) {
    if (!is_binary(args[i])) return fail_binary(p, "binary-concat", args[i]);
    if (i != 0) extra += binary_size(args[i]);
  }
  if (args.size() == 0) return or_oom(p, make_binary(p, {}));
  if (extra == 0) return args[0];
  charge_items(p, extra / 16);
  NewBinary b = binary_extend(p, args[0], extra);
  if (b.bytes == nullptr) return p.fail_oom();
  for (std::uint32_t i = 1; i < args.size(); i++) {
    Bytes piece = binary_bytes(args[i]);
    if (!piece.empty()) std::memcpy(b.bytes, piece.data(), piece.size());
    b.bytes += piece.size();
  }
  return b.term;
}

Term binary_copy(Process& p, Args args) {
  std::size_t times = 1;
  if (!is_binary(args[0])) return fail_binary(p, "binary-copy", args[0]);
  if (args.size() > 1 && !index_argument(p, "binary-copy", args[1], times)) return Term::raise();
  Bytes bytes = binary_bytes(args[0]);
  if (!bytes.empty() && times > static_cast<std::size_t>(kMaxBytes) / bytes.size()) {
    return p.fail_oom();
  }
  charge_items(p, bytes.size() * times / 16);
  NewBinary b = allocate_binary(p, bytes.size() * times);
  if (b.bytes == nullptr) return p.fail_oom();
  for (; times > 0 && !bytes.empty(); times--) {
    std::memcpy(b.bytes, bytes.data(), bytes.size());
    b.bytes += bytes.size();
  }
  return b.term;
}

Term binary_index_of(Process& p, Args args) {
  std::size_t from = 0;
  if (!is_binary(args[0])) return fail_binary(p, "binary-index-of", args[0]);
  if (!is_binary(args[1])) return fail_binary(p, "binary-index-of", args[1]);
  if (args.size() > 2 && !index_argument(p, "binary-index-of", args[2], from)) {
    return Term::raise();
  }
  auto text = [](Term t) {
    return std::string_view(reinterpret_cast<const char*>(binary_data(t)), binary_size(t));
  };
  charge_items(p, binary_size(args[0]) / 4);
  std::size_t at = text(args[0]).find(text(args[1]), from);
  return at == std::string_view::npos ? Term::nil() : Term::integer(static_cast<std::int64_t>(at));
}

Term binary_to_string(Process& p, Args args) {
  if (!is_binary(args[0])) return fail_binary(p, "binary->string", args[0]);
  Encoding encoding = encoding_argument(args);
  if (encoding == Encoding::kNone) return p.fail_badarg("binary->string", args);
  Bytes bytes = binary_bytes(args[0]);
  charge_items(p, bytes.size() / 4);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t high = 0;
  for (std::uint8_t b : bytes) high += b >> 7;
  if (encoding == Encoding::kAscii && high != 0) return p.fail("invalid-ascii");
  if (encoding == Encoding::kUtf8 && utf8::valid_prefix(text) != text.size()) {
    return p.fail("invalid-utf8");
  }
  bool latin1 = encoding == Encoding::kLatin1;
  NewString s =
      allocate_text(p, text.size() + (latin1 ? high : 0), latin1 ? text.size() : utf8::count(text));
  if (s.text == nullptr) return p.fail_oom();
  if (!latin1) {
    if (!text.empty()) std::memcpy(s.text, text.data(), text.size());
    return s.term;
  }
  for (std::uint8_t b : bytes) s.text += utf8::encode(b, s.text);
  return s.term;
}

Term string_to_binary(Process& p, Args args) {
  if (!is_string(args[0])) return p.fail_type("string->binary", "string", args[0]);
  Encoding encoding = encoding_argument(args);
  if (encoding == Encoding::kNone) return p.fail_badarg("string->binary", args);
  std::string_view text = string_text(args[0]);
  std::size_t count = string_count(args[0]);
  charge_items(p, text.size() / 4);
  if (encoding == Encoding::kAscii && count != text.size()) return p.fail("invalid-ascii");
  bool latin1 = encoding == Encoding::kLatin1;
  NewBinary b = allocate_binary(p, latin1 ? count : text.size());
  if (b.bytes == nullptr) return p.fail_oom();
  if (!latin1) {
    if (!text.empty()) std::memcpy(b.bytes, text.data(), text.size());
    return b.term;
  }
  while (!text.empty()) {
    utf8::Decoded d = utf8::decode(text);
    if (d.code_point > 0xff) return p.fail("invalid-latin1", Term::character(d.code_point));
    *b.bytes++ = static_cast<std::uint8_t>(d.code_point);
    text.remove_prefix(d.bytes);
  }
  return b.term;
}

Term bytebuf_alloc(Process& p, Args args) {
  return allocate_buffer(p, "bytebuf-alloc", args, true);
}
Term bytebuf_alloc_unsafe(Process& p, Args args) {
  return allocate_buffer(p, "bytebuf-alloc-unsafe", args, false);
}

Term bytebuf_size(Process& p, Args args) {
  if (!is_own_buffer(args[0])) return fail_buffer(p, "bytebuf-size", args[0]);
  return Term::integer(static_cast<std::int64_t>(binary_size(args[0])));
}

Term bytebuf_to_binary(Process& p, Args args) {
  std::size_t offset, size;
  if (!is_own_buffer(args[0])) return fail_buffer(p, "bytebuf->binary", args[0]);
  if (!range_arguments(p, "bytebuf->binary", args, 1, binary_size(args[0]), offset, size)) {
    return Term::raise();
  }
  charge_items(p, size / 16);
  return or_oom(p, make_binary(p, binary_bytes(args[0]).subspan(offset, size)));
}

Term bytebuf_copy(Process& p, Args args) {
  std::size_t to, from, size;
  if (!is_own_buffer(args[0])) return fail_buffer(p, "bytebuf-copy!", args[0]);
  if (!has_bytes(args[2])) return p.fail_type("bytebuf-copy!", "bytebuf", args[2]);
  if (!index_argument(p, "bytebuf-copy!", args[1], to) ||
      !index_argument(p, "bytebuf-copy!", args[3], from) ||
      !index_argument(p, "bytebuf-copy!", args[4], size)) {
    return Term::raise();
  }
  if (to + size > binary_size(args[0])) return p.fail("out-of-bounds", args[1]);
  if (from + size > binary_size(args[2])) return p.fail("out-of-bounds", args[3]);
  charge_items(p, size / 16);
  if (size != 0) {
    std::memmove(buffer_bytes(args[0]).data() + to, binary_data(args[2]) + from, size);
  }
  return ok();
}

Term bytebuf_fill(Process& p, Args args) {
  std::size_t offset, size;
  if (!is_own_buffer(args[0])) return fail_buffer(p, "bytebuf-fill!", args[0]);
  if (!index_argument(p, "bytebuf-fill!", args[1], offset) ||
      !index_argument(p, "bytebuf-fill!", args[2], size)) {
    return Term::raise();
  }
  if (offset + size > binary_size(args[0])) return p.fail("out-of-bounds", args[1]);
  std::uint8_t byte = 0;
  if (!write_field(p, &byte, 0, 8, kBig, args[3])) {
    return p.fail_type("bytebuf-fill!", "integer", args[3]);
  }
  charge_items(p, size / 16);
  if (size != 0) std::memset(buffer_bytes(args[0]).data() + offset, byte, size);
  return ok();
}

Term native_endian(Process&, Args) {
  return make_keyword("little");
}

namespace {

// The low bits of an integer as an unsigned number of this width, perhaps the other way round.
Term in_order(Process& p, const char* fn, Term n, NumberType type, bool swap) {
  FixedWidth width = width_of(type);
  std::uint8_t bytes[8] = {};
  if (!write_field(p, bytes, 0, width.bits, kBig, n)) return p.fail_type(fn, "integer", n);
  std::uint64_t raw;
  std::memcpy(&raw, bytes, sizeof raw);
  if (!swap) raw = __builtin_bswap64(raw) >> (64 - width.bits);
  return make_fixed(p, type, static_cast<Wide>(raw));
}

}  // namespace

#define LONA_ORDERS(bits)                                                         \
  Term swap_bytes##bits(Process& p, Args args) {                                  \
    return in_order(p, "native->be" #bits, args[0], NumberType::kU##bits, true);  \
  }                                                                               \
  Term keep_bytes##bits(Process& p, Args args) {                                  \
    return in_order(p, "native->le" #bits, args[0], NumberType::kU##bits, false); \
  }
LONA_ORDERS(16)
LONA_ORDERS(32)
LONA_ORDERS(64)
#undef LONA_ORDERS

#define LONA_FIELDS(bits)                                                      \
  Term bytebuf_read_u##bits(Process& p, Args args) {                           \
    return read(p, "bytebuf-read" #bits, args, {bits, kLittle});               \
  }                                                                            \
  Term bytebuf_read_u##bits##_le(Process& p, Args args) {                      \
    return read(p, "bytebuf-read" #bits "-le", args, {bits, kLittle});         \
  }                                                                            \
  Term bytebuf_read_u##bits##_be(Process& p, Args args) {                      \
    return read(p, "bytebuf-read" #bits "-be", args, {bits, kBig});            \
  }                                                                            \
  Term bytebuf_read_i##bits(Process& p, Args args) {                           \
    return read(p, "bytebuf-read-i" #bits, args, {bits, kSignedLittle});       \
  }                                                                            \
  Term bytebuf_read_i##bits##_le(Process& p, Args args) {                      \
    return read(p, "bytebuf-read-i" #bits "-le", args, {bits, kSignedLittle}); \
  }                                                                            \
  Term bytebuf_read_i##bits##_be(Process& p, Args args) {                      \
    return read(p, "bytebuf-read-i" #bits "-be", args, {bits, kSignedBig});    \
  }                                                                            \
  Term bytebuf_write##bits(Process& p, Args args) {                            \
    return write(p, "bytebuf-write" #bits "!", args, {bits, kLittle});         \
  }                                                                            \
  Term bytebuf_write##bits##_le(Process& p, Args args) {                       \
    return write(p, "bytebuf-write" #bits "-le!", args, {bits, kLittle});      \
  }                                                                            \
  Term bytebuf_write##bits##_be(Process& p, Args args) {                       \
    return write(p, "bytebuf-write" #bits "-be!", args, {bits, kBig});         \
  }
LONA_FIELDS(8)
LONA_FIELDS(16)
LONA_FIELDS(32)
LONA_FIELDS(64)
#undef LONA_FIELDS
Term bytebuf_read_f32_le(Process& p, Args args) {
  return read(p, "bytebuf-read-f32-le", args, {32, kFloatLittle});
}
Term bytebuf_read_f32_be(Process& p, Args args) {
  return read(p, "bytebuf-read-f32-be", args, {32, kFloatBig});
}
Term bytebuf_read_f64_le(Process& p, Args args) {
  return read(p, "bytebuf-read-f64-le", args, {64, kFloatLittle});
}
Term bytebuf_read_f64_be(Process& p, Args args) {
  return read(p, "bytebuf-read-f64-be", args, {64, kFloatBig});
}

namespace {

// A segment with its value, when a binary is built.
struct Piece {
  Segment segment;
  Term value;
  std::size_t bits;
};

// The bytes of a binary or string.
bool bytes_of(Term t, Bytes& out) {
  if (is_binary(t)) {
    out = binary_bytes(t);
  } else if (is_string(t)) {
    std::string_view text = string_text(t);
    out = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  } else {
    return false;
  }
  return true;
}

// Fills in `bits`. False: the process has failed.
bool measure(Process& p, Args args, std::uint32_t& next, Piece& piece) {
  Segment& s = piece.segment;
  std::size_t size = s.size;
  if (s.dynamic && !index_argument(p, "bits", args[next++], size)) return false;
  if (!s.bytes) {
    piece.bits = size;
    bool good = s.is_float ? size == 32 || size == 64 : size <= Segment::kMaxBits;
    if (!good) p.fail("out-of-bounds", Term::integer(static_cast<std::int64_t>(size)));
    return good;
  }
  Bytes bytes;
  if (!bytes_of(piece.value, bytes)) {
    p.fail_type("bits", "binary", piece.value);
    return false;
  }
  if (s.whole) size = bytes.size();
  if (size > bytes.size()) {
    p.fail("out-of-bounds", Term::integer(static_cast<std::int64_t>(size)));
    return false;
  }
  piece.bits = 8 * size;
  return true;
}

}  // namespace

// The layout is a tuple of Segment codes; the other arguments are a value for each, followed by its
// size where that is dynamic.
Term build_bits(Process& p, Args args) {
  Term layout = args[0];
  if (!is_tuple(layout)) return p.fail_badarg("build-bits", args);
  WorkStack<Piece, 16> pieces;
  std::size_t bits = 0;
  std::uint32_t next = 1;
  for (std::size_t i = 0; i < tuple_count(layout); i++) {
    Term code = slot(layout, i);
    if (!code.is_integer()) return p.fail_badarg("build-bits", args);
    Segment s = Segment::decode(static_cast<std::uint64_t>(code.as_integer()));
    if (next + s.dynamic >= args.size()) return p.fail_badarg("build-bits", args);
    Piece piece{s, args[next++], 0};
    if (!measure(p, args, next, piece)) return Term::raise();
    bits += piece.bits;
    if (!pieces.push(piece)) return p.fail_oom();
  }
  if (bits % 8 != 0) return p.fail("badbits", Term::integer(static_cast<std::int64_t>(bits)));
  charge_items(p, bits / 64 + pieces.size());
  // A binary in front that is taken whole may be able to grow where it is.
  bool grow = !pieces.empty() && pieces[0].segment.whole && is_binary(pieces[0].value);
  NewBinary b = grow ? binary_extend(p, pieces[0].value, (bits - pieces[0].bits) / 8)
                     : allocate_binary(p, bits / 8);
  if (b.bytes == nullptr) return p.fail_oom();
  std::size_t at = 0, end = grow ? bits - pieces[0].bits : bits;
  if (end != 0) std::memset(b.bytes, 0, end / 8);
  for (std::size_t i = grow; i < pieces.size(); i++) {
    const Piece& piece = pieces[i];
    Bytes bytes;
    if (piece.segment.bytes) {
      bytes_of(piece.value, bytes);
      copy_bits(b.bytes, at, bytes.data(), piece.bits);
    } else if (!write_field(p, b.bytes, at, piece.bits, piece.segment.field(), piece.value)) {
      return p.fail_type("bits", piece.segment.is_float ? "number" : "integer", piece.value);
    }
    at += piece.bits;
  }
  return b.term;
}

}  // namespace lona::vm::natives

// SPDX-License-Identifier: BSD-2-Clause
// Hostile images. The input's first byte chooses:
//
//   raw      the rest is the image
//   changed  the rest says which words of a good one are other ones, of which kind and value; the
//            checksum is put right again
//
// The image must be refused or be safe; what is accepted is walked through by the inspector's own
// look at everything, far from the place where it belongs, so that a pointer that was believed but
// not checked leads out of all memory.
#include <cstring>
#include <vector>

#include "abi/lona/address_map.hpp"
#include "vm/image/image.hpp"
#include "vm/image/inspect.hpp"
#include "vm/image/writer.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

constexpr std::string_view kSource =
    "(def table %{:a {1 2 \"x\"} 'b #{[1]} 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20})"
    "(def many (vector 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28"
    "  29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58"
    "  59 60 61 62 63 64 65 66 67 68 69 70))"
    "(def both (vector-concat many many)) (def numbers [1/2 2.5 123456789012345678901234567890])"
    "(def adder (fn* [n] (fn* [x] (+ x n table))))"
    "(def long (fn* f [n] (match n 0 'end x (f (- x 1)))))"
    "(def tags (fn* [n] (match n :a 1 :b 2 :c 3 :d 4 \"e\" 5 \"f\" 6 'g 7 #bits[a b] b _ 9)))"
    "(def wait (fn* [p] (receive [:a x] x [:b y] when (= y p) y :after 10 :late)))";

constexpr std::uint64_t kLibrary = 4711;

struct Images {
  image::Image good;
  Images() {
    TestVm vm;
    vm.run(kSource);
    good = image::write(vm.vm(), kLibrary);
  }
};

void consider(std::span<const Word> constants, std::span<Word> data) {
  const image::Header* header = image::check({constants, data}, kLibrary);
  if (header == nullptr) return;
  (void)image::inspect(constants.first(header->constant_words), data.first(header->data_words));
}

void raw(const std::uint8_t* bytes, std::size_t size) {
  std::vector<Word> words(size / sizeof(Word));
  if (words.empty()) return;
  std::memcpy(words.data(), bytes, words.size() * sizeof(Word));
  const std::size_t half = words.size() / 2;
  consider(std::span(words).first(half), std::span(words).subspan(half));
}

Word changed(Word before, unsigned how, Word argument, const std::vector<Word>& others) {
  switch (how % 8) {
    case 0:
      return argument;
    case 1:
      return before + argument - 0x8000;
    case 2:
      return before ^ Word { 1 } << (argument % 64);
    case 3:
      return others[argument % others.size()];
    case 4:
      return abi::kCoreConstants.start + argument;
    case 5:
      return abi::kCoreData.start + argument;
    case 6:
      return (before & ~Word{0xff}) | (argument & 0xff);
    default:
      return 0 - argument;
  }
}

void change(const image::Image& good, const std::uint8_t* bytes, std::size_t size) {
  std::vector<Word> constants = good.constants, data = good.data;
  for (; size >= 6; bytes += 6, size -= 6) {
    std::uint16_t where = 0, argument = 0;
    std::memcpy(&where, bytes + 1, sizeof where);
    std::memcpy(&argument, bytes + 3, sizeof argument);
    std::vector<Word>& part = bytes[5] % 4 == 0 ? data : constants;
    Word& word = part[where % part.size()];
    word = changed(word, bytes[0], argument, bytes[5] % 8 < 4 ? constants : data);
  }
  auto* header = reinterpret_cast<image::Header*>(constants.data());
  header->magic = image::kMagic;
  header->fingerprint = image::fingerprint();
  header->library_hash = kLibrary;
  header->constant_words = constants.size();
  header->data_words = data.size();
  header->checksum = image::checksum(constants, data);
  consider(constants, data);
}

}  // namespace
}  // namespace lona::vm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lona::vm;
  static const Images images;
  if (!images.good.problem.empty()) __builtin_trap();
  if (size < 2) return 0;
  data[0] % 8 == 0 ? raw(data + 1, size - 1) : change(images.good, data + 1, size - 1);
  return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
#include "base/ustar.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

namespace lona::base {
namespace {

std::string with_checksum(std::string header) {
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) {
    sum += static_cast<unsigned char>(c);
  }
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  header.replace(148, 7, std::string(digits, 7));
  return header;
}

std::string member(const std::string& name, const std::string& content, char type = '0',
                   const std::string& prefix = "") {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  header.replace(124, 11, size);
  header[156] = type;
  header.replace(257, 5, "ustar");
  header.replace(263, 2, "00");
  header.replace(345, prefix.size(), prefix);
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512);
  return with_checksum(header) + padded;
}

std::string archive() {
  return member("lib/", "", '5') + member("lib/lona/core.lona", "(def x 1)") +
         member("core.lona", std::string(1000, 'z'), '0', "long/prefix") + member("empty", "") +
         std::string(1024, '\0');
}

TEST(Ustar, FindsFilesByPath) {
  const auto bytes = archive();
  const auto opened = UstarArchive::open(as_bytes(bytes));
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(as_text(*opened->find("lib/lona/core.lona")), "(def x 1)");
  EXPECT_EQ(opened->find("long/prefix/core.lona")->size(), 1000U);
  EXPECT_EQ(opened->find("empty")->size(), 0U);
  EXPECT_FALSE(opened->find("core.lona").has_value());
  EXPECT_FALSE(opened->find("lib/").has_value());
  EXPECT_FALSE(opened->find("").has_value());
}

TEST(Ustar, RefusesDamage) {
  const auto bytes = archive();
  auto bad_sum = bytes;
  bad_sum[512] ^= 1;
  EXPECT_EQ(UstarArchive::open(as_bytes(bad_sum)).error(), UstarError::bad_header);
  EXPECT_EQ(UstarArchive::open(as_bytes(bytes.substr(0, 1024))).error(), UstarError::bad_size);
  EXPECT_EQ(UstarArchive::open(as_bytes(bytes.substr(0, 1536))).error(), UstarError::unterminated);
  EXPECT_EQ(UstarArchive::open({}).error(), UstarError::unterminated);
  auto header = member("big", "");
  header.replace(124, 11, "77777777777");
  EXPECT_EQ(UstarArchive::open(as_bytes(with_checksum(header))).error(), UstarError::bad_size);
  header.replace(124, 11, "0000000x000");
  EXPECT_EQ(UstarArchive::open(as_bytes(with_checksum(header))).error(), UstarError::bad_header);
}

TEST(Ustar, SurvivesAnyBytes) {
  const auto good = archive();
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    auto bytes = good;
    for (int change = 0; change < 3; ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    for (std::size_t block = 0; block + 512 <= bytes.size() && round % 2 == 0; block += 512) {
      bytes.replace(block, 512, with_checksum(bytes.substr(block, 512)));
    }
    bytes.resize(random() % (bytes.size() + 1));
    if (const auto opened = UstarArchive::open(as_bytes(bytes))) {
      std::uint64_t cursor = 0;
      std::size_t total = 0;
      while (const auto found = opened->next(cursor)) {
        total += found->content.size();
      }
      EXPECT_LE(total, bytes.size());
    }
  }
}

}  // namespace
}  // namespace lona::base

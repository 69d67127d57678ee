#include "base/unicode_classes.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

size_t size_of(const CodePointSet& set) {
  size_t size = 0;
  for (const CodePointRange& range : set) size += range.last - range.first + 1;
  return size;
}

// The numbers are those of tokenizers 0.23's Oniguruma, which knows Unicode 16; Cn without the surrogates' block.
TEST(UnicodeClasses, HaveTheSizesOfUnicode16) {
  const std::pair<const char*, size_t> sizes[] = {{"L", 141028},    {"N", 1911},    {"M", 2501},       {"P", 855},
                                                  {"S", 8514},      {"Lu", 1858},   {"Han", 99030},    {"space", 25},
                                                  {"word", 144665}, {"digit", 760}, {"alpha", 142759}, {"punct", 9369},
                                                  {"Cn", 819533}};
  for (const auto& [name, size] : sizes) {
    ASSERT_NE(unicode_class(name), nullptr) << name;
    EXPECT_EQ(size_of(*unicode_class(name)), size) << name;
  }
  EXPECT_EQ(size_of(*unicode_class("Any")), 0x110000U);
}

TEST(UnicodeClasses, NamesAreReadLoosely) {
  EXPECT_EQ(unicode_class("uppercase letter"), unicode_class("UppercaseLetter"));
  EXPECT_EQ(*unicode_class("Uppercase_Letter"), *unicode_class("Lu"));
  EXPECT_EQ(*unicode_class("white-space"), *unicode_class("space"));
  EXPECT_EQ(unicode_class("Klingon"), nullptr);
  EXPECT_EQ(unicode_class(""), nullptr);
}

TEST(UnicodeClasses, CategoriesAndScriptsAreAskedForAlone) {
  EXPECT_EQ(general_category("lu"), unicode_class("Lu"));
  EXPECT_EQ(script("han"), unicode_class("Han"));
  for (const char* name : {"Han", "digit", "Any"}) EXPECT_EQ(general_category(name), nullptr) << name;
  for (const char* name : {"Lu", "digit", "Any"}) EXPECT_EQ(script(name), nullptr) << name;
  const CodePointSet& cased = *unicode_class("Cased_Letter");
  EXPECT_EQ(cased, unite(unite(*unicode_class("Lu"), *unicode_class("Ll")), *unicode_class("Lt")));
}

TEST(UnicodeClasses, ACharacterHasOneCategory) {
  EXPECT_EQ(category_of('a'), GeneralCategory::kLl);
  EXPECT_EQ(category_of(0), GeneralCategory::kCc);
  EXPECT_EQ(category_of(0x105C0), GeneralCategory::kLo);  // Todhri, Unicode 16
  EXPECT_EQ(category_of(0x1CCF0), GeneralCategory::kNd);  // an outlined digit, Unicode 16
  EXPECT_EQ(category_of(0x1171E), GeneralCategory::kMc);  // a nonspacing mark up to Unicode 14
  EXPECT_EQ(category_of(kLastCodePoint), GeneralCategory::kCn);
  for (char32_t c = 0; c <= kLastCodePoint; c += 97) {
    EXPECT_TRUE(contains(*unicode_class(category_name(category_of(c))), c)) << static_cast<uint32_t>(c);
  }
}

TEST(CodePointSets, AreJoinedCutAndTurned) {
  const CodePointSet set = make_code_point_set({{'d', 'f'}, {'a', 'b'}, {'c', 'd'}, {'x', 'w'}, {'z', 'z'}});
  EXPECT_EQ(set, (CodePointSet{{'a', 'f'}, {'z', 'z'}}));
  EXPECT_EQ(intersect(set, {{'e', 'y'}}), (CodePointSet{{'e', 'f'}}));
  EXPECT_EQ(complement(complement(set)), set);
  EXPECT_EQ(complement({}), (CodePointSet{{0, kLastCodePoint}}));
  EXPECT_EQ(complement({{0, kLastCodePoint}}), CodePointSet());
  EXPECT_EQ(unite(set, complement(set)), (CodePointSet{{0, kLastCodePoint}}));
  EXPECT_TRUE(contains(set, 'z'));
  EXPECT_FALSE(contains(set, 'g'));
}

TEST(UnicodeClasses, WhatHasChangedWasMostlyUnassigned) {
  const CodePointSet changed(changed_since_unicode_14().begin(), changed_since_unicode_14().end());
  EXPECT_EQ(make_code_point_set(changed), changed);
  EXPECT_TRUE(contains(changed, 0x1CCF0));
  EXPECT_FALSE(contains(changed, 'a'));
  EXPECT_FALSE(contains(changed, 0x4E2D));
}

}  // namespace
}  // namespace caravel

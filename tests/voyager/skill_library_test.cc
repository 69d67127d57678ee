#include "voyager/skill_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "fields/json.h"
#include "format/temp_folder.h"

namespace caravel::voyager {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SkillRow skill(std::string name, int version, std::vector<float> embedding) {
  return {.name = name,
          .version = version,
          .code = fmt::format("{} {}", name, version),
          .description = "d" + name,
          .embedding = std::move(embedding)};
}

std::vector<std::string> names(const std::vector<const SkillRow*>& skills) {
  std::vector<std::string> names;
  for (const SkillRow* one : skills) names.push_back(fmt::format("{}{}", one->name, one->version));
  return names;
}

TEST(SkillLibrary, TheNearestByAngleComeFirstAndTheOlderOfEqualOnes) {
  SkillLibrary library;
  library.add(skill("a", 1, {1, 0}));
  library.add(skill("b", 1, {10, 10}));
  library.add(skill("c", 1, {2, 0}));
  library.add(skill("d", 1, {0, 1}));
  EXPECT_THAT(names(library.nearest({3, 0}, 3)), ElementsAre("a1", "c1", "b1"));
  EXPECT_THAT(names(library.nearest({3, 0}, 0)), ElementsAre());
  EXPECT_THAT(names(library.nearest({1, 2, 3}, 9)), ElementsAre("a1", "b1", "c1", "d1")) << "of another embedder";
  EXPECT_THAT(names(library.nearest({0, 0}, 1)), ElementsAre("a1"));
}

TEST(SkillLibrary, ALaterVersionIsTheOneThatIsUsed) {
  SkillLibrary library;
  EXPECT_EQ(library.next_version("a"), 1);
  library.add(skill("b", 1, {1, 0}));
  library.add(skill("a", 1, {1, 0}));
  library.add(skill("a", 2, {0, 1}));
  EXPECT_EQ(library.next_version("a"), 3);
  EXPECT_EQ(library.find("a")->version, 2);
  EXPECT_EQ(library.find("x"), nullptr);
  EXPECT_THAT(names(library.nearest({0, 1}, 2)), ElementsAre("a2", "b1"));
  const auto code = library.code();
  ASSERT_EQ(code.size(), 2U);
  EXPECT_EQ(code[0].code, "a 2");
}

TEST(SkillLibrary, AFolderOfSkillsIsVoyagers) {
  const format::TempFolder folder;
  const std::string path = (folder.path() / "skills").string();
  const std::vector<SkillRow> skills = {skill("a", 1, {}), skill("b", 1, {}), skill("a", 2, {}), skill("aV2", 1, {})};
  for (int round = 0; round < 2; ++round) export_skills(skills, path, ".lua");
  EXPECT_EQ(read_file(path + "/code/a.lua"), "a 1");
  EXPECT_EQ(read_file(path + "/code/aV2.lua"), "a 2");
  EXPECT_EQ(read_file(path + "/code/aV2V2.lua"), "aV2 1") << "the name was taken";
  EXPECT_EQ(read_file(path + "/description/b.txt"), "db\n");
  const Json index = parse_json(read_file(path + "/skills.json"));
  EXPECT_EQ(index.at("a").at("code"), "a 2");
  const std::vector<SkillRow> imported = import_skills(path);
  ASSERT_EQ(imported.size(), 3U);
  EXPECT_EQ(imported[0].code, "a 2");
  EXPECT_EQ(imported[1].name, "aV2");
  EXPECT_EQ(imported[2].description, "db");
}

TEST(SkillLibrary, AnExportThatWasKilledIsPutRightByTheNext) {
  const format::TempFolder folder;
  const std::string path = folder.path().string();
  folder.write("code/a.lua", "a");
  folder.write("description/x.tmp", "");
  export_skills({skill("a", 1, {})}, path, ".lua");
  EXPECT_EQ(read_file(path + "/code/a.lua"), "a 1");
  folder.write("skills.json", "{\"a\": ");
  export_skills({skill("a", 1, {})}, path, ".lua");
  EXPECT_EQ(import_skills(path).size(), 1U);
}

TEST(SkillLibrary, WhatStandsInAFolderIsNotWrittenOver) {
  const format::TempFolder folder;
  folder.write("mixed/code/a.lua", "a");
  folder.write("mixed/mine.txt", "b");
  EXPECT_THROW(export_skills({}, (folder.path() / "mixed").string(), ".lua"), InvalidArgument);
  folder.write("other/notes.txt", "mine");
  EXPECT_THROW(export_skills({}, (folder.path() / "other").string(), ".lua"), InvalidArgument);
  EXPECT_THROW(export_skills({}, (folder.path() / "other/notes.txt").string(), ".lua"), InvalidArgument);
}

std::string refusal(const std::string& index) {
  const format::TempFolder folder;
  folder.write("skills.json", index);
  try {
    import_skills(folder.path().string());
  } catch (const FormatError& error) {
    return error.what();
  }
  return "none";
}

TEST(SkillLibrary, AHostileFolderIsRefused) {
  EXPECT_THAT(refusal("{"), HasSubstr("skills.json"));
  EXPECT_THAT(refusal("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(R"({"a": {"code": "x"}})"), HasSubstr("'a' has no text as its \"description\""));
  EXPECT_THAT(refusal(R"({"a": "x"})"), HasSubstr("\"code\""));
  EXPECT_THAT(refusal(R"({"../../a": {"code": "x", "description": "y"}})"), HasSubstr("cannot be the name"));
  EXPECT_THROW(import_skills("/nowhere/at/all"), NotFound);
}

}  // namespace
}  // namespace caravel::voyager

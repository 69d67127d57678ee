#include "voyager/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "format/temp_folder.h"

namespace caravel::voyager {
namespace {

using testing::HasSubstr;
using testing::Not;

const Fillings kDescribe = {{"language", "Lua"}, {"main", "mineLog"}, {"task", "{code}"}, {"code", "local t = {task}"}};

std::string refusal(const std::string& name, const std::string& content) {
  const format::TempFolder folder;
  folder.write(name, content);
  try {
    const Prompts prompts(folder.path().string());
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(Prompts, NamesAreFilledOnceAndOtherBracesStay) {
  const format::TempFolder folder;
  folder.write("describe.yaml",
               "instruction: 'JSON like {\"a\": {}} and { x } and {{code}} and {main}'\n"
               "primary_content: '{task}'\ncue: '{code}'");
  const auto messages = Prompts(folder.path().string()).render(Role::kDescribe, kDescribe);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].role, "system");
  EXPECT_EQ(messages[0].content, "JSON like {\"a\": {}} and { x } and {code} and mineLog");
  EXPECT_EQ(messages[1].content, "{code}\n\nlocal t = {task}");
}

TEST(Prompts, OnesOwnAreWrittenAndReadAsTheyAre) {
  const format::TempFolder folder;
  const std::string path = (folder.path() / "prompts").string();
  Prompts::write_files(path);
  EXPECT_EQ(to_text(Prompts(path).to_json()), to_text(Prompts().to_json()));
  EXPECT_EQ(Prompts().to_json().size(), size_t{kRoles});
  EXPECT_THROW(Prompts::write_files(path), InvalidArgument);
}

TEST(Prompts, ARecordsPromptsAreThoseOfTheRun) {
  Json json = Prompts().to_json();
  json["describe"] = "primary_content: 'only {code}'";
  const auto messages = Prompts::from(json).render(Role::kDescribe, kDescribe);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].content, "only local t = {task}");
  json["other"] = "primary_content: x";
  EXPECT_THROW(Prompts::from(json), FormatError);
}

TEST(Prompts, WhatCannotBeUsedIsNamedWithItsLine) {
  EXPECT_THAT(refusal("critic.yaml", "instruction: judge\nprimary_content: |-\n  {task}\n  {inventory}\n"),
              HasSubstr("critic.yaml, line 4: {inventory} stands for nothing"));
  EXPECT_THAT(refusal("critic.yaml", "instruction: judge"), HasSubstr("primary_content"));
  EXPECT_THAT(refusal("kritik.yaml", "primary_content: x"), HasSubstr("is no role's prompt"));
  EXPECT_THAT(refusal("critic.txt", "primary_content: x"), HasSubstr("is no role's prompt"));
  EXPECT_THROW(Prompts("/nowhere/at/all"), NotFound);
}

TEST(Prompts, EmptyFillingsLeaveNoLinesAtTheEnd) {
  Fillings fillings;
  for (const char* name : {"task", "context", "before", "after", "changes", "wrong"}) fillings[name] = "";
  for (const Message& message : Prompts().render(Role::kCritic, fillings))
    EXPECT_THAT(message.content, Not(HasSubstr("\n\n\n")));
}

}  // namespace
}  // namespace caravel::voyager

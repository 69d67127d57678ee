#include "fields/fields.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <string>

#include "base/log.h"

namespace caravel {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string refusal(const Fields& fields) {
  try {
    fields.refuse_unknown();
  } catch (const FieldError& error) {
    return error.path + " " + error.code + " " + error.what();
  }
  return "";
}

TEST(RefuseUnknown, NullIsAbsentWhateverTheName) {
  const Json object = Json::parse(R"({"x": null, "functions": null, "thinking.display": null})");
  EXPECT_EQ(refusal(Fields(object, "messages.0")), "");
  EXPECT_EQ(refusal(Fields(object, Surface::kChat)), "");
  EXPECT_EQ(refusal(Fields(object, Surface::kDetokenize)), "");
  const Json other = Json::parse(R"({"x": false})");
  EXPECT_THAT(refusal(Fields(other, "messages.0")), HasSubstr("messages.0.x unknown_parameter"));
}

TEST(RefuseUnknown, InnerObjectsGoByTheTableToo) {
  const Json body = Json::object();
  const Fields fields(body, Surface::kResponses);
  const auto inner = [&](const char* text) {
    const Json value = Json::parse(text);
    Fields reasoning = fields.inner(value, "reasoning");
    reasoning.string("effort");
    return refusal(reasoning);
  };
  EXPECT_EQ(inner(R"({"effort": "low", "summary": "auto", "mode": "standard", "x": null})"), "");
  EXPECT_THAT(inner(R"({"mode": "pro"})"), HasSubstr("reasoning.mode unsupported_parameter"));
  EXPECT_THAT(inner(R"({"efort": "low"})"), HasSubstr("reasoning.efort unknown_parameter"));
  // A row of an inner object says nothing of a field that is called so.
  const Json spelt = Json::parse(R"({"reasoning.summary": "auto"})");
  EXPECT_THAT(refusal(Fields(spelt, Surface::kResponses)), HasSubstr("unknown_parameter"));
}

/// What is logged while it lives, from debug on.
class LogLines {
 public:
  LogLines() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_));
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogLines() { spdlog::set_default_logger(before_); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  std::string take() {
    std::string text = lines_.str();
    lines_.str("");
    return text;
  }

 private:
  std::ostringstream lines_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST(IgnoreUnknown, SaysEachNameOnce) {
  LogLines lines;
  const Json object = Json::parse(R"({"role": "user", "mood_of_a_test": 1, "nothing": null})");
  const auto ignore = [&](const std::string& path) {
    Fields fields(object, path);
    fields.find("role");
    fields.ignore_unknown();
  };
  ignore("messages.0");
  const std::string first = lines.take();
  EXPECT_THAT(first, HasSubstr("\"messages.0.mood_of_a_test\""));
  EXPECT_THAT(first, Not(HasSubstr("role")));
  EXPECT_THAT(first, Not(HasSubstr("nothing")));
  ignore("messages.1");
  EXPECT_EQ(lines.take(), "");

  const Json body = Json::parse(R"({"service_tier": "auto"})");
  Fields(body, Surface::kChat).refuse_unknown();
  EXPECT_THAT(lines.take(), HasSubstr("\"service_tier\""));
}

TEST(Fields, IntegersAreInTheTablesRange) {
  const Json body = Json::parse(R"({"top_logprobs": 128, "priority": -5})");
  EXPECT_EQ(Fields(body, Surface::kRows).integer("top_logprobs"), 128);
  EXPECT_EQ(Fields(body, Surface::kRows).integer("priority"), -5);
  EXPECT_THROW(Fields(body, Surface::kChat).integer("top_logprobs"), FieldError);
}

}  // namespace
}  // namespace caravel

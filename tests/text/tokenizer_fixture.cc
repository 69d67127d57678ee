#include "text/tokenizer_fixture.h"

#include "base/file.h"
#include "fixtures.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(read_file(tests::fixtures() + "/tokenizers/" + name));
}

}  // namespace

TokenizerFixture load_tokenizer_fixture(const std::string& name) {
  TokenizerFixture fixture{.data = {}, .json = read_json(name)};
  TokenizerData& data = fixture.data;
  const nlohmann::json& json = fixture.json;
  data.kind = json["kind"] == "byte_level" ? TokenizerKind::kByteLevelBpe : TokenizerKind::kSentencePieceBpe;
  for (const auto& text : json["tokens"]) data.tokens.push_back({.text = text.get<std::string>()});
  const auto set_type = [&](const char* key, TokenType type) {
    for (const size_t id : json.value(key, std::vector<size_t>())) data.tokens[id].type = type;
  };
  set_type("control", TokenType::kControl);
  set_type("byte", TokenType::kByte);
  set_type("unknown", TokenType::kUnknown);
  if (const auto unknown = json.value("unknown", std::vector<int32_t>()); !unknown.empty())
    data.unknown_id = unknown[0];
  for (const auto& merge : json.value("merges", nlohmann::json::array())) {
    data.merges.emplace_back(data.tokens[merge[0].get<size_t>()].text, data.tokens[merge[1].get<size_t>()].text);
  }
  data.merges_by_score = json.contains("scores");
  for (size_t i = 0; data.merges_by_score && i < data.tokens.size(); ++i) data.tokens[i].score = json["scores"][i];
  data.byte_fallback = json.contains("byte");
  if (data.kind == TokenizerKind::kSentencePieceBpe) data.normalizer = sentencepiece_normalizer(false);
  for (const auto& added : json.value("added", nlohmann::json::array())) {
    data.tokens.push_back({.text = added["text"].get<std::string>(),
                           .type = TokenType::kUserDefined,
                           .lstrip = added["lstrip"].get<bool>(),
                           .rstrip = added["rstrip"].get<bool>(),
                           .single_word = added["single_word"].get<bool>(),
                           .normalized = added["normalized"].get<bool>()});
  }
  return fixture;
}

const std::vector<std::string>& fixture_texts() {
  static const std::vector<std::string> texts = [] {
    const nlohmann::json json = read_json("texts.json");
    auto all = json["prose"].get<std::vector<std::string>>();
    for (const auto& text : json["cases"]) all.push_back(text.get<std::string>());
    return all;
  }();
  return texts;
}

}  // namespace caravel::text

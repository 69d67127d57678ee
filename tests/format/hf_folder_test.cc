#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "caravel/request.h"
#include "expect_error.h"
#include "format/weight_source.h"
#include "temp_folder.h"

namespace caravel::format {
namespace {

using nlohmann::json;
using testing::ElementsAre;

std::string safetensors(const std::string& header, size_t data_bytes) {
  const uint64_t length = (header.size() + 7) / 8 * 8;
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header + std::string(length - header.size(), ' ');
  for (size_t i = 0; i < data_bytes; ++i) bytes += static_cast<char>(i);
  return bytes;
}

class HfFolder : public testing::Test {
 protected:
  HfFolder() {
    folder_.write("config.json", R"({"model_type": "llama", "eos_token_id": 2, "bos_token_id": 0})");
    folder_.write("model.safetensors", safetensors(kOneTensor, 8));
  }
  std::unique_ptr<WeightSource> open() { return open_weights(folder_.path().string()); }

  template <typename E>
  void expect_refused(const std::string& header, size_t data_bytes, const std::string& message) {
    folder_.write("model.safetensors", safetensors(header, data_bytes));
    expect_error<E>(message, [&] { open(); });
  }

  static constexpr const char* kOneTensor = R"({"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  static constexpr const char* kTokenizer =
      R"({"model":{"type":"BPE","vocab":{"<s>":0,"a":1,"</s>":2,"ab":3,"b":4},"merges":["a b"]},)"
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}})";
  TempFolder folder_;
};

TEST_F(HfFolder, ReadsTheThreeTypesAndWhereTheyLie) {
  folder_.write(
      "model.safetensors",
      safetensors(R"({"__metadata__":{"format":"pt"},"c":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},)"
                  R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                  R"("b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}})",
                  16));
  const auto source = open();
  EXPECT_EQ(source->convention(), Convention::kHuggingFace);
  ASSERT_EQ(source->weights().size(), 3U);
  EXPECT_EQ(source->find("a")->dtype, DType::kF32);
  EXPECT_EQ(source->find("a")->shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(source->find("b")->dtype, DType::kF16);
  EXPECT_EQ(source->map(*source->find("b")).bytes()[0], std::byte{8});
  EXPECT_EQ(source->find("c")->dtype, DType::kBF16);
  EXPECT_EQ(source->map(*source->find("c")).bytes()[3], std::byte{15});
  EXPECT_EQ(source->config()["model_type"], "llama");
  EXPECT_TRUE(source->tokenizer().tokens.empty()) << "no tokenizer.json: still opens";
}

TEST_F(HfFolder, RefusesATypeByNameWithTheTensor) {
  expect_refused<Unsupported>(
      R"({"model.q":{"dtype":"F8_E5M2","shape":[4],"data_offsets":[0,4]}})", 4,
      "tensor model.q has type F8_E5M2, which Caravel does not read here; it reads F32, F16, BF16, F8_E4M3");
}

TEST_F(HfFolder, ReadsBlocksAndScalesOfMxfp4WhereverTheyLie) {
  std::filesystem::remove(folder_.path() / "model.safetensors");
  // A tensor of bytes lies anywhere.
  folder_.write("one.safetensors",
                safetensors(R"({"embeddings.position_ids":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                            R"("m.down_proj_scales":{"dtype":"U8","shape":[2,1],"data_offsets":[1,3]}})",
                            3));
  folder_.write("two.safetensors",
                safetensors(R"({"m.down_proj_blocks":{"dtype":"U8","shape":[2,1,16],"data_offsets":[0,32]}})", 32));
  folder_.write("model.safetensors.index.json", R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  const auto source = open();
  ASSERT_EQ(source->weights().size(), 1U);
  const WeightInfo& weight = source->weights()[0];
  EXPECT_EQ(weight.name, "m.down_proj");
  EXPECT_EQ(weight.shape, (std::vector<int64_t>{2, 32}));
  EXPECT_EQ(source->map(weight).bytes()[31], std::byte{31});
  EXPECT_EQ(source->map(*weight.scale).bytes()[1], std::byte{2});
  expect_refused<FormatError>(R"({"w_blocks":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}})", 2,
                              "3 bytes by its shape and 2");
  expect_refused<FormatError>(R"({"w_blocks":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 2, "impossible shape");
}

TEST_F(HfFolder, RefusesHostileHeaders) {
  expect_refused<FormatError>(kOneTensor, 7, "the file is truncated or corrupt");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
                              "12 bytes by its shape and 8");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "lies at 8 to 0");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}})", 8,
                              "impossible shape");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8,
                              "is not a dtype, a shape");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", 8, "impossible shape [0]");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})", 8,
                              "multiple of its elements");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[1]}})", 8,
                              "is not a dtype, a shape and two data_offsets");
  expect_refused<FormatError>(R"({"w":3})", 8, "is not a dtype, a shape and two data_offsets");
  expect_refused<FormatError>(R"([])", 8, "not a JSON object");
  expect_refused<FormatError>(R"({"w":)", 8, "not valid JSON");
  expect_refused<FormatError>(std::string(300, '['), 8, "nested more than 200 deep");
  folder_.write("model.safetensors", std::string(8, '\xFF') + "{}");
  expect_error<FormatError>("not a safetensors file", [&] { open(); });
  folder_.write("model.safetensors", std::string("\x40\0\0\0\0\0\0\0{}", 10));
  expect_error<FormatError>("the header at byte 8 takes 64 bytes, but only 2 are left", [&] { open(); });
}

// As safetensors' own library does.
TEST_F(HfFolder, TensorsLieOneAfterTheOtherAndAreThereOnce) {
  const auto two = [](const char* first, const char* second, const char* name = "v") {
    const auto entry = [](const std::string& of, const std::string& offsets) {
      return "\"" + of + R"(":{"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}";
    };
    return "{" + entry("w", first) + "," + entry(name, second) + "}";
  };
  folder_.write("model.safetensors", safetensors(two("[8,16]", "[0,8]"), 16));
  EXPECT_EQ(open()->weights().size(), 2U) << "in any order";
  expect_refused<FormatError>(two("[0,8]", "[0,8]"), 8, "the bytes of tensors v and w overlap");
  expect_refused<FormatError>(two("[0,8]", "[4,12]"), 12, "the bytes of tensors w and v overlap");
  expect_refused<FormatError>(two("[0,8]", "[12,20]"), 20, "4 bytes before tensor v belong to none");
  expect_refused<FormatError>(two("[4,12]", "[12,20]"), 20, "4 bytes before tensor w belong to none");
  expect_refused<FormatError>(two("[0,8]", "[8,16]"), 20, "4 bytes behind the last tensor belong to none");
  expect_refused<FormatError>(two("[0,8]", "[8,16]", "w"), 16, "the header has w twice");
  expect_refused<FormatError>(R"({"w":{"dtype":"F32","shape":[2],"shape":[1,2],"data_offsets":[0,8]}})", 8,
                              "the header has shape twice");
}

TEST_F(HfFolder, ReadsTheShardsOfAnIndex) {
  std::filesystem::remove(folder_.path() / "model.safetensors");
  folder_.write("one.safetensors", safetensors(kOneTensor, 8));
  folder_.write("two.safetensors", safetensors(R"({"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4));
  folder_.write("model.safetensors.index.json", R"({"weight_map":{"w":"one.safetensors","v":"two.safetensors"}})");
  const auto source = open();
  EXPECT_EQ(source->weights().size(), 2U);
  EXPECT_THAT(source->find("v")->file, testing::EndsWith("two.safetensors"));

  // An index may promise what no file has: a rotary table, a head that is tied.
  folder_.write("model.safetensors.index.json",
                R"({"weight_map":{"v":"one.safetensors","x":"two.safetensors","w":"one.safetensors"}})");
  EXPECT_EQ(open()->weights().size(), 2U);
  EXPECT_EQ(open()->find("x"), nullptr);
  folder_.write("model.safetensors.index.json", R"({"weight_map":{"v":"../one.safetensors"}})");
  expect_error<FormatError>("not a file of this folder", [&] { open(); });
  folder_.write("model.safetensors.index.json", R"({"weight_map":{"w":"one.safetensors","v":"gone.safetensors"}})");
  expect_error<NotFound>("gone.safetensors: no such file; 1 of the 2 files that model.safetensors.index.json names",
                         [&] { open(); });
}

TEST_F(HfFolder, TensorsHaveOneNameWhateverSavedThem) {
  const std::pair<const char*, const char*> names[] = {
      {"embed_tokens.weight", "model.embed_tokens.weight"},
      {"layers.3.mlp.up_proj.weight", "model.layers.3.mlp.up_proj.weight"},
      {"norm.weight", "model.norm.weight"},
      {"model.norm.weight", "model.norm.weight"},
      {"language_model.model.layers.0.x", "model.layers.0.x"},
      {"model.language_model.layers.0.x", "model.layers.0.x"},
      {"language_model.layers.0.x", "model.layers.0.x"},
      {"language_model.lm_head.weight", "lm_head.weight"},
      {"h.0.attn.c_attn.weight", "transformer.h.0.attn.c_attn.weight"},
      {"ln_f.bias", "transformer.ln_f.bias"},
      {"decoder.layers.0.fc1.weight", "model.decoder.layers.0.fc1.weight"},
      {"model.decoder.layers.0.fc1.weight", "model.decoder.layers.0.fc1.weight"},
      {"lm_head.weight", "lm_head.weight"},
      {"score.weight", "score.weight"},
  };
  for (const auto& [saved, name] : names) {
    const std::string header =
        std::string(R"({")") + saved + R"(":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
    folder_.write("model.safetensors", safetensors(header, 8));
    EXPECT_NE(open()->find(name), nullptr) << saved;
  }
}

/// As Python's json has it, and so transformers.
TEST_F(HfFolder, OfAKeyThatAConfigurationHasTwiceTheLastCounts) {
  folder_.write("config.json",
                R"({"hidden_size":1,"rope_scaling":{"type":"linear"},"hidden_size":2,"rope_scaling":{"factor":3}})");
  const auto source = open();
  EXPECT_EQ(source->config()["hidden_size"], 2);
  EXPECT_EQ(source->config()["rope_scaling"], (json{{"factor", 3}})) << "as a whole";
}

TEST_F(HfFolder, OfAMultimodalModelTheTextPartIsRead) {
  folder_.write("config.json",
                R"({"architectures":["Gemma3ForConditionalGeneration"],"eos_token_id":[1,106],)"
                R"("text_config":{"hidden_size":64,"eos_token_id":1},"vision_config":{"hidden_size":8}})");
  folder_.write("model.safetensors",
                safetensors(R"({"language_model.model.norm.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                            R"("vision_tower.a.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                            R"("model.multi_modal_projector.b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
                            12));
  const auto source = open();
  EXPECT_EQ(source->config()["hidden_size"], 64);
  EXPECT_EQ(source->config()["architectures"][0], "Gemma3ForConditionalGeneration");
  EXPECT_THAT(source->generation_defaults().end_of_generation_ids, ElementsAre(1, 106));
  ASSERT_EQ(source->weights().size(), 1U);
  EXPECT_EQ(source->weights()[0].name, "model.norm.weight");
  folder_.write("config.json", R"({"text_config":3})");
  expect_error<FormatError>("text_config is not an object", [&] { open(); });
}

TEST_F(HfFolder, AModelWithoutItsTokenizerIsRefusedByName) {
  const auto open_it = [&] { open_model(folder_.path().string()); };
  expect_error<NotFound>("no tokenizer.json in this folder, nor any other", open_it);
  folder_.write("vocab.json", "{}");
  folder_.write("merges.txt", "");
  expect_error<NotFound>(
      "no tokenizer.json in this folder, which is the file that Caravel reads; there is vocab.json, "
      "merges.txt (",
      open_it);
  folder_.write("tokenizer.json",
                R"({"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"ByteLevel",)"
                R"("add_prefix_space":false}})");
  expect_error<NotFound>("tokenizer.json: its vocabulary is empty", open_it);
  folder_.write("tokenizer.json", kTokenizer);
  EXPECT_NO_THROW(open_it());
}

TEST_F(HfFolder, PointersOfGitLfsAreToldFromFiles) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 17\n";
  folder_.write("tokenizer.json", pointer);
  expect_error<FormatError>("tokenizer.json: this is Git LFS's pointer", [&] { open(); });
  folder_.write("model.safetensors", pointer);
  expect_error<FormatError>("model.safetensors: this is Git LFS's pointer", [&] { open(); });
}

TEST_F(HfFolder, SaysWhatAFolderLacks) {
  std::filesystem::remove(folder_.path() / "model.safetensors");
  expect_error<NotFound>("no model.safetensors and no model.safetensors.index.json", [&] { open(); });
  folder_.write("pytorch_model.bin", "x");
  expect_error<NotFound>("pytorch_model.bin must be saved as safetensors", [&] { open(); });
  std::filesystem::remove(folder_.path() / "pytorch_model.bin");
  folder_.write("consolidated.safetensors", "x");
  expect_error<NotFound>("there is consolidated.safetensors, which Caravel does not read", [&] { open(); });
  std::filesystem::remove(folder_.path() / "config.json");
  expect_error<NotFound>("no config.json", [&] { open(); });
}

TEST_F(HfFolder, ReadsGenerationDefaults) {
  folder_.write("tokenizer.json", kTokenizer);
  folder_.write(
      "generation_config.json",
      R"({"eos_token_id":[4,2],"temperature":0.5,"top_k":40,"top_p":0.75,"min_p":null,"repetition_penalty":1.25})");
  const auto source = open();
  const GenerationDefaults& defaults = source->generation_defaults();
  EXPECT_THAT(defaults.end_of_generation_ids, ElementsAre(4, 2));
  EXPECT_EQ(defaults.temperature, 0.5F);
  EXPECT_EQ(defaults.top_k, 40);
  EXPECT_EQ(defaults.top_p, 0.75F);
  EXPECT_EQ(defaults.min_p, std::nullopt);
  EXPECT_EQ(defaults.repetition_penalty, 1.25F);

  folder_.write("generation_config.json", R"({"do_sample":false,"temperature":0.9})");
  EXPECT_EQ(open()->generation_defaults().temperature, 0.0F) << "do_sample false is greedy";
  EXPECT_THAT(open()->generation_defaults().end_of_generation_ids, ElementsAre(2)) << "of config.json";
  folder_.write("generation_config.json", R"({"do_sample":"no","temperature":0.9})");
  expect_error<FormatError>("do_sample is \"no\"; it must be true or false", [&] { open(); });
  folder_.write("generation_config.json", R"({"temperature":"warm"})");
  expect_error<FormatError>("temperature is not a number", [&] { open(); });
  folder_.write("generation_config.json", R"({"eos_token_id":[1,-3]})");
  expect_error<FormatError>("eos_token_id is not a token id", [&] { open(); });
}

TEST_F(HfFolder, SpecialTokensComeFromTheTokenizersConfigElseFromTheModels) {
  folder_.write("tokenizer.json", kTokenizer);
  EXPECT_EQ(open()->tokenizer().bos_id, 0);
  EXPECT_EQ(open()->tokenizer().eos_id, 2);
  folder_.write("tokenizer_config.json",
                R"({"bos_token":{"content":"a"},"eos_token":"b","pad_token":null,"add_bos_token":true})");
  const auto source = open();
  EXPECT_EQ(source->tokenizer().bos_id, 1);
  EXPECT_EQ(source->tokenizer().eos_id, 4);
  EXPECT_EQ(source->tokenizer().pad_id, std::nullopt);
  EXPECT_THAT(source->tokenizer().prefix_ids, ElementsAre()) << "the post-processor alone decides what is added";
  EXPECT_THAT(source->generation_defaults().end_of_generation_ids, ElementsAre(2, 4));
}

TEST_F(HfFolder, FindsTheChatTemplateWhereverItIs) {
  folder_.write("tokenizer.json", kTokenizer);
  EXPECT_EQ(open()->tokenizer().chat_template, "");
  folder_.write("tokenizer_config.json", R"({"chat_template":"one"})");
  EXPECT_EQ(open()->tokenizer().chat_template, "one");
  folder_.write("tokenizer_config.json",
                R"({"chat_template":[{"name":"tool_use","template":"tools"},{"name":"default","template":"two"}]})");
  EXPECT_EQ(open()->tokenizer().chat_template, "two");
  EXPECT_THAT(open()->tokenizer().named_templates, ElementsAre(std::pair("tool_use", "tools")));
  folder_.write("tokenizer_config.json",
                R"({"chat_template":{"tool_use":"tools","rag":"documents","default":"four"}})");
  EXPECT_EQ(open()->tokenizer().chat_template, "four");
  EXPECT_THAT(open()->tokenizer().named_templates,
              ElementsAre(std::pair("rag", "documents"), std::pair("tool_use", "tools")));
  // Files come before what the configuration says, as in transformers.
  folder_.write("chat_template.jinja", "three");
  EXPECT_EQ(open()->tokenizer().chat_template, "three");
  EXPECT_TRUE(open()->tokenizer().named_templates.empty());
  folder_.write("additional_chat_templates/tool_use.jinja", "five");
  folder_.write("additional_chat_templates/notes.txt", "no template");
  EXPECT_EQ(open()->tokenizer().chat_template, "three");
  EXPECT_THAT(open()->tokenizer().named_templates, ElementsAre(std::pair("tool_use", "five")));
}

TEST_F(HfFolder, AProcessorsChatTemplateIsTheLastToCount) {
  folder_.write("tokenizer.json", kTokenizer);
  folder_.write("chat_template.json", R"({"chat_template":"processor"})");
  EXPECT_EQ(open()->tokenizer().chat_template, "processor");
  folder_.write("tokenizer_config.json", R"({"chat_template":"one"})");
  EXPECT_EQ(open()->tokenizer().chat_template, "one");
}

}  // namespace
}  // namespace caravel::format

#include "cli/hints.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace caravel::cli {
namespace {

constexpr std::string_view kOneDevice =
    "several devices are not there yet; --device says which one, --threads how many processors to use";
constexpr std::string_view kFileType = "weights keep the type of their file, such as a GGUF file of Q4_K_M";
constexpr std::string_view kFromHub =
    "fetch it with 'hf download org/name' (pip install huggingface_hub), and give org/name, or org/name:Q4_K_M, as the "
    "MODEL";
constexpr std::string_view kLogSteps = " debug";
constexpr std::string_view kSampler = "there is no such sampler; --top-k, --top-p, --min-p, --typical-p and XTC are";
constexpr std::string_view kDrafts = "drafts are not there yet";
constexpr std::string_view kAdapters = "adapters are not there yet";
constexpr std::string_view kAlways = "it is so always; leave it out";
constexpr std::string_view kEscapes = "texts are taken as they are; a shell writes a line break as $'a\\nb'";
constexpr std::string_view kPages = "weights are read from the file's pages; leave it out";

// A row is a line; one line for each of its members would hide the table.
// clang-format off
constexpr Hint kFlags[] = {
    // vLLM's
    {"kv-cache-memory-bytes", "--kv-cache-memory", ""},
    {"cpu-offload-gb", "", "weights are read from the file's pages; --swap-space is the room for preempted requests"},
    {"tensor-parallel-size", "", kOneDevice},
    {"tp", "", kOneDevice},
    {"pp", "", kOneDevice},
    {"max-seq-len", "--max-model-len", ""},
    {"task", "", "a model does all that it can; caravel embed makes embeddings, caravel score log-probabilities"},
    {"runner", "", "a model does all that it can; caravel embed makes embeddings, caravel score log-probabilities"},
    {"pipeline-parallel-size", "", kOneDevice},
    {"data-parallel-size", "", kOneDevice},
    {"dtype", "", "weights keep the type of their file; --kv-cache-dtype is the cache's"},
    {"quantization", "", kFileType},
    {"tokenizer", "", "the tokenizer is the model's own"},
    {"revision", "", "MODEL may be a folder of that revision"},
    {"download-dir", "", "nothing is downloaded; scripts/fetch_model fetches the models that it knows"},
    {"trust-remote-code", "", "no code of a model is run; leave it out"},
    {"enforce-eager", "", "there are no graphs to capture; leave it out"},
    {"enable-chunked-prefill", "", "prompts go in chunks always; leave it out"},
    {"enable-auto-tool-choice", "", "tools are offered always; leave it out"},
    {"reasoning-parser", "", "the chat template says how reasoning is told from the answer; leave it out"},
    {"chat-template-content-format", "--chat-template-traits", " content=parts, or content=string"},
    {"guided-decoding-backend", "", "there is one; leave it out"},
    {"structured-outputs-config", "", "there is one way; leave it out"},
    {"limit-mm-per-prompt", "", "models read text alone; leave it out"},
    {"load-format", "", kFileType},
    {"hf-overrides", "--rope-scaling", ": of a model's configuration it alone may be overridden"},
    {"enable-lora", "", kAdapters},
    {"lora-modules", "", kAdapters},
    {"speculative-config", "", kDrafts},
    {"max-logprobs", "", "128 are the most; leave it out"},
    {"disable-log-stats", "", "/metrics has the figures, nothing is logged of them; leave it out"},
    {"uvicorn-log-level", "--log-level", ""},
    {"allow-credentials", "", "keys go in a header, not in cookies; leave it out"},
    // llama.cpp's
    {"hf", "", kFromHub},
    {"hfr", "", kFromHub},
    {"hf-repo", "", kFromHub},
    {"hff", "", kFromHub},
    {"hf-file", "", kFromHub},
    {"mu", "", kFromHub},
    {"model-url", "", kFromHub},
    {"a", "--served-model-name", ""},
    {"alias", "--served-model-name", ""},
    {"n", "--max-tokens", ""},
    {"predict", "--max-tokens", ""},
    {"n-predict", "--max-tokens", " (-n says how many answers)"},
    {"tb", "--threads", ", for prompts too"},
    {"threads-batch", "--threads", ", for prompts too"},
    {"threads-http", "", "they are as many as are needed; leave it out"},
    {"np", "--max-num-seqs", ""},
    {"parallel", "--max-num-seqs", ""},
    {"b", "--max-num-batched-tokens", ""},
    {"ub", "--max-num-batched-tokens", ""},
    {"batch-size", "--max-num-batched-tokens", ""},
    {"ubatch-size", "--max-num-batched-tokens", ""},
    {"cb", "", kAlways},
    {"cont-batching", "", kAlways},
    {"ngl", "--n-gpu-layers", ""},
    {"main-gpu", "--device", " cuda:1 for the second one"},
    {"split-mode", "", kOneDevice},
    {"tensor-split", "", kOneDevice},
    {"fa", "", kAlways},
    {"flash-attn", "", kAlways},
    {"ctk", "--kv-cache-dtype", ", for keys and values"},
    {"ctv", "--kv-cache-dtype", ", for keys and values"},
    {"cache-type-k", "--kv-cache-dtype", ", for keys and values"},
    {"cache-type-v", "--kv-cache-dtype", ", for keys and values"},
    {"mlock", "", kPages},
    {"no-mmap", "", kPages},
    {"numa", "", "threads stay on processors of their own; leave it out"},
    {"temp", "--temperature", ""},
    {"repeat-penalty", "--repetition-penalty", ""},
    {"repeat-last-n", "", "penalties count the whole text; leave it out"},
    {"mirostat", "", kSampler},
    {"dynatemp-range", "", kSampler},
    {"dry-multiplier", "", kSampler},
    {"top-nsigma", "", kSampler},
    {"typical", "--typical-p", ""},
    {"samplers", "", "samplers stand in one order; leave it out"},
    {"f", "--prompt-file", ""},
    {"file", "--prompt-file", ""},
    {"sys", "--system", ""},
    {"system-prompt", "--system", ""},
    {"cnv", "", "caravel chat talks; caravel generate --chat answers once"},
    {"conversation", "", "caravel chat talks; caravel generate --chat answers once"},
    {"no-cnv", "", "caravel generate continues a text, unless --chat is given; leave it out"},
    {"no-conversation", "", "caravel generate continues a text, unless --chat is given; leave it out"},
    {"i", "", "caravel chat talks; of caravel generate it is the file of requests"},
    {"interactive", "", "caravel chat talks"},
    {"interactive-first", "", "caravel chat talks"},
    {"color", "", "there is none but of notes, which NO_COLOR switches off; leave it out"},
    {"co", "", "there is none but of notes, which NO_COLOR switches off; leave it out"},
    {"e", "", kEscapes},
    {"escape", "", kEscapes},
    {"no-escape", "", kEscapes},
    {"verbose-prompt", "", "caravel tokenize shows a text's tokens, --log-level debug what is done"},
    {"lv", "--log-level", kLogSteps},
    {"log-verbosity", "--log-level", kLogSteps},
    {"no-webui", "", "the page at / takes nothing while nobody opens it; leave it out"},
    {"j", "--json-schema", ""},
    {"grammar-file", "--grammar", ""},
    {"jinja", "", "chat templates are read as Jinja always; leave it out"},
    {"chat-template-file", "--chat-template", ", which takes a file too"},
    {"reasoning-format", "", "the chat template says how reasoning is told from the answer; leave it out"},
    {"rope-freq-base", "--rope-scaling", ", with a rope_theta"},
    {"rope-freq-scale", "--rope-scaling", ""},
    {"embedding", "", "embeddings are served always; leave it out"},
    {"embeddings", "", "embeddings are served always; leave it out"},
    {"metrics", "", "/metrics is served always; leave it out"},
    {"slots", "", "/dashboard shows what runs; leave it out"},
    {"to", "--request-timeout", ""},
    {"timeout", "--request-timeout", ""},
    {"prompt-cache", "", "prefixes of prompts are kept in memory, none in files; leave it out"},
    {"lora", "", kAdapters},
    {"md", "", kDrafts},
    {"model-draft", "", kDrafts},
    {"v", "--log-level", kLogSteps},
    {"verbose", "--log-level", kLogSteps},
    // transformers'
    {"max-new-tokens", "--max-tokens", ""},
    {"max-length", "--max-tokens", ", which does not count the prompt"},
    {"do-sample", "", "answers are drawn unless --temperature is 0; leave it out"},
    {"num-beams", "--beams", ""},
    {"num-return-sequences", "-n", ""},
    {"no-repeat-ngram-size", "--repetition-penalty", ", which looks at single tokens"},
    {"torch-dtype", "", kFileType},
    {"load-in-4bit", "", kFileType},
    {"load-in-8bit", "", kFileType},
    {"attn-implementation", "", "there is one; leave it out"},
    {"device-map", "--device", ""},
    // Ollama's
    {"format", "--json-schema", ", or --json-object"},
    {"keepalive", "", "a server keeps its model; leave it out"},
    {"insecure", "", "nothing is downloaded; leave it out"},
};
// clang-format on

constexpr std::string_view kTalk = "caravel chat MODEL talks, caravel generate --prompt TEXT answers once";
constexpr std::string_view kFetch =
    "'hf download org/name' (pip install huggingface_hub) fetches from the Hugging Face Hub, and org/name is then a "
    "MODEL; scripts/fetch_model smollm2, in the folder of Caravel's sources, fetches the default model";
constexpr std::string_view kFiles =
    "models are files, of which MODEL is one: caravel completion models names those that are there";
constexpr std::string_view kRemove = "models are files: 'hf cache delete', or rm";
constexpr std::string_view kGenerate = "caravel generate --prompt TEXT continues a text";
constexpr std::string_view kRows = "caravel generate --input FILE.jsonl answers a file of requests";
constexpr std::string_view kTraining = "there is no training yet";
constexpr std::string_view kServer = "caravel serve says what it does at /dashboard and /metrics";
constexpr std::string_view kConversion =
    "folders of safetensors and GGUF files are run as they are; llama.cpp's llama-quantize makes smaller ones";

constexpr std::pair<std::string_view, std::string_view> kCommands[] = {
    {"run", kTalk},
    {"cli", kTalk},
    {"main", kTalk},
    {"pull", kFetch},
    {"download", kFetch},
    {"fetch", kFetch},
    {"install", kFetch},
    {"login", kFetch},
    {"list", kFiles},
    {"ls", kFiles},
    {"models", kFiles},
    {"show", "caravel inspect MODEL says what a model is"},
    {"info", "caravel inspect MODEL says what a model is"},
    {"rm", kRemove},
    {"remove", kRemove},
    {"delete", kRemove},
    {"cp", "models are files: cp"},
    {"push", "models are files; 'hf upload' puts them on the Hugging Face Hub"},
    {"create",
     "flags and a chat template make what a Modelfile says; caravel serve --config FILE reads them from a file"},
    {"ps", kServer},
    {"status", kServer},
    {"stop", "ctrl-C or SIGTERM ends caravel serve"},
    {"start", "caravel serve starts a server"},
    {"api", "caravel serve starts a server"},
    {"complete", kGenerate},
    {"completions", kGenerate},
    {"predict", kGenerate},
    {"batch", kRows},
    {"run-batch", kRows},
    {"ppl", "caravel perplexity measures it"},
    {"embedding", "caravel embed makes them"},
    {"embeddings", "caravel embed makes them"},
    {"eval", "caravel score gives log-probabilities, and lm-eval can ask caravel serve (docs/clients.md)"},
    {"train", kTraining},
    {"finetune", kTraining},
    {"fine-tune", kTraining},
    {"convert", kConversion},
    {"quantize", kConversion},
    {"version", "caravel --version"},
};

}  // namespace

const Hint* flag_hint(std::string name) {
  std::ranges::replace(name, '_', '-');
  const auto* const known = std::ranges::find(kFlags, name, &Hint::name);
  return known == std::end(kFlags) ? nullptr : known;
}

std::string_view command_hint(std::string_view name) {
  const auto* const known = std::ranges::find(kCommands, name, &std::pair<std::string_view, std::string_view>::first);
  return known == std::end(kCommands) ? std::string_view() : known->second;
}

}  // namespace caravel::cli

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "caravel/request.h"
#include "caravel/stats.h"

namespace caravel {

class Tokenizer;

/// Instruction sets of the CPU kernels, slowest first.
enum class CpuIsa : uint8_t { kAuto, kPortable, kAvx2, kAvx512Vnni, kAvx512Amx };
/// How keys and values are stored; kInt8 and kFp8 (E4M3; on a GPU alone) take half of kF16's memory.
enum class KvCacheDtype : uint8_t { kF32, kF16, kBf16, kInt8, kFp8 };
enum class Preemption : uint8_t { kAuto, kRecompute, kSwap };
enum class SchedulingPolicy : uint8_t { kFcfs, kPriority };
/// What weights become when they are loaded that the files have as 16 or 32 bits (kQ8_0: as 8-bit floats, too). kFp8:
/// E4M3 with a scale for each output, but for the embedding and the LM head.
enum class Quantization : uint8_t { kNone, kQ8_0, kFp8 };
/// Where weights come from: kAuto: the model's files; kDummy: they are random, from a folder's config.json alone.
enum class LoadFormat : uint8_t { kAuto, kDummy };
/// Whether encoding with special tokens puts the beginning of sequence first; kAuto: as the model's files have it.
enum class AddBos : uint8_t { kAuto, kYes, kNo };

inline constexpr int64_t kOffloadAuto = -1;

/// What an engine is opened with. Zero means: chosen from the model and the machine.
struct EngineConfig {
  std::string model;            // a .gguf file, a Hugging Face folder, or a name in the cache; empty: smollm2
  std::string device = "auto";  // "cpu", "cuda", "cuda:1"; auto: the first GPU where one can be used, else the CPU;
                                // an encoder runs on the CPU; "cuda:80GiB", for describe_model(): one not there
  double gpu_memory_utilization = 0.9;  // of a GPU's free memory, how much may be taken
  int threads = 0;                      // 0: the processors this process may use
  CpuIsa isa = CpuIsa::kAuto;           // kAuto: the fastest that this machine runs
  int max_model_len = 0;        // tokens of a sequence, prompt and answer; 0: the model's, at most 8,192 and what the
                                // KV cache holds
  int64_t kv_cache_memory = 0;  // bytes; 0: by the plan, caravel/memory_plan.h
  KvCacheDtype kv_cache_dtype = KvCacheDtype::kF16;
  Quantization quantization = Quantization::kNone;
  int64_t weight_offload =
      kOffloadAuto;       // bytes of layers' weights, at least, that stay in the host's memory, from where
                          // a GPU takes them in every step; kOffloadAuto: those it has no room for
  int n_gpu_layers = -1;  // layers that a GPU has, the last ones, and the LM head; the CPU computes the others. 0: the
                          // CPU has all; -1: the GPU has all
  LoadFormat load_format = LoadFormat::kAuto;
  std::string dummy_dtype;         // of kDummy's matrices: "BF16", "Q4_K", ...; empty: as config.json says
  int max_num_seqs = 0;            // sequences in one step; 0: 64, on a GPU 256
  int max_num_batched_tokens = 0;  // tokens in one step: the budget that prefill chunks and decode share; 0: 512, on a
                                   // GPU 2,048
  double max_time_between_tokens = 0;  // seconds that running sequences may wait while prompts come in; 0: no bound
  int block_size = 16;                 // tokens; a power of two, 8 to 128
  bool enable_prefix_caching = true;
  SchedulingPolicy policy = SchedulingPolicy::kFcfs;
  double priority_ageing = 10;  // seconds of waiting that outweigh one step of priority, under kPriority; 0: none do
  Preemption preemption = Preemption::kAuto;
  int64_t swap_space = int64_t{256} << 20;  // bytes of host memory for preempted blocks; less where there is little
  Profile profile = Profile::kNone;         // what is timed of the steps: Stats::regions
  uint64_t seed = 0;                        // for requests that bring none; 0: from the system's entropy;
                                            // and of kDummy's weights
  std::string chat_template;  // Jinja, or the name of one of the model's templates, in place of the model's choice;
                              // empty: by what the model has
  std::string chat_template_traits;  // what the template wants, as "content=parts,arguments=text": what probes of it
                                     // would find out (docs/chat-templates.md); empty: as they do
  std::string tool_call_parser;      // how the model writes tool calls, by vLLM's name for it; empty: as the
                                     // template has it
  AddBos add_bos_token = AddBos::kAuto;
  GenerationDefaults generation;  // what requests leave open, where it differs from what the model's files say
  std::string rope_scaling;  // in place of what the model's files say: an object of rotary parameters in JSON, as a
                             // config.json has it ({"rope_type": "yarn", "factor": 4.0, ...}), or "none"; empty: theirs
};

/// The tokenizer that an engine of this configuration has, for those who count tokens: reads no weights. Throws what
/// open_tokenizer(model) throws, and InvalidArgument where a beginning of sequence is wanted that the model has not.
std::unique_ptr<Tokenizer> open_tokenizer(const EngineConfig& config);

}  // namespace caravel

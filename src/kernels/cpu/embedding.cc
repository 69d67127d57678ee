#include "kernels/embedding.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/embedding_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(embedding, EmbeddingCpuArgs)

namespace cpu {

void embedding(Stream& stream, const EmbeddingArgs& args) {
  const PackedWeight& table = *args.table;
  CARAVEL_CHECK_EQ(table.parts().size(), size_t{1});
  check_f32(args.out, 0, table.in());
  enqueue_embedding(stream, {packed_part(table, table.parts()[0]), args.ids, args.first_id, args.scale, args.added,
                             args.added_rows, args.out});
}

}  // namespace cpu
}  // namespace caravel::kernels

#pragma once

// Operands of wgmma in inline assembly: its text names each register of a sum, %0 and so on, and each has to be given.

#define CARAVEL_WGMMA_NAMES_4 "%0, %1, %2, %3"
#define CARAVEL_WGMMA_NAMES_8 CARAVEL_WGMMA_NAMES_4 ", %4, %5, %6, %7"
#define CARAVEL_WGMMA_NAMES_16 CARAVEL_WGMMA_NAMES_8 ", %8, %9, %10, %11, %12, %13, %14, %15"
#define CARAVEL_WGMMA_NAMES_32 \
  CARAVEL_WGMMA_NAMES_16       \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define CARAVEL_WGMMA_NAMES_48 \
  CARAVEL_WGMMA_NAMES_32       \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define CARAVEL_WGMMA_NAMES_64 \
  CARAVEL_WGMMA_NAMES_48       \
  ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define CARAVEL_WGMMA_NAMES_96                                                       \
  CARAVEL_WGMMA_NAMES_64                                                             \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79" \
  ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define CARAVEL_WGMMA_NAMES_128                                                                  \
  CARAVEL_WGMMA_NAMES_96                                                                         \
  ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111" \
  ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

#define CARAVEL_WGMMA_SUMS_4(d, i) "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define CARAVEL_WGMMA_SUMS_8(d, i) CARAVEL_WGMMA_SUMS_4(d, i), CARAVEL_WGMMA_SUMS_4(d, (i) + 4)
#define CARAVEL_WGMMA_SUMS_16(d, i) CARAVEL_WGMMA_SUMS_8(d, i), CARAVEL_WGMMA_SUMS_8(d, (i) + 8)
#define CARAVEL_WGMMA_SUMS_32(d, i) CARAVEL_WGMMA_SUMS_16(d, i), CARAVEL_WGMMA_SUMS_16(d, (i) + 16)
#define CARAVEL_WGMMA_SUMS_48(d, i) CARAVEL_WGMMA_SUMS_32(d, i), CARAVEL_WGMMA_SUMS_16(d, (i) + 32)
#define CARAVEL_WGMMA_SUMS_64(d, i) CARAVEL_WGMMA_SUMS_32(d, i), CARAVEL_WGMMA_SUMS_32(d, (i) + 32)
#define CARAVEL_WGMMA_SUMS_96(d, i) CARAVEL_WGMMA_SUMS_64(d, i), CARAVEL_WGMMA_SUMS_32(d, (i) + 64)
#define CARAVEL_WGMMA_SUMS_128(d, i) CARAVEL_WGMMA_SUMS_64(d, i), CARAVEL_WGMMA_SUMS_64(d, (i) + 64)

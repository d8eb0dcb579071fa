// What a C++ compiler needs to take the kernel for a program of its own: names that CUDA has built in.
#include <math.h>
#include <stddef.h>
#include <string.h>

#define __device__
#define __global__
#define __forceinline__ inline

struct Index {
    unsigned x, y, z;
};
static thread_local Index blockIdx, blockDim, threadIdx;

static inline unsigned __float_as_uint(float number) {
    unsigned bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

#include KERNEL

// As a GPU would: blocks of threads, the last of which reach over the edge.
extern "C" void launch(void **arguments, const unsigned *blocks, const unsigned *threads) {
    const unsigned char *frame = *(const unsigned char **)arguments[0];
    void *tensor = *(void **)arguments[1];
    const Plan *plan = (const Plan *)arguments[2];
    blockDim = Index{threads[0], threads[1], 1};
    for (blockIdx.y = 0; blockIdx.y < blocks[1]; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < blocks[0]; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < threads[1]; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < threads[0]; threadIdx.x++)
                    livetune_prepare(frame, tensor, *plan);
}

extern "C" const size_t layout[] = {
    sizeof(Plane),         offsetof(Plane, stride),     offsetof(Plane, shift_y), sizeof(Plan),
    offsetof(Plan, exact), offsetof(Plan, interleaved), offsetof(Plan, source),   offsetof(Plan, luma_scale),
    offsetof(Plan, scale), offsetof(Plan, shift),
};

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

// As a GPU would, in blocks of 32 by 8 threads, the last of which reach over the edge.
extern "C" void run(const unsigned char *frame, void *tensor, const Plan *plan) {
    blockDim = Index{32, 8, 1};
    for (blockIdx.y = 0; blockIdx.y * 8 < (unsigned)plan->height; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x * 32 < (unsigned)plan->width; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < 8; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < 32; threadIdx.x++)
                    livetune_prepare(frame, tensor, *plan);
}

extern "C" const size_t layout[] = {
    sizeof(Plane),         offsetof(Plane, stride),     offsetof(Plane, shift_y), sizeof(Plan),
    offsetof(Plan, exact), offsetof(Plan, interleaved), offsetof(Plan, source),   offsetof(Plan, luma_scale),
    offsetof(Plan, scale), offsetof(Plan, shift),
};

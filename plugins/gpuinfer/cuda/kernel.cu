// From a frame in the memory of the GPU to what a network takes: one thread for each pixel of the network's input.
//
// The arithmetic is that of the preprocessing on the processor: planes are scaled with weights in whole numbers, 8 bits
// between rows and 14 between columns, rounded once, and colours converted after that. twin.rs is the same, line by
// line, in Rust. Compiled at run time, without contraction of products and sums, and in a test by a C++ compiler.

struct Plane {
    unsigned long long start;
    double left;
    double top;
    double across;
    double down;
    int stride;
    int step;
    int columns;
    int rows;
    int shift_x;
    int shift_y;
};

struct Plan {
    Plane planes[3];
    int colours;
    int exact;
    int width;
    int height;
    int left;
    int top;
    int content_width;
    int content_height;
    int interleaved;
    int number;
    int padding;
    int source[3];
    float luma_scale;
    float luma_start;
    float red_of_v;
    float green_of_u;
    float green_of_v;
    float blue_of_u;
    float scale[3];
    float shift[3];
};

// Of Plan::colours and Plan::number.
enum { RGB = 0, YUV = 1, GRAY = 2 };
enum { F32 = 0, F16 = 1, U8 = 2 };

struct Place {
    int first;
    double weight;
};

static __device__ __forceinline__ Place place(double start, double scale, int at, int pixels) {
    double last = (double)(pixels - 1);
    double exact = start + ((double)at + 0.5) * scale - 0.5;
    exact = fmin(fmax(exact, 0.0), last);
    double first = fmin(floor(exact), fmax(last - 1.0, 0.0));
    return Place{(int)first, exact - first};
}

static __device__ __forceinline__ int mix(const unsigned char *pixels, const Plane &plane, int x, int y) {
    Place row = place(plane.top, plane.down, y, plane.rows);
    Place column = place(plane.left, plane.across, x, plane.columns);
    unsigned lower = (unsigned)round(row.weight * 256.0);
    unsigned right = (unsigned)round(column.weight * 16384.0);
    int next_row = row.first + 1 < plane.rows ? row.first + 1 : row.first;
    int next_column = column.first + 1 < plane.columns ? column.first + 1 : column.first;
    const unsigned char *above = pixels + (long long)row.first * plane.stride;
    const unsigned char *below = pixels + (long long)next_row * plane.stride;
    long long here = (long long)column.first * plane.step;
    long long beside = (long long)next_column * plane.step;
    unsigned first = above[here] * (256u - lower) + below[here] * lower;
    unsigned second = above[beside] * (256u - lower) + below[beside] * lower;
    unsigned mixed = first * (16384u - right) + second * right;
    return (int)((mixed + (1u << 21)) >> 22);
}

static __device__ __forceinline__ int pick(const unsigned char *pixels, const Plane &plane, int x, int y) {
    int row = y >> plane.shift_y < plane.rows ? y >> plane.shift_y : plane.rows - 1;
    int column = x >> plane.shift_x < plane.columns ? x >> plane.shift_x : plane.columns - 1;
    return pixels[(long long)row * plane.stride + (long long)column * plane.step];
}

static __device__ __forceinline__ int sample(const unsigned char *frame, const Plane &plane, int exact, int x, int y) {
    const unsigned char *pixels = frame + plane.start;
    return exact ? pick(pixels, plane, x, y) : mix(pixels, plane, x, y);
}

static __device__ __forceinline__ int level(float value) {
    return (int)(fminf(fmaxf(value, 0.0f), 255.0f) + 0.5f);
}

static __device__ __forceinline__ void see(const unsigned char *frame, const Plan &plan, int x, int y, int *rgb) {
    rgb[0] = sample(frame, plan.planes[0], plan.exact, x, y);
    if (plan.colours == RGB) {
        rgb[1] = sample(frame, plan.planes[1], plan.exact, x, y);
        rgb[2] = sample(frame, plan.planes[2], plan.exact, x, y);
        return;
    }
    // Blacker than black is black.
    float luma = fmaxf((float)rgb[0] - plan.luma_start, 0.0f) * plan.luma_scale;
    float u = 0.0f;
    float v = 0.0f;
    if (plan.colours == YUV) {
        u = (float)(sample(frame, plan.planes[1], plan.exact, x, y) - 128);
        v = (float)(sample(frame, plan.planes[2], plan.exact, x, y) - 128);
    }
    rgb[0] = level(luma + plan.red_of_v * v);
    rgb[1] = level(luma - plan.green_of_u * u - plan.green_of_v * v);
    rgb[2] = level(luma + plan.blue_of_u * u);
}

// The nearest number of 16 bits, ties to even.
static __device__ __forceinline__ unsigned short half_of(float number) {
    unsigned bits = __float_as_uint(number);
    unsigned sign = bits >> 16 & 0x8000u;
    float magnitude = fabsf(number);
    if (!(magnitude < 65520.0f)) {
        return (unsigned short)(sign | 0x7c00u);
    }
    if (magnitude < 6.1035156e-5f) {
        return (unsigned short)(sign | (unsigned)rintf(magnitude * 16777216.0f));
    }
    unsigned shifted = bits & 0x7fffffffu;
    unsigned rounded = shifted + 0xfffu + (shifted >> 13 & 1u);
    return (unsigned short)(sign | (rounded - (112u << 23)) >> 13);
}

static __device__ __forceinline__ void write(void *tensor, long long at, int number, float value) {
    if (number == F32) {
        ((float *)tensor)[at] = value;
    } else if (number == F16) {
        ((unsigned short *)tensor)[at] = half_of(value);
    } else {
        ((unsigned char *)tensor)[at] = (unsigned char)level(value);
    }
}

static __device__ __forceinline__ void prepare(const unsigned char *frame, void *tensor, const Plan &plan, int x, int y) {
    int inner_x = x - plan.left;
    int inner_y = y - plan.top;
    int rgb[3] = {plan.padding, plan.padding, plan.padding};
    if (inner_x >= 0 && inner_y >= 0 && inner_x < plan.content_width && inner_y < plan.content_height) {
        see(frame, plan, inner_x, inner_y, rgb);
    }
    long long pixels = (long long)plan.width * plan.height;
    long long pixel = (long long)y * plan.width + x;
    for (int channel = 0; channel < 3; channel++) {
        long long at = plan.interleaved ? pixel * 3 + channel : pixels * channel + pixel;
        int seen = plan.source[channel] == 0 ? rgb[0] : plan.source[channel] == 1 ? rgb[1] : rgb[2];
        write(tensor, at, plan.number, (float)seen * plan.scale[channel] + plan.shift[channel]);
    }
}

extern "C" __global__ void livetune_prepare(const unsigned char *frame, void *tensor, const Plan plan) {
    int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    if (x < plan.width && y < plan.height) {
        prepare(frame, tensor, plan, x, y);
    }
}

// NVIDIA's driver and its compiler, played on the processor: what a test needs to see that the plugin and GStreamer's
// CUDA library work together, and to lose the GPU on purpose. Stricter than the real one:
//
// - addresses of the GPU cannot be read by the program;
// - memory of one context is no memory of another;
// - what is told to a stream happens when somebody waits for it, and not before;
// - the compiler makes no code without the options that the arithmetic needs.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

typedef int Result;
typedef uint64_t Address;
enum { OK = 0, INVALID_VALUE = 1, NOT_SUPPORTED = 801, INVALID_CONTEXT = 201, ILLEGAL_ADDRESS = 700, LOST = 719 };

// No address of a program has this bit.
static const Address GPU = (Address)1 << 60;
static const size_t PITCH = 512;

struct Context {};
struct Stream {
    Context *context;
    std::vector<std::function<void()>> work;
};
struct Module {
    Context *context;
    void *library;
};
struct Block {
    Context *context;
    size_t bytes;
};
typedef void (*Launch)(void **arguments, const unsigned *blocks, const unsigned *threads);
struct Function {
    Module *module;
    Launch launch;
};

static std::mutex lock;
static std::map<Address, Block> blocks;
static Context primary;
static Stream unordered = {nullptr, {}};
static thread_local std::vector<Context *> current;
static bool is_lost, is_homeless;
static int retained, streams, modules, kernels, copies;

#define EXPORT extern "C" __attribute__((visibility("default")))
#define ALIVE \
    if (is_lost) return LOST

static Context *here() { return current.empty() ? nullptr : current.back(); }
static void *host(Address address) { return (void *)(address & ~GPU); }

// The block that has so many bytes from the address on.
static Block *find(Address address, size_t bytes) {
    std::lock_guard<std::mutex> guard(lock);
    auto next = blocks.upper_bound(address);
    if (next == blocks.begin()) return nullptr;
    auto &[start, block] = *--next;
    return address + bytes <= start + block.bytes ? &block : nullptr;
}

static bool is_of(Address address, size_t bytes, Context *context) {
    Block *block = find(address, bytes);
    return block && (!block->context || block->context == context);
}

static Stream *stream_of(void *stream) { return stream ? (Stream *)stream : &unordered; }

static Result order(void *stream, std::function<void()> work) {
    stream_of(stream)->work.push_back(work);
    return OK;
}

static void finish(Stream *stream) {
    auto work = std::move(stream->work);
    stream->work.clear();
    for (auto &one : work) one();
}

static Result allocate(Address *address, size_t bytes) {
    ALIVE;
    if (!here()) return INVALID_CONTEXT;
    void *memory = aligned_alloc(PITCH, (bytes + PITCH - 1) / PITCH * PITCH);
    memset(memory, 0xee, bytes);
    *address = (Address)memory | GPU;
    std::lock_guard<std::mutex> guard(lock);
    blocks[*address] = Block{is_homeless ? nullptr : here(), bytes};
    return OK;
}

// Of the test.
EXPORT void played_lose() { is_lost = true; }
EXPORT void played_homeless() { is_homeless = true; }
EXPORT void *played_host(Address address) { return host(address); }
EXPORT int played_left() { return (int)blocks.size() + retained + streams + modules + (int)current.size(); }
EXPORT int played_kernels() { return kernels; }
EXPORT int played_copies() { return copies; }

// Devices, contexts.
EXPORT Result cuInit(unsigned) { return is_lost ? LOST : OK; }
EXPORT Result cuDriverGetVersion(int *version) { return *version = 12020, OK; }
EXPORT Result cuDeviceGetCount(int *count) { return *count = 1, OK; }
EXPORT Result cuDeviceGet(int *device, int ordinal) {
    ALIVE;
    *device = 0;
    return ordinal == 0 ? OK : 101;
}
EXPORT Result cuDeviceGetName(char *name, int length, int) {
    snprintf(name, (size_t)length, "played");
    return OK;
}
EXPORT Result cuDeviceGetAttribute(int *value, int attribute, int) {
    ALIVE;
    // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR, and alignments.
    *value = attribute == 75 ? 8 : attribute == 76 ? 6 : (int)PITCH;
    return OK;
}
EXPORT Result cuDeviceCanAccessPeer(int *can, int, int) { return *can = 0, OK; }
EXPORT Result cuDevicePrimaryCtxRetain(Context **context, int) {
    ALIVE;
    retained++;
    *context = &primary;
    return OK;
}
EXPORT Result cuDevicePrimaryCtxRelease_v2(int) { return retained--, OK; }
EXPORT Result cuCtxCreate_v2(Context **context, unsigned, int) {
    ALIVE;
    *context = (Context *)malloc(1);
    current.push_back(*context);
    return OK;
}
EXPORT Result cuCtxDestroy_v2(Context *context) {
    free(context);
    return OK;
}
EXPORT Result cuCtxPushCurrent_v2(Context *context) {
    ALIVE;
    current.push_back(context);
    return OK;
}
EXPORT Result cuCtxPopCurrent_v2(Context **context) {
    if (current.empty()) return INVALID_CONTEXT;
    if (context) *context = current.back();
    current.pop_back();
    return OK;
}
EXPORT Result cuGetErrorName(int error, const char **text) {
    *text = error == LOST ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_OTHER";
    return OK;
}
EXPORT Result cuGetErrorString(int, const char **text) { return *text = "it is played", OK; }

// Memory.
EXPORT Result cuMemAlloc_v2(Address *address, size_t bytes) { return allocate(address, bytes); }
EXPORT Result cuMemAllocPitch_v2(Address *address, size_t *pitch, size_t width, size_t height, unsigned) {
    *pitch = (width + PITCH - 1) / PITCH * PITCH;
    return allocate(address, *pitch * height);
}
EXPORT Result cuMemFree_v2(Address address) {
    std::lock_guard<std::mutex> guard(lock);
    if (!blocks.erase(address)) return INVALID_VALUE;
    free(host(address));
    return OK;
}
EXPORT Result cuMemAllocHost_v2(void **memory, size_t bytes) { return *memory = malloc(bytes), OK; }
EXPORT Result cuMemFreeHost(void *memory) { return free(memory), OK; }
EXPORT Result cuMemsetD8Async(Address address, unsigned char byte, size_t bytes, void *stream) {
    ALIVE;
    if (!is_of(address, bytes, here())) return INVALID_VALUE;
    return order(stream, [=] { memset(host(address), byte, bytes); });
}
EXPORT Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *stream) {
    ALIVE;
    if (!is_of(to, bytes, here())) return INVALID_VALUE;
    return order(stream, [=] { memcpy(host(to), from, bytes); });
}
EXPORT Result cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void *stream) {
    ALIVE;
    if (!is_of(to, bytes, here()) || !is_of(from, bytes, here())) return INVALID_VALUE;
    copies++;
    return order(stream, [=] { memcpy(host(to), host(from), bytes); });
}
#ifndef OLD
EXPORT Result cuMemcpyPeerAsync(Address to, Context *own, Address from, Context *theirs, size_t bytes, void *stream) {
    ALIVE;
    if (own != here() || own != stream_of(stream)->context) return INVALID_CONTEXT;
    if (!is_of(to, bytes, own) || !is_of(from, bytes, theirs)) return INVALID_VALUE;
    copies++;
    return order(stream, [=] { memcpy(host(to), host(from), bytes); });
}
#endif
EXPORT Result cuPointerGetAttribute(void *value, int attribute, Address address) {
    ALIVE;
    Block *block = find(address, 1);
    // CU_POINTER_ATTRIBUTE_CONTEXT
    if (!block || attribute != 1) return INVALID_VALUE;
    *(Context **)value = block->context;
    return OK;
}

// CUDA_MEMCPY2D of cuda.h.
struct Side {
    size_t x, y;
    unsigned type;
    void *host_memory;
    Address device_memory;
    void *array;
    size_t pitch;
};
struct Rectangle {
    Side from, to;
    size_t width, height;
};
static char *start(const Side &side) {
    // CU_MEMORYTYPE_HOST
    char *memory = (char *)(side.type == 1 ? side.host_memory : host(side.device_memory));
    return memory + side.y * side.pitch + side.x;
}
static Result copy(const Rectangle *copied) {
    ALIVE;
    for (size_t row = 0; row < copied->height; row++)
        memcpy(start(copied->to) + row * copied->to.pitch, start(copied->from) + row * copied->from.pitch, copied->width);
    return OK;
}
EXPORT Result cuMemcpy2D_v2(const Rectangle *copied) { return copy(copied); }
EXPORT Result cuMemcpy2DAsync_v2(const Rectangle *copied, void *) { return copy(copied); }

// Streams.
EXPORT Result cuStreamCreate(Stream **stream, unsigned) {
    ALIVE;
    if (!here()) return INVALID_CONTEXT;
    *stream = new Stream{here(), {}};
    streams++;
    return OK;
}
EXPORT Result cuStreamSynchronize(void *stream) {
    ALIVE;
    finish(stream_of(stream));
    return OK;
}
EXPORT Result cuStreamDestroy_v2(Stream *stream) {
    delete stream;
    streams--;
    return OK;
}
EXPORT Result cuStreamDestroy(Stream *stream) { return cuStreamDestroy_v2(stream); }

// Programs.
EXPORT Result cuModuleLoadData(Module **module, const void *image) {
    ALIVE;
    void *library = dlopen((const char *)image, RTLD_NOW | RTLD_LOCAL);
    if (!library) return 200;
    *module = new Module{here(), library};
    modules++;
    return OK;
}
EXPORT Result cuModuleUnload(Module *module) {
    delete module;
    modules--;
    return OK;
}
EXPORT Result cuModuleGetFunction(Function **function, Module *module, const char *name) {
    ALIVE;
    if (!dlsym(module->library, name)) return 500;
    *function = new Function{module, (Launch)dlsym(module->library, "launch")};
    return OK;
}
EXPORT Result cuLaunchKernel(Function *function, unsigned bx, unsigned by, unsigned bz, unsigned tx, unsigned ty, unsigned tz,
                             unsigned, void *stream, void **arguments, void **) {
    ALIVE;
    Context *context = function->module->context;
    if (context != here() || bz != 1 || tz != 1) return INVALID_CONTEXT;
    Address frame = *(Address *)arguments[0], tensor = *(Address *)arguments[1];
    if (!is_of(frame, 1, context) || !is_of(tensor, 1, context)) return ILLEGAL_ADDRESS;
    const size_t *layout = (const size_t *)dlsym(function->module->library, "layout");
    std::string plan((const char *)arguments[2], layout[3]);
    kernels++;
    return order(stream, [=]() mutable {
        void *memory = host(frame), *made = host(tensor);
        void *given[] = {&memory, &made, &plan[0]};
        unsigned grid[] = {bx, by}, block[] = {tx, ty};
        function->launch(given, grid, block);
    });
}

// What is looked for and never called.
#define STUB(name) \
    EXPORT Result name() { return NOT_SUPPORTED; }
STUB(cuCtxEnablePeerAccess)
STUB(cuCtxDisablePeerAccess)
STUB(cuGLGetDevices_v2)
STUB(cuGraphicsGLRegisterBuffer)
STUB(cuGraphicsGLRegisterImage)
STUB(cuGraphicsMapResources)
STUB(cuGraphicsResourceGetMappedPointer_v2)
STUB(cuGraphicsResourceSetMapFlags_v2)
STUB(cuGraphicsSubResourceGetMappedArray)
STUB(cuGraphicsUnmapResources)
STUB(cuGraphicsUnregisterResource)
STUB(cuTexObjectCreate)
STUB(cuTexObjectDestroy)

// NVRTC: its machine code is the path of a library.
struct Program {
    std::string source, made;
};
EXPORT int nvrtcCreateProgram(Program **program, const char *source, const char *, int, const char *const *, const char *const *) {
    *program = new Program{source, ""};
    return 0;
}
EXPORT int nvrtcDestroyProgram(Program **program) {
    delete *program;
    return 0;
}
EXPORT int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
    std::string all;
    for (int at = 0; at < count; at++) all += std::string(options[at]) + " ";
    if (all != "--gpu-architecture=sm_86 --fmad=false ") return 5;
    std::string base = std::string(getenv("PLAYED_FOLDER")) + "/kernel";
    FILE *file = fopen((base + ".cu").c_str(), "w");
    fwrite(program->source.data(), 1, program->source.size(), file);
    fclose(file);
    program->made = base + ".so";
    std::string line = "c++ -O2 -ffp-contract=off -shared -fPIC '-DKERNEL=\"" + base + ".cu\"' -o " + program->made + " " + SHIM;
    return system(line.c_str()) == 0 ? 0 : 6;
}
EXPORT int nvrtcGetCUBINSize(Program *program, size_t *bytes) { return *bytes = program->made.size() + 1, 0; }
EXPORT int nvrtcGetCUBIN(Program *program, char *image) { return strcpy(image, program->made.c_str()), 0; }
EXPORT int nvrtcGetPTXSize(Program *, size_t *) { return 5; }
EXPORT int nvrtcGetPTX(Program *, char *) { return 5; }
EXPORT int nvrtcGetProgramLogSize(Program *, size_t *bytes) { return *bytes = 1, 0; }
EXPORT int nvrtcGetProgramLog(Program *, char *log) { return *log = 0, 0; }

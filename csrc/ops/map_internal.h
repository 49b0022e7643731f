/* ops/map_internal.h - what map.c (which elements, which arguments) and map_text.c (which
 * kernel) share. */
#ifndef VKT_OPS_MAP_INTERNAL_H
#define VKT_OPS_MAP_INTERNAL_H

#include "ops/expr.h"

/* Outputs, leaves and the counter. */
#define MAX_MAP_OPERANDS (VKT_MAX_OUTPUTS + VKT_MAX_LEAVES + 1)

/* The number is LAYOUT in shaders/elementwise.comp, which says what each one is. */
typedef enum vkt_map_layout {
    VKT_MAP_FLAT,
    VKT_MAP_ROWS,
    VKT_MAP_GENERAL,
    VKT_MAP_TILES,
} vkt_map_layout;

typedef struct vkt_map_plan {
    const vkt_fusion *fusion;
    const vkt_program *program;
    vkt_device *device;
    int n_operands; /* outputs, leaves, and the counter if the program has one */
    int n_tensors;  /* without the counter */
    bool counts;
    uint32_t width; /* elements an invocation handles */
    vkt_block *blocks[MAX_MAP_OPERANDS];
    uint8_t nbytes[MAX_MAP_OPERANDS]; /* of an element */
} vkt_map_plan;

/* Dims outside those an invocation or a tile spans, as far as the kernel of a layout goes. */
int vkt_map_outer_limit(vkt_map_layout layout);

/* Divisions that take an invocation's (TILES: a workgroup's) number apart, and the words that
 * hold their shifts, a byte each. */
int vkt_map_divisors(vkt_map_layout layout);
int vkt_map_shift_words(vkt_map_layout layout);

/* Invocations in a workgroup; for tiles, that of one whole tile. */
uint32_t vkt_map_group_size(const vkt_map_plan *plan, vkt_map_layout layout);

/* Elements along a side of a tile: wide enough that each row of it is a whole 128-byte line,
 * where that fits. */
uint32_t vkt_map_tile_side(const vkt_map_plan *plan);

/* Declares x0[n], x1[n], ..., registers of the leaves, and y0[n], ... of the outputs. */
void vkt_emit_registers(const vkt_program *program, const char *n, vkt_text *out);

/* The address of operand p's first element, and what the space touches of it; returns the bytes
 * that takes at least. */
uint64_t vkt_map_address(const vkt_map_plan *plan, const vkt_space *space, int p);
uint64_t vkt_map_access(const vkt_map_plan *plan, const vkt_space *space, int p, vkt_access *out);

/* Of a space for VKT_MAP_FLAT: records what streams take, if any, and leaves the rest in *space,
 * which may have no elements then. */
vkt_status vkt_map_stream(const vkt_map_plan *plan, vkt_space *space);

/* The kernel, from the table or built. args_nbytes is the size of its arguments. */
vkt_status vkt_map_kernel(const vkt_map_plan *plan, vkt_map_layout layout, uint32_t args_nbytes,
                          vkt_kernel **out);

#endif
